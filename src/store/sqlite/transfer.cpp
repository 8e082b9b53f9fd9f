#include "store/sqlite/transfer.h"

#include <fmt/format.h>

#include "base/check.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/transfer_tables.h"

namespace kinodex::store::sqlite {
namespace {

using domain::AccountId;
using domain::JobKind;
using runtime::Asked;
using Values = std::vector<std::optional<TransferValue>>;

const TransferTable& table_of(const std::string& kind) {
    const auto* table = transfer_table(kind);
    KN_CHECK(table != nullptr, "a kind that row_kinds named");
    return *table;
}

void bind(Query& query, const TransferValue& value) {
    struct Binder {
        Query& query;
        void operator()(std::monostate) const { query.add_null(); }
        void operator()(std::int64_t number) const { query.add(number); }
        void operator()(double number) const { query.add(number); }
        void operator()(const std::string& text) const { query.add(std::string_view(text)); }
        void operator()(const base::IdBytes& id) const { query.add_blob(id.data(), id.size()); }
    };
    std::visit(Binder{query}, value);
}

/// The row with that id in the account as a line; empty when there is none.
base::Result<std::string> find_line(Connection& db, const TransferTable& table, AccountId account,
                                    const base::IdBytes& id) {
    const auto sql = fmt::format("SELECT {} FROM {} WHERE id = ? AND account_id = ?",
                                 column_list(table), table.kind);
    Query query(db, sql);
    KN_TRY(found, query.add_blob(id.data(), id.size()).add(account).step());
    return found ? line_of(table, query, 0) : std::string();
}

/// An INSERT of the columns that the line has; what it lacks takes its default.
base::Status insert_values(Connection& db, const TransferTable& table, AccountId account,
                           const Values& values) {
    std::string names = "account_id";
    std::string marks = "?";
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i]) {
            names.append(", ").append(table.columns[i].name);
            marks += ", ?";
        }
    }
    Query query(db, fmt::format("INSERT INTO {} ({}) VALUES ({})", table.kind, names, marks));
    query.add(account);
    for (const auto& value : values) {
        if (value) {
            bind(query, *value);
        }
    }
    return query.done();
}

base::Result<ImportCounts> import_lines(Connection& db, const TransferTable& table,
                                        AccountId account, const std::vector<std::string>& lines) {
    ImportCounts counts;
    for (const auto& line : lines) {
        KN_TRY(values, values_of(table, line));
        const auto* id = values[0] ? std::get_if<base::IdBytes>(&*values[0]) : nullptr;
        if (id == nullptr) {
            return base::fail(base::Errc::parameter_invalid,
                              {{"parameter", std::string(table.kind)},
                               {"reason", fmt::format("a line of {} has no id", table.kind)}});
        }
        KN_TRY(there, find_line(db, table, account, *id));
        if (there == line) {
            ++counts.there_before;
            continue;
        }
        if (!there.empty()) {
            return base::fail(base::Errc::parameter_invalid,
                              {{"parameter", std::string(table.kind)},
                               {"reason", fmt::format("{} {} is there already, with other values",
                                                      table.kind, base::id_text(*id))}});
        }
        auto inserted = insert_values(db, table, account, values);
        if (!inserted && (sqlite3_extended_errcode(db.handle()) & 0xff) == SQLITE_CONSTRAINT) {
            return base::fail(
                base::Errc::parameter_invalid,
                {{"parameter", std::string(table.kind)},
                 {"reason", fmt::format("{} {} cannot be added: its id or its name is taken, or it "
                                        "lacks a value",
                                        table.kind, base::id_text(*id))}});
        }
        KN_PASS(std::move(inserted));
        ++counts.added;
    }
    return counts;
}

/// One job for each row of `from`, whose subject is the row's id in hexadecimal.
base::Status queue_jobs(Connection& db, JobKind kind, AccountId account, std::string_view from) {
    const auto now = base::now();
    std::vector<base::IdBytes> ids;
    {
        Query query(db, fmt::format("SELECT id FROM {} AND account_id = ?", from));
        query.add(account);
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                break;
            }
            ids.push_back(query.id_bytes(0));
        }
    }
    for (const auto& id : ids) {
        Query query(db,
                    "INSERT INTO jobs (id, kind, subject, attempts, run_at_ms, ready_ms) "
                    "VALUES (?, ?, ?, 0, ?, ?)");
        const auto subject = base::id_text(id);
        KN_PASS(
            query.with(domain::JobId::next(), kind, std::string_view(subject), now, now).done());
    }
    return {};
}

}  // namespace

base::Result<bool> objects_held(Connection& db) {
    Query query(db, "SELECT 1 FROM object_holds WHERE until_ms > ?");
    return query.with(base::now()).step();
}

std::vector<std::string> SqliteTransfer::row_kinds() const {
    std::vector<std::string> kinds;
    for (const auto& table : transfer_tables()) {
        kinds.emplace_back(table.kind);
    }
    return kinds;
}

Asked<AccountId> SqliteTransfer::find_account(std::string account_name) {
    auto work = [name = std::move(account_name)](Connection& db) -> base::Result<AccountId> {
        Query query(db, "SELECT id FROM accounts WHERE account_name = ?");
        KN_TRY(found, query.with(std::string_view(name)).step());
        return found ? base::Result<AccountId>(query.id<AccountId>(0))
                     : not_exist(name, "accounts");
    };
    return access_.read<AccountId>(std::move(work));
}

Asked<AccountId> SqliteTransfer::make_account(std::string account_name) {
    auto work = [name = std::move(account_name)](WriteTurn& turn) {
        return account_named(turn.db, name);
    };
    return access_.write<AccountId>(std::move(work));
}

Asked<ExportedRows> SqliteTransfer::export_rows(std::string kind, ExportScope scope,
                                                std::int64_t after, std::int64_t limit) {
    auto work = [&table = table_of(kind), scope, after,
                 limit](Connection& db) -> base::Result<ExportedRows> {
        const auto sql = fmt::format(
            "SELECT t.rowid, {} FROM {} t WHERE {} AND t.rowid > ?3 ORDER BY t.rowid LIMIT ?4",
            column_list(table), table.kind, scope.index ? table.of_index : table.of_account);
        Query query(db, sql);
        query.with(scope.account, scope.index, after, limit);
        ExportedRows rows;
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                return rows;
            }
            rows.last = query.integer(0);
            rows.lines.push_back(line_of(table, query, 1));
        }
    };
    return access_.read<ExportedRows>(std::move(work));
}

Asked<ImportCounts> SqliteTransfer::import_rows(std::string kind, AccountId account,
                                                std::vector<std::string> lines) {
    auto work = [&table = table_of(kind), account, lines = std::move(lines)](WriteTurn& turn) {
        return import_lines(turn.db, table, account, lines);
    };
    return access_.write<ImportCounts>(std::move(work));
}

Asked<void> SqliteTransfer::queue_unfinished(AccountId account) {
    return access_.write<void>([account](WriteTurn& turn) -> base::Status {
        // The numbers of domain's enumerators, as the schema keeps them.
        KN_PASS(queue_jobs(turn.db, JobKind::ingest_asset, account,
                           "assets WHERE status = 0 AND method <> 1"));
        KN_PASS(queue_jobs(turn.db, JobKind::fetch_url, account,
                           "assets WHERE status = 0 AND method = 1"));
        KN_PASS(queue_jobs(turn.db, JobKind::make_rendition, account,
                           "assets WHERE status = 1 AND hls IN (1, 2)"));
        KN_PASS(queue_jobs(turn.db, JobKind::make_thumbnail, account,
                           "assets WHERE status = 1 AND thumbnail IN (1, 2)"));
        return queue_jobs(turn.db, JobKind::index_asset, account,
                          "indexed_assets WHERE status < 3");
    });
}

Asked<void> SqliteTransfer::hold_objects(std::int64_t holder, base::Timestamp until) {
    return access_.write<void>([holder, until](WriteTurn& turn) -> base::Status {
        Query query(turn.db,
                    "INSERT OR REPLACE INTO object_holds (holder, until_ms) VALUES (?, ?)");
        return query.with(holder, until).done();
    });
}

Asked<void> SqliteTransfer::release_objects(std::int64_t holder) {
    return access_.write<void>([holder](WriteTurn& turn) {
        return Query(turn.db, "DELETE FROM object_holds WHERE holder = ?").with(holder).done();
    });
}

Asked<bool> SqliteTransfer::objects_are_held() {
    return access_.read<bool>([](Connection& db) { return objects_held(db); });
}

Asked<bool> SqliteTransfer::objects_are_removed() {
    return access_.read<bool>([](Connection& db) {
        Query query(db, "SELECT 1 FROM jobs WHERE kind = ? AND owner IS NOT NULL AND ready_ms > ?");
        return query.with(JobKind::remove_objects, base::now()).step();
    });
}

Asked<void> SqliteTransfer::copy_to(std::string path) {
    auto work = [path = std::move(path)](Connection& db) -> base::Status {
        // One read transaction for all pages: the copy is of one moment, and writers go on.
        KN_TRY(target, Connection::open(path, Connection::Mode::write));
        auto* backup = sqlite3_backup_init(target->handle(), "main", db.handle(), "main");
        if (backup == nullptr) {
            return target->failure(sqlite3_errcode(target->handle()), "begin a copy");
        }
        const int copied = sqlite3_backup_step(backup, -1);
        const int finished = sqlite3_backup_finish(backup);
        if (copied != SQLITE_DONE || finished != SQLITE_OK) {
            return target->failure(copied != SQLITE_DONE ? copied : finished, "copy the database");
        }
        return {};
    };
    return access_.read<void>(std::move(work));
}

}  // namespace kinodex::store::sqlite
