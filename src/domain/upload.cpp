#include "domain/upload.h"

#include <algorithm>

namespace kinodex::domain {
namespace {

constexpr std::int64_t kMebibyte = 1024 * 1024;

std::int64_t divided_up(std::int64_t amount, std::int64_t by) {
    return (amount + by - 1) / by;
}

}  // namespace

std::int64_t Upload::total_chunks() const {
    return divided_up(total_size_bytes, chunk_size_bytes);
}

std::int64_t Upload::chunk_offset(std::int64_t index) const {
    return (index - 1) * chunk_size_bytes;
}

std::int64_t Upload::chunk_length(std::int64_t index) const {
    return std::min(chunk_size_bytes, total_size_bytes - chunk_offset(index));
}

bool Upload::has_chunk(std::int64_t index) const {
    return index >= 1 && index <= total_chunks();
}

UploadStatus Upload::status_at(base::Timestamp now) const {
    return status == UploadStatus::active && now >= expires_at ? UploadStatus::expired : status;
}

base::Status Upload::check_active(base::Timestamp now) const {
    switch (status_at(now)) {
        case UploadStatus::active:
            return {};
        case UploadStatus::completed:
            return base::fail(base::Errc::upload_completed, {{"upload_id", id.text()}});
        case UploadStatus::expired:
            break;
    }
    return base::fail(base::Errc::upload_expired, {{"upload_id", id.text()}});
}

std::int64_t chunk_size_for(std::int64_t total_size_bytes) {
    const auto needed = divided_up(total_size_bytes, kChunksMax);
    return std::max(kChunkBytesMin, divided_up(needed, kMebibyte) * kMebibyte);
}

Asset asset_of(const Upload& upload) {
    const auto wished = [](bool wish) {
        return wish ? DerivedStatus::pending : DerivedStatus::none;
    };
    Asset asset;
    asset.id = upload.asset_id;
    asset.account_id = upload.account_id;
    asset.method = AssetMethod::multipart;
    asset.type = upload.type;
    asset.filename = upload.filename;
    asset.created_at = upload.created_at;
    asset.size_bytes = upload.total_size_bytes;  // shown once the asset is ready, counted before
    asset.hls = wished(upload.enable_hls);
    asset.thumbnail = wished(upload.enable_thumbnail);
    asset.user_metadata = upload.user_metadata;
    return asset;
}

}  // namespace kinodex::domain
