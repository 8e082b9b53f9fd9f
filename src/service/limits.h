// What media may be: sizes, durations and resolutions, for uploading and for indexing.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "domain/asset.h"
#include "media/media.h"

namespace kinodex::service {

/// Resolution bounds hold for either orientation: the longer side is compared with the larger
/// number. An upper bound of 0 means none.
struct MediaBounds {
    double min_duration_sec = 4;
    double max_duration_sec = 4 * 3600;
    int min_side = 360;
    int max_long_side = 5184;
    int max_short_side = 2160;
    double max_aspect_ratio = 2.4;
};

/// What a file is uploaded for: to be an asset of whatever kind, or the video of a task.
enum class Purpose { asset, task };

struct UploadLimits {
    std::int64_t max_direct_bytes = 200LL * 1024 * 1024;
    std::int64_t max_url_bytes = 4LL * 1024 * 1024 * 1024;
    std::int64_t max_multipart_bytes = 10LL * 1024 * 1024 * 1024;
    std::int64_t max_task_bytes = 2LL * 1024 * 1024 * 1024;
    std::int64_t max_image_bytes = 5LL * 1024 * 1024;
    int min_image_side = 128;
    MediaBounds media;
};

/// "200 MB", "4 GB", "1.5 KB": in the units of the documentation, where 1 MB is 1024 KB.
std::string size_text(std::int64_t bytes);

/// The error for a file of `type` that is larger than allowed.
std::unexpected<base::Error> too_large(domain::AssetType type, std::int64_t limit_bytes,
                                       std::int64_t size_bytes);

/// The largest file of `type` that may come by `method`.
std::int64_t size_limit(const UploadLimits& limits, domain::AssetMethod method,
                        domain::AssetType type);

/// Is this a file that may become an asset? Errors: those of the catalogue, by type.
base::Status check_upload(const UploadLimits& limits, domain::AssetMethod method,
                          const media::ProbeReport& report, std::int64_t size_bytes);

/// Is this a video that a task may index? Errors: those of tasks, and asset_type_unsupported.
base::Status check_task_upload(const UploadLimits& limits, const media::ProbeReport& report,
                               std::int64_t size_bytes);

/// The same condition in the words of tasks, which take nothing but videos. Others stay as they
/// are.
base::Error as_task_error(base::Error error);

/// May this asset be indexed? Videos keep the bounds; other types are refused.
base::Status check_indexing(const MediaBounds& bounds, const domain::Asset& asset);

}  // namespace kinodex::service
