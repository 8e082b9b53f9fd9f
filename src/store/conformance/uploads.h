// What tests of upload sessions stand on: sessions, stored, and their chunks.
#pragma once

#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {

class UploadConformance : public StoreConformance {
  protected:
    UploadStore& uploads() { return store().uploads(); }

    /// Three chunks, the last one short.
    domain::Upload add_upload(std::int64_t total_size_bytes = 2 * domain::kChunkBytesMin + 7);
    domain::Upload add_upload(domain::AccountId account, std::int64_t total_size_bytes);
    domain::Chunk chunk(const domain::Upload& upload, std::int64_t index);
    /// Makes the chunk written under its current attempt.
    void write(const domain::Upload& upload, std::int64_t index, const std::string& etag);
    base::Result<ReportOutcome> report(const domain::Upload& upload,
                                       std::vector<ReportedChunk> chunks);
};

}  // namespace kinodex::store::conformance
