// The signed media URLs that answers carry, and what a signature is good for.
#pragma once

#include <string>

#include "domain/ids.h"
#include "service/signer.h"

namespace kinodex::api {

/// One signature opens the whole of an asset's playback, or one picture.
inline std::string hls_scope(const std::string& asset_id) {
    return "assets/" + asset_id + "/hls";
}
inline std::string thumbnail_scope(const std::string& asset_id) {
    return "assets/" + asset_id + "/thumbnail.jpg";
}
inline std::string indexed_thumbnail_scope(const std::string& indexed_asset_id) {
    return "indexed/" + indexed_asset_id + "/thumbnail.jpg";
}

inline std::string signed_url(const std::string& base_url, const std::string& path,
                              const service::Signer& signer, const std::string& scope) {
    return base_url + "/media/" + path + "?" + signer.query_for(scope, base::now());
}

inline std::string manifest_url(const std::string& base_url, const service::Signer& signer,
                                domain::AssetId id) {
    const auto scope = hls_scope(id.text());
    return signed_url(base_url, scope + "/master.m3u8", signer, scope);
}
inline std::string thumbnail_url(const std::string& base_url, const service::Signer& signer,
                                 domain::AssetId id) {
    const auto scope = thumbnail_scope(id.text());
    return signed_url(base_url, scope, signer, scope);
}
inline std::string indexed_thumbnail_url(const std::string& base_url, const service::Signer& signer,
                                         domain::IndexedAssetId id) {
    const auto scope = indexed_thumbnail_scope(id.text());
    return signed_url(base_url, scope, signer, scope);
}

}  // namespace kinodex::api
