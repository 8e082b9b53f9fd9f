// The sessions of uploads in parts: a part of the metadata store with an interface of its own.
//
// Promises as in store.h. What keeps the bytes and the rows of a chunk together:
// - `finish_chunk` makes a chunk written, and only for the attempt that is still the current one.
// - whoever changes bytes of a chunk that may be written calls `restart_chunk` first, and changes
//   them after it returned: then no attempt but that one can become written.
// - `report_chunks` takes written chunks only, and what is reported never starts again.
// So a row says `written` only while the bytes of its ETag are in place, whenever a process dies.
#pragma once

#include <string>
#include <vector>

#include "domain/job.h"
#include "domain/page.h"
#include "domain/upload.h"
#include "runtime/task.h"

namespace kinodex::store {

using runtime::Asked;

/// One chunk of a session, as a request for it finds them.
struct FoundChunk {
    domain::Upload upload;
    domain::Chunk chunk;
};

struct ReportedChunk {
    std::int64_t index = 0;
    std::string etag;
    std::int64_t size_bytes = 0;
};

struct ReportOutcome {
    domain::Upload upload;  // as it is now
    std::int64_t processed = 0;
    std::int64_t duplicates = 0;
    bool completes = false;  // this report was the last
};

class UploadStore {
  public:
    virtual ~UploadStore() = default;

    /// Errors: uploads_too_many when the account has `open_max` active sessions.
    virtual Asked<void> insert_upload(domain::Upload upload, std::int64_t open_max) = 0;
    /// Errors: resource_not_exist ("multipart-uploads").
    virtual Asked<domain::Upload> find_upload(domain::AccountId account, domain::UploadId id) = 0;
    /// The session that has reserved an asset and is active at `now`; resource_not_exist
    /// ("assets") otherwise.
    virtual Asked<domain::Upload> find_reservation(domain::AccountId account, domain::AssetId asset,
                                                   base::Timestamp now) = 0;
    /// All that are not completed, newest first.
    virtual Asked<domain::Paged<domain::Upload>> list_incomplete(domain::AccountId account,
                                                                 domain::Page page) = 0;
    /// The chunks of one page, all from 1 on, pending ones included.
    virtual Asked<std::vector<domain::Chunk>> list_chunks(domain::Upload upload,
                                                          domain::Page page) = 0;

    /// For signed URLs: whatever the account. Errors: resource_not_exist ("multipart-uploads",
    /// "chunks").
    virtual Asked<FoundChunk> find_chunk(domain::UploadId id, std::int64_t index) = 0;
    /// pending → written. Errors: resource_not_exist; upload_expired, upload_completed;
    /// chunk_replaced when `attempt` is not the current one or the chunk is not pending.
    virtual Asked<void> finish_chunk(domain::UploadId id, std::int64_t index, std::int64_t attempt,
                                     std::string etag, base::Timestamp now) = 0;
    /// Makes the chunk pending under a new attempt, which it returns. Errors: resource_not_exist,
    /// upload_expired, upload_completed, chunk_already_reported.
    virtual Asked<std::int64_t> restart_chunk(domain::UploadId id, std::int64_t index,
                                              base::Timestamp now) = 0;
    /// All of the batch or nothing. Chunks reported before, also within the batch, are duplicates.
    /// The last one completes the session: its asset's row and an ingest_asset job are added in
    /// the same step. Errors: resource_not_exist, upload_expired, parameter_invalid for an index
    /// that the session has not, chunk_size_wrong, chunk_not_uploaded, chunk_proof_wrong.
    virtual Asked<ReportOutcome> report_chunks(domain::AccountId account, domain::UploadId id,
                                               std::vector<ReportedChunk> chunks,
                                               base::Timestamp now) = 0;

    /// Whether expire_uploads or forget_uploads would find any. Cheap: for polling.
    virtual Asked<bool> uploads_due(base::Timestamp now, base::Timestamp before) = 0;
    /// Ends sessions whose time has passed, `most` at once, and queues remove_objects for their
    /// assets in the same step. Returns how many.
    virtual Asked<std::int64_t> expire_uploads(base::Timestamp now, std::int64_t most) = 0;
    /// Ends every active session, whenever it would expire: for a copy of the store that has none
    /// of their chunks. Returns how many.
    virtual Asked<std::int64_t> end_active_uploads(base::Timestamp now) = 0;
    /// Deletes the rows of sessions that are over and have not changed since `before`.
    virtual Asked<std::int64_t> forget_uploads(base::Timestamp before, std::int64_t most) = 0;
};

}  // namespace kinodex::store
