#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

/// An index can hold a million rows, and every other write waits while some are deleted: this
/// many take about 10 ms.
constexpr std::int64_t kRowsClearedAtOnce = 500;

/// Errors: index_name_already_exists when another index of the account has the name.
base::Status check_name_is_free(Connection& db, domain::AccountId account,
                                std::string_view index_name, domain::IndexId except) {
    Query query(db, "SELECT id FROM indexes WHERE account_id = ? AND index_name = ?");
    KN_TRY(taken, query.with(account, index_name).step());
    if (taken && query.id<domain::IndexId>(0) != except) {
        return base::fail(base::Errc::index_name_already_exists,
                          {{"index_name", std::string(index_name)}});
    }
    return {};
}

struct IndexConditions {
    std::string sql;
    std::int64_t option_bits = 0;
    std::int64_t family_bits = 0;
    bool matches_nothing = false;
};

IndexConditions conditions_of(const domain::IndexFilter& filter) {
    IndexConditions conditions;
    // A bound of 0 bits or the earliest time holds for every row: one statement for all filters.
    conditions.sql =
        "FROM indexes WHERE account_id = ? AND (model_options & ?) = ? AND "
        "(model_families & ?) = ? AND created_ms >= ? AND updated_ms >= ?";
    if (filter.index_name) {
        conditions.sql += " AND index_name = ?";
    }
    for (const auto& option : filter.model_options) {
        const auto bit = model_option_bit(option);
        conditions.matches_nothing = conditions.matches_nothing || !bit;
        conditions.option_bits |= bit.value_or(0);
    }
    if (filter.model_family) {
        conditions.family_bits = std::int64_t{1} << static_cast<int>(*filter.model_family);
    }
    return conditions;
}

void bind_conditions(Query& query, domain::AccountId account, const domain::IndexFilter& filter,
                     const IndexConditions& conditions) {
    constexpr auto kEarliest = base::Timestamp::min();
    query.with(account, conditions.option_bits, conditions.option_bits, conditions.family_bits,
               conditions.family_bits, filter.created_from.value_or(kEarliest),
               filter.updated_from.value_or(kEarliest));
    if (filter.index_name) {
        query.add(std::string_view(*filter.index_name));
    }
}

std::string order_of(const domain::IndexFilter& filter) {
    const std::string column =
        filter.sort_by == domain::SortBy::created_at ? "created_ms" : "updated_ms";
    const std::string order = filter.order == domain::SortOrder::asc ? " ASC" : " DESC";
    return " ORDER BY " + column + order + ", id" + order;
}

base::Result<domain::Paged<domain::Index>> select_indexes(Connection& db, domain::AccountId account,
                                                          const domain::IndexFilter& filter,
                                                          const domain::Page& page) {
    const auto conditions = conditions_of(filter);
    domain::Paged<domain::Index> answer;
    if (conditions.matches_nothing) {
        return answer;
    }
    {
        Query query(db, "SELECT count(*) " + conditions.sql);
        bind_conditions(query, account, filter, conditions);
        KN_PASS(query.step());
        answer.total = query.integer(0);
    }
    Query query(db, "SELECT " + std::string(kIndexColumns) + " " + conditions.sql +
                        order_of(filter) + " LIMIT ? OFFSET ?");
    bind_conditions(query, account, filter, conditions);
    query.with(page.limit, page.offset());
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return answer;
        }
        KN_TRY(index, read_index(query));
        answer.items.push_back(std::move(index));
    }
}

}  // namespace

base::Status insert_index(WriteTurn& turn, const domain::Index& index) {
    KN_PASS(check_name_is_free(turn.db, index.account_id, index.index_name, index.id));
    const auto models = models_text(index.models);
    const auto addons = addons_text(index.addons);
    Query query(turn.db,
                "INSERT INTO indexes (id, account_id, index_name, models, model_options, "
                "model_families, addons, created_ms, updated_ms) VALUES (?,?,?,?,?,?,?,?,?)");
    query.with(index.id, index.account_id, std::string_view(index.index_name),
               std::string_view(models), model_option_bits(index.models),
               model_family_bits(index.models), std::string_view(addons), index.created_at,
               index.updated_at);
    KN_PASS(query.done());
    turn.changes.push_back({index.id, IndexAdded{index.account_id}});
    return {};
}

base::Result<domain::Index> find_index(Connection& db, domain::AccountId account,
                                       domain::IndexId id) {
    Query query(db, KN_SELECT(kIndexColumns, "FROM indexes WHERE id = ? AND account_id = ?"));
    KN_TRY(found, query.with(id, account).step());
    return found ? read_index(query) : not_exist(id, "indexes");
}

base::Result<domain::Paged<domain::Index>> list_indexes(Connection& db, domain::AccountId account,
                                                        const domain::IndexFilter& filter,
                                                        const domain::Page& page) {
    KN_PASS(Query(db, "BEGIN").done());
    auto answer = select_indexes(db, account, filter, page);
    KN_PASS(Query(db, "COMMIT").done());
    return answer;
}

base::Status rename_index(WriteTurn& turn, domain::AccountId account, domain::IndexId id,
                          std::string_view index_name) {
    KN_PASS(find_index(turn.db, account, id));
    KN_PASS(check_name_is_free(turn.db, account, index_name, id));
    Query query(turn.db, "UPDATE indexes SET index_name = ?, updated_ms = ? WHERE id = ?");
    return query.with(index_name, base::now(), id).done();
}

base::Status delete_index(WriteTurn& turn, domain::AccountId account, domain::IndexId id) {
    KN_PASS(find_index(turn.db, account, id));
    KN_PASS(Query(turn.db, "DELETE FROM indexes WHERE id = ?").with(id).done());
    KN_PASS(Query(turn.db, "INSERT INTO doomed_indexes VALUES (?)").with(id).done());
    turn.changes.push_back({id, IndexDropped{}});
    KN_PASS(clear_doomed_indexes(turn));
    return {};
}

base::Result<bool> clear_doomed_indexes(WriteTurn& turn) {
    domain::IndexId id;
    {
        Query query(turn.db, "SELECT id FROM doomed_indexes LIMIT 1");
        KN_TRY(found, query.step());
        if (!found) {
            return false;
        }
        id = query.id<domain::IndexId>(0);
    }
    std::int64_t last = 0;
    {
        Query query(turn.db,
                    "SELECT max(number), count(*) FROM (SELECT number FROM indexed_assets "
                    "WHERE index_id = ? ORDER BY number LIMIT ?)");
        KN_PASS(query.with(id, kRowsClearedAtOnce).step());
        last = query.integer(0);
        if (query.integer(1) < kRowsClearedAtOnce) {
            KN_PASS(Query(turn.db, "DELETE FROM doomed_indexes WHERE id = ?").with(id).done());
        }
    }
    const auto now = base::now();
    Query removals(turn.db,
                   "INSERT INTO jobs (id, kind, subject, attempts, run_at_ms, ready_ms) "
                   "SELECT randomblob(12), ?, 'indexed/' || lower(hex(id)) || '/', 0, ?, ? "
                   "FROM indexed_assets WHERE index_id = ? AND number <= ? ORDER BY number");
    KN_PASS(removals.with(domain::JobKind::remove_objects, now, now, id, last).done());
    Query rows(turn.db, "DELETE FROM indexed_assets WHERE index_id = ? AND number <= ?");
    KN_PASS(rows.with(id, last).done());
    Query query(turn.db, "SELECT 1 FROM doomed_indexes LIMIT 1");
    return query.step();
}

}  // namespace kinodex::store::sqlite
