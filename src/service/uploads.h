// Uploads in parts: sessions, their chunks, and the asset that comes of them.
//
// A chunk's bytes go straight to their place in the one file that will be the asset's source; the
// store knows for each chunk whether they are there (store/upload_store.h). What a chunk's writer
// does, in this order:
//   1. takes the chunk's place, if nobody has it; else its bytes are kept aside;
//   2. looks at the chunk's row. One that is written already keeps its bytes: the new ones are kept
//      aside, and only when all of them are here and differ do they replace the old;
//   3. syncs, then makes the row `written` with the ETag, then answers.
// A row that says `written` is made pending, durably, before a byte under it changes. So the kill
// of the server at any moment leaves no ETag without its bytes, and a re-PUT that breaks off
// leaves what was there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "objects/objects.h"
#include "service/limits.h"
#include "service/quotas.h"
#include "store/store.h"

namespace kinodex::service {

/// Sessions of an account that are neither completed nor expired.
inline constexpr std::int64_t kOpenUploadsMax = 100;
/// How long a session that is over can still be looked at.
inline constexpr std::chrono::hours kUploadKept{7 * 24};
/// Chunks of one report, and URLs of one request.
inline constexpr std::int64_t kChunkBatchMax = 50;
/// URLs that come with a new session: two batches of the official clients, few enough to be used
/// before they expire.
inline constexpr std::int64_t kFirstUrlsMax = 20;
inline constexpr std::chrono::hours kChunkUrlTtl{1};

struct UploadOptions {
    UploadLimits limits;
    std::chrono::seconds ttl{24 * 3600};  // of a session
};

struct NewSession {
    domain::AccountId account;
    std::string filename;
    domain::AssetType type = domain::AssetType::video;
    std::int64_t total_size_bytes = 0;
    bool enable_hls = false;
    bool enable_thumbnail = false;
    std::optional<domain::MetadataChange> user_metadata;
};

/// The bytes of one chunk on their way. Dropped before `finish`, the chunk is as if it had never
/// been sent again.
class ChunkWriter {
  public:
    ChunkWriter(store::UploadStore& store, store::FoundChunk found,
                std::unique_ptr<objects::Part> part)
        : store_(store), found_(std::move(found)), part_(std::move(part)) {}

    /// As objects::Part::append_behind. Errors: also chunk_size_wrong.
    runtime::Asked<void> append_behind(std::span<const std::byte> bytes,
                                       std::shared_ptr<const void> owner);
    /// All bytes came. The ETag, when they are durable. Errors: chunk_size_wrong,
    /// chunk_already_reported, chunk_replaced, upload_expired, upload_completed.
    runtime::Asked<std::string> finish();

  private:
    [[nodiscard]] std::unexpected<base::Error> wrong_size(std::uint64_t size_bytes) const;
    runtime::Asked<void> finish_in_place(const std::string& etag);
    runtime::Asked<void> replace(const std::string& etag);

    store::UploadStore& store_;
    store::FoundChunk found_;
    std::unique_ptr<objects::Part> part_;
};

class Uploads {
  public:
    Uploads(store::UploadStore& store, objects::Objects& objects, Quotas& quotas,
            UploadOptions options, std::function<void()> wake_workers)
        : store_(store),
          objects_(objects),
          quotas_(quotas),
          options_(options),
          wake_workers_(std::move(wake_workers)) {}

    /// Errors: parameter_invalid, the catalogue's for files that are too large, uploads_too_many,
    /// quota_exceeded: the announced size is held until the session is over.
    runtime::Asked<domain::Upload> create(NewSession session);
    runtime::Asked<domain::Upload> find(domain::AccountId account, domain::UploadId id);
    /// One that takes chunks. Errors: also upload_expired, upload_completed.
    runtime::Asked<domain::Upload> find_active(domain::AccountId account, domain::UploadId id);
    runtime::Asked<domain::Paged<domain::Upload>> list(domain::AccountId account,
                                                       domain::Page page);
    runtime::Asked<std::vector<domain::Chunk>> chunks(domain::Upload upload, domain::Page page);
    /// See UploadStore::report_chunks.
    runtime::Asked<store::ReportOutcome> report(domain::AccountId account, domain::UploadId id,
                                                std::vector<store::ReportedChunk> chunks);

    /// For holders of a signed URL. Errors: resource_not_exist, upload_expired, upload_completed,
    /// chunk_already_reported.
    runtime::Asked<std::unique_ptr<ChunkWriter>> begin_chunk(domain::UploadId id,
                                                             std::int64_t index);

    /// Ends sessions whose time has passed, and forgets those that ended long ago. For calling
    /// every second or so.
    runtime::Asked<void> tidy(base::Timestamp now);

  private:
    store::UploadStore& store_;
    objects::Objects& objects_;
    Quotas& quotas_;
    UploadOptions options_;
    std::function<void()> wake_workers_;
};

}  // namespace kinodex::service
