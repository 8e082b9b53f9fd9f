// Assets: media that a user uploaded, and what is known about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/ids.h"
#include "domain/metadata.h"

namespace kinodex::domain {

enum class AssetStatus { processing, ready, failed };
enum class AssetMethod { direct, url, multipart };
enum class AssetType { unknown, video, audio, image };
/// Of HLS and thumbnails: none when not asked for.
enum class DerivedStatus { none, pending, processing, ready, error };

struct Asset {
    AssetId id;
    AccountId account_id;
    AssetStatus status = AssetStatus::processing;
    AssetMethod method = AssetMethod::direct;
    AssetType type = AssetType::unknown;
    std::string filename;
    std::string file_type;  // MIME
    base::Timestamp created_at;
    std::optional<std::int64_t> size_bytes;
    std::optional<double> duration_sec;  // video and audio only
    std::optional<double> fps;           // video only
    std::optional<int> width;            // as displayed, after rotation; video and image
    std::optional<int> height;
    DerivedStatus hls = DerivedStatus::none;
    DerivedStatus thumbnail = DerivedStatus::none;
    std::string technical_metadata;  // JSON object as sent on the wire; empty until known
    std::string error_message;       // only when failed
    std::string source_url;          // where the bytes come from; only for method url
    Metadata user_metadata;
};

struct AssetFilter {
    std::vector<AssetId> ids;      // empty: any
    std::vector<AssetType> types;  // empty: any
    std::string filename_part;     // case-insensitive substring; empty: any
};

}  // namespace kinodex::domain
