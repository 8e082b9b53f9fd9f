#include "store/sqlite/transfer.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/check.h"
#include "store/sqlite/entities.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/text_fold.h"
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
        void operator()(const TransferIds& /*linked afterwards*/) const {}
    };
    std::visit(Binder{query}, value);
}

/// The row with that id in the account as a line; empty when there is none.
base::Result<std::string> find_line(Connection& db, const TransferTable& table, AccountId account,
                                    const base::IdBytes& id) {
    const auto sql = fmt::format("SELECT {} FROM {} t WHERE t.id = ? AND t.account_id = ?",
                                 column_list(table), table.kind);
    Query query(db, sql);
    KN_TRY(found, query.add_blob(id.data(), id.size()).add(account).step());
    return found ? line_of(db, table, query, 0) : std::string();
}

/// Whether a row that is there says the same as the line, in the columns that the line has.
base::Result<bool> is_same(const TransferTable& table, std::string_view there,
                           std::string_view line, const Values& values) {
    if (there == line) {
        return true;
    }
    KN_TRY(others, values_of(table, there));
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] && values[i] != others[i]) {
            return false;
        }
    }
    return true;
}

/// An INSERT of the columns that the line has; what it lacks takes its default.
base::Status insert_values(Connection& db, const TransferTable& table, AccountId account,
                           const Values& values) {
    std::string names = "account_id";
    std::string marks = "?";
    std::string folded;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto& column = table.columns[i];
        if (values[i] && column.kind != ColumnKind::asset_ids) {
            names.append(", ").append(column.name);
            marks += ", ?";
        }
        const auto* text = values[i] ? std::get_if<std::string>(&*values[i]) : nullptr;
        if (text != nullptr && table.keeps_folded_name && column.name == "name") {
            folded = fold(*text);
        }
    }
    if (!table.counter.empty()) {
        names.append(", ").append(table.counter);
        marks += ", 0";
    }
    if (table.keeps_folded_name) {
        names += ", name_folded";
        marks += ", ?";
    }
    Query query(db, fmt::format("INSERT INTO {} ({}) VALUES ({})", table.kind, names, marks));
    query.add(account);
    for (const auto& value : values) {
        if (value) {
            bind(query, *value);
        }
    }
    if (table.keeps_folded_name) {
        query.add(std::string_view(folded));
    }
    return query.done();
}

base::Status link_images(Connection& db, const base::IdBytes& entity, const TransferIds& images) {
    std::vector<domain::AssetId> assets;
    for (const auto& image : images) {
        KN_PASS(check_entities_left(db, domain::AssetId(image)));
        assets.emplace_back(image);
    }
    return link_assets(db, domain::EntityId(entity), assets);
}

/// An id of an owner leads to a row of the same account, or where that is fine to none.
base::Status check_owner(Connection& db, const TransferTable& table, const TransferColumn& column,
                         AccountId account, const base::IdBytes& id) {
    Query query(db, fmt::format("SELECT account_id FROM {} WHERE id = ?", column.owner->table));
    KN_TRY(found, query.add_id(id).step());
    if (found ? query.id<AccountId>(0) == account : column.owner->may_be_gone) {
        return {};
    }
    return refuse_line(
        table, fmt::format("a line of {}: `{}` names {} of {}, which the account "
                           "does not have",
                           table.kind, column.name, base::id_text(id), column.owner->table));
}

base::Status check_owners(Connection& db, const TransferTable& table, AccountId account,
                          const Values& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto& column = table.columns[i];
        if (column.owner == nullptr || !values[i]) {
            continue;
        }
        if (const auto* id = std::get_if<base::IdBytes>(&*values[i])) {
            KN_PASS(check_owner(db, table, column, account, *id));
        } else if (const auto* ids = std::get_if<TransferIds>(&*values[i])) {
            for (const auto& each : *ids) {
                KN_PASS(check_owner(db, table, column, account, each));
            }
        }
    }
    return {};
}

base::Status insert_row(Connection& db, const TransferTable& table, AccountId account,
                        const Values& values) {
    const auto& id = std::get<base::IdBytes>(*values[0]);
    auto inserted = insert_values(db, table, account, values);
    if (!inserted && (sqlite3_extended_errcode(db.handle()) & 0xff) == SQLITE_CONSTRAINT) {
        return refuse_line(table, fmt::format("{} {} cannot be added: its id or its name is taken, "
                                              "or it lacks a value",
                                              table.kind, base::id_text(id)));
    }
    KN_PASS(std::move(inserted));
    for (const auto& value : values) {
        if (const auto* ids = value ? std::get_if<TransferIds>(&*value) : nullptr) {
            KN_PASS(link_images(db, id, *ids));
        }
    }
    return {};
}

enum class Owners { checked, not_looked_for };

base::Result<ImportCounts> import_lines(Connection& db, const TransferTable& table,
                                        AccountId account, const std::vector<std::string>& lines,
                                        Owners owners) {
    ImportCounts counts;
    for (const auto& line : lines) {
        KN_TRY(values, values_of(table, line));
        const auto* id = values[0] ? std::get_if<base::IdBytes>(&*values[0]) : nullptr;
        if (id == nullptr) {
            return refuse_line(table, fmt::format("a line of {} has no id", table.kind));
        }
        KN_TRY(there, find_line(db, table, account, *id));
        if (there.empty()) {
            if (owners == Owners::checked) {
                KN_PASS(check_owners(db, table, account, values));
            }
            KN_PASS(insert_row(db, table, account, values));
            ++counts.added;
            continue;
        }
        KN_TRY(same, is_same(table, there, line, values));
        if (!same) {
            return refuse_line(table, fmt::format("{} {} is there already, with other values",
                                                  table.kind, base::id_text(*id)));
        }
        ++counts.there_before;
    }
    return counts;
}

base::Result<std::vector<std::string>> texts_of(Query& query) {
    std::vector<std::string> texts;
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return texts;
        }
        texts.emplace_back(query.text(0));
    }
}

/// One job for each row of `from`, whose subject is the row's id, unless there is one already.
base::Status queue_jobs(WriteTurn& turn, JobKind kind, AccountId account, std::string_view from) {
    Query jobs(turn.db, "SELECT subject FROM jobs WHERE kind = ?");
    KN_TRY(there, texts_of(jobs.with(kind)));
    const std::unordered_set<std::string> queued(there.begin(), there.end());
    Query rows(turn.db, fmt::format("SELECT lower(hex(id)) FROM {} AND account_id = ?", from));
    KN_TRY(wanted, texts_of(rows.with(account)));
    for (const auto& id : wanted) {
        if (!queued.contains(id)) {
            KN_PASS(insert_job(turn, {kind, id}));
        }
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
            KN_TRY(line, line_of(db, table, query, 1));
            rows.lines.push_back(std::move(line));
        }
    };
    return access_.read<ExportedRows>(std::move(work));
}

Asked<ReadySources> SqliteTransfer::ready_sources(std::int64_t after, std::int64_t limit) {
    auto work = [after, limit](Connection& db) -> base::Result<ReadySources> {
        Query query(db,
                    "SELECT rowid, id, size_bytes FROM assets WHERE status = 1 AND rowid > ? "
                    "ORDER BY rowid LIMIT ?");
        query.with(after, limit);
        ReadySources found;
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                return found;
            }
            found.last = query.integer(0);
            found.sources.push_back(
                {query.id<domain::AssetId>(1), query.maybe_integer<std::int64_t>(2)});
        }
    };
    return access_.read<ReadySources>(std::move(work));
}

Asked<ImportCounts> SqliteTransfer::import_rows(std::string kind, AccountId account,
                                                std::vector<std::string> lines) {
    auto work = [&table = table_of(kind), account, lines = std::move(lines)](WriteTurn& turn) {
        return import_lines(turn.db, table, account, lines, Owners::checked);
    };
    return access_.write<ImportCounts>(std::move(work));
}

Asked<ImportCounts> SqliteTransfer::check_rows(std::string kind, AccountId account,
                                               std::vector<std::string> lines) {
    auto work = [&table = table_of(kind), account,
                 lines = std::move(lines)](WriteTurn& turn) -> base::Result<ImportCounts> {
        KN_PASS(Query(turn.db, "SAVEPOINT trial").done());
        KN_TRY(counts, import_lines(turn.db, table, account, lines, Owners::not_looked_for));
        KN_PASS(Query(turn.db, "ROLLBACK TO trial").done());
        KN_PASS(Query(turn.db, "RELEASE trial").done());
        return counts;
    };
    return access_.write<ImportCounts>(std::move(work));
}

Asked<void> SqliteTransfer::queue_unfinished(AccountId account) {
    return access_.write<void>([account](WriteTurn& turn) -> base::Status {
        // The numbers of domain's enumerators, as the schema keeps them.
        KN_PASS(queue_jobs(turn, JobKind::ingest_asset, account,
                           "assets WHERE status = 0 AND method <> 1"));
        KN_PASS(queue_jobs(turn, JobKind::fetch_url, account,
                           "assets WHERE status = 0 AND method = 1"));
        KN_PASS(queue_jobs(turn, JobKind::make_rendition, account,
                           "assets WHERE status = 1 AND hls IN (1, 2)"));
        KN_PASS(queue_jobs(turn, JobKind::make_thumbnail, account,
                           "assets WHERE status = 1 AND thumbnail IN (1, 2)"));
        // What waits for the asset of its task is queued when that is ready.
        KN_PASS(queue_jobs(turn, JobKind::index_asset, account,
                           "indexed_assets WHERE status < 3 AND id NOT IN "
                           "(SELECT video_id FROM tasks WHERE status < 2)"));
        // With a message it was looked at, in vain; another image would bring the check back.
        return queue_jobs(turn, JobKind::check_entity, account,
                          "entities WHERE status = 0 AND error_message = ''");
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
