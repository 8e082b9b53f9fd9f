// Uploads in parts: a session that collects the chunks of one file, and the rules of its chunks.
//
// A chunk is pending until its bytes are on stable storage (written, known by an ETag), and then
// until the client has reported that ETag (reported). Only a reported chunk counts as completed on
// the wire and never changes again; a written one may be written again. `attempt` tells one writing
// of a chunk from the next: the ETag of an attempt is only taken while that attempt is the current.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "domain/asset.h"

namespace kinodex::domain {

enum class UploadStatus { active, completed, expired };
enum class ChunkState { pending, written, reported };

/// What clients expect, and what they keep in memory for each chunk under way.
inline constexpr std::int64_t kChunkBytesMin = 5LL * 1024 * 1024;
/// 10 GB in chunks of 5 MiB. Files beyond that get larger chunks, not more of them.
inline constexpr std::int64_t kChunksMax = 2'048;

struct Upload {
    UploadId id;
    AccountId account_id;
    AssetId asset_id;  // reserved: the asset's row comes with the last report
    UploadStatus status = UploadStatus::active;
    AssetType type = AssetType::video;
    std::string filename;
    std::int64_t total_size_bytes = 0;
    std::int64_t chunk_size_bytes = kChunkBytesMin;
    bool enable_hls = false;
    bool enable_thumbnail = false;
    Metadata user_metadata;
    std::int64_t chunks_completed = 0;
    std::int64_t completed_bytes = 0;
    base::Timestamp created_at;
    base::Timestamp updated_at;
    base::Timestamp expires_at;

    [[nodiscard]] std::int64_t total_chunks() const;
    /// Where chunk `index`, from 1 to total_chunks, begins and how long it is.
    [[nodiscard]] std::int64_t chunk_offset(std::int64_t index) const;
    [[nodiscard]] std::int64_t chunk_length(std::int64_t index) const;
    [[nodiscard]] bool has_chunk(std::int64_t index) const;
    /// An active session whose time has passed is expired, whether or not it was cleaned up yet.
    [[nodiscard]] UploadStatus status_at(base::Timestamp now) const;
    /// Errors: upload_completed, upload_expired.
    [[nodiscard]] base::Status check_active(base::Timestamp now) const;
};

struct Chunk {
    std::int64_t index = 0;  // from 1
    ChunkState state = ChunkState::pending;
    std::int64_t attempt = 0;
    std::string etag;  // without quotes; empty while pending
    base::Timestamp updated_at;
};

/// The smallest chunk of whole MiB, 5 at least, with which a file has at most kChunksMax of them.
std::int64_t chunk_size_for(std::int64_t total_size_bytes);

/// The asset that the session makes: `processing` until its file has been examined.
Asset asset_of(const Upload& upload);

}  // namespace kinodex::domain
