// Export, import and backup in SQLite.
#pragma once

#include "store/sqlite/access.h"
#include "store/transfer_store.h"

namespace kinodex::store::sqlite {

class SqliteTransfer : public TransferStore {
  public:
    explicit SqliteTransfer(Access& access) : access_(access) {}

    [[nodiscard]] std::vector<std::string> row_kinds() const override;
    runtime::Asked<domain::AccountId> find_account(std::string account_name) override;
    runtime::Asked<domain::AccountId> make_account(std::string account_name) override;
    runtime::Asked<ExportedRows> export_rows(std::string kind, ExportScope scope,
                                             std::int64_t after, std::int64_t limit) override;
    runtime::Asked<ReadySources> ready_sources(std::int64_t after, std::int64_t limit) override;
    runtime::Asked<ImportCounts> import_rows(std::string kind, domain::AccountId account,
                                             std::vector<std::string> lines) override;
    runtime::Asked<ImportCounts> check_rows(std::string kind, domain::AccountId account,
                                            std::vector<std::string> lines) override;
    runtime::Asked<void> queue_unfinished(domain::AccountId account) override;
    runtime::Asked<void> hold_objects(std::int64_t holder, base::Timestamp until) override;
    runtime::Asked<void> release_objects(std::int64_t holder) override;
    runtime::Asked<bool> objects_are_held() override;
    runtime::Asked<bool> objects_are_removed() override;
    runtime::Asked<void> copy_to(std::string path) override;

  private:
    Access& access_;
};

/// Whether somebody keeps objects in place now.
base::Result<bool> objects_held(Connection& db);

}  // namespace kinodex::store::sqlite
