// Where the media of assets and indexed assets lives in the media store.
#pragma once

#include <string>

#include "domain/ids.h"

namespace kinodex::service {

inline std::string asset_prefix(domain::AssetId id) {
    return "assets/" + id.text() + "/";
}
inline std::string source_key(domain::AssetId id) {
    return asset_prefix(id) + "source";
}
inline std::string thumbnail_key(domain::AssetId id) {
    return asset_prefix(id) + "thumbnail.jpg";
}
inline std::string plan_key(domain::AssetId id) {
    return asset_prefix(id) + "playback.plan";
}
inline std::string rendition_key(domain::AssetId id) {
    return asset_prefix(id) + "rendition.mp4";
}

inline std::string indexed_prefix(domain::IndexedAssetId id) {
    return "indexed/" + id.text() + "/";
}
/// JSON: shots with times, and where each key picture lies in shot_pictures_key.
inline std::string shots_key(domain::IndexedAssetId id) {
    return indexed_prefix(id) + "shots.json";
}
/// The key pictures, JPEG after JPEG: one object, so one sync and never half of them.
inline std::string shot_pictures_key(domain::IndexedAssetId id) {
    return indexed_prefix(id) + "shots.jpegs";
}
inline std::string audio_key(domain::IndexedAssetId id) {
    return indexed_prefix(id) + "audio.wav";
}
/// JSON: loudness and silence ranges.
inline std::string audio_report_key(domain::IndexedAssetId id) {
    return indexed_prefix(id) + "audio.json";
}

}  // namespace kinodex::service
