// Upload sessions in SQLite.
#pragma once

#include "store/sqlite/access.h"
#include "store/upload_store.h"

namespace kinodex::store::sqlite {

class SqliteUploads final : public UploadStore {
  public:
    explicit SqliteUploads(Access& access) : access_(access) {}

    Asked<void> insert_upload(domain::Upload upload, std::int64_t open_max) override;
    Asked<domain::Upload> find_upload(domain::AccountId account, domain::UploadId id) override;
    Asked<domain::Upload> find_reservation(domain::AccountId account, domain::AssetId asset,
                                           base::Timestamp now) override;
    Asked<domain::Paged<domain::Upload>> list_incomplete(domain::AccountId account,
                                                         domain::Page page) override;
    Asked<std::vector<domain::Chunk>> list_chunks(domain::Upload upload,
                                                  domain::Page page) override;
    Asked<FoundChunk> find_chunk(domain::UploadId id, std::int64_t index) override;
    Asked<void> finish_chunk(domain::UploadId id, std::int64_t index, std::int64_t attempt,
                             std::string etag, base::Timestamp now) override;
    Asked<std::int64_t> restart_chunk(domain::UploadId id, std::int64_t index,
                                      base::Timestamp now) override;
    Asked<ReportOutcome> report_chunks(domain::AccountId account, domain::UploadId id,
                                       std::vector<ReportedChunk> chunks,
                                       base::Timestamp now) override;
    Asked<bool> uploads_due(base::Timestamp now, base::Timestamp before) override;
    Asked<std::int64_t> expire_uploads(base::Timestamp now, std::int64_t most) override;
    Asked<std::int64_t> end_active_uploads(base::Timestamp now) override;
    Asked<std::int64_t> forget_uploads(base::Timestamp before, std::int64_t most) override;

  private:
    Access& access_;
};

}  // namespace kinodex::store::sqlite
