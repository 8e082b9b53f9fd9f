// What export, import and backup need of the store: rows as text, a consistent copy of everything,
// and a hold that keeps media in place meanwhile. Promises and errors are those of store.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/ids.h"
#include "runtime/task.h"

namespace kinodex::store {

struct ExportScope {
    domain::AccountId account;
    std::optional<domain::IndexId> index;  // only this index, the assets in it, and its tasks
};

/// Rows as JSON objects, one a line, without the account they belong to.
struct ExportedRows {
    std::vector<std::string> lines;
    std::int64_t last = 0;  // where the next call goes on
};

struct ImportCounts {
    std::int64_t added = 0;
    std::int64_t there_before = 0;  // with the same id and the same values
};

/// A ready asset: its `source` has that many bytes.
struct ReadySource {
    domain::AssetId asset;
    std::optional<std::int64_t> size_bytes;
};

struct ReadySources {
    std::vector<ReadySource> sources;
    std::int64_t last = 0;  // where the next call goes on
};

class TransferStore {
  public:
    virtual ~TransferStore() = default;

    /// Kinds of rows, in the order in which they are imported: "assets", "indexes", …
    [[nodiscard]] virtual std::vector<std::string> row_kinds() const = 0;
    /// The account of that name. Errors: resource_not_exist.
    virtual runtime::Asked<domain::AccountId> find_account(std::string account_name) = 0;
    /// The same, made when it is not there yet.
    virtual runtime::Asked<domain::AccountId> make_account(std::string account_name) = 0;

    /// At most `limit` rows after position `after` (0: the first), oldest first; none at the end.
    virtual runtime::Asked<ExportedRows> export_rows(std::string kind, ExportScope scope,
                                                     std::int64_t after, std::int64_t limit) = 0;
    /// The same of the ready assets of all accounts.
    virtual runtime::Asked<ReadySources> ready_sources(std::int64_t after, std::int64_t limit) = 0;
    /// Adds rows to the account: all or none. Errors: parameter_invalid with a reason, also for an
    /// id or a name that is taken by something else, and for a row that belongs to one that the
    /// account does not have.
    virtual runtime::Asked<ImportCounts> import_rows(std::string kind, domain::AccountId account,
                                                     std::vector<std::string> lines) = 0;
    /// What import_rows would answer, and nothing is changed. What rows belong to is not looked
    /// for: it may be about to be imported.
    virtual runtime::Asked<ImportCounts> check_rows(std::string kind, domain::AccountId account,
                                                    std::vector<std::string> lines) = 0;
    /// Queues the jobs of everything of the account that is not finished, each once.
    virtual runtime::Asked<void> queue_unfinished(domain::AccountId account) = 0;

    /// Until then no object is removed by any process. Answers once removals that ran have ended;
    /// ask again before `until` to go on. Several may hold at once, each by a number of its own.
    virtual runtime::Asked<void> hold_objects(std::int64_t holder, base::Timestamp until) = 0;
    virtual runtime::Asked<void> release_objects(std::int64_t holder) = 0;
    virtual runtime::Asked<bool> objects_are_held() = 0;
    /// True while a removal of objects is under way.
    virtual runtime::Asked<bool> objects_are_removed() = 0;

    /// Writes all metadata as of one moment to a new file, which the adapter can open.
    virtual runtime::Asked<void> copy_to(std::string path) = 0;
};

}  // namespace kinodex::store
