#include <fmt/format.h>

#include "store/sqlite/entities.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/text_fold.h"

namespace kinodex::store::sqlite {
namespace {

/// Every other write waits while some are deleted: this many take about 10 ms.
constexpr std::int64_t kEntitiesClearedAtOnce = 200;

constexpr std::string_view kCollectionColumns =
    "id, account_id, name, description, created_ms, updated_ms FROM entity_collections";
constexpr NamedTable kCollections{"entity_collections", "account_id"};

domain::EntityCollection read_collection(const Query& query) {
    domain::EntityCollection collection;
    collection.id = query.id<domain::EntityCollectionId>(0);
    collection.account_id = query.id<domain::AccountId>(1);
    collection.name = query.text(2);
    collection.description = query.text(3);
    collection.created_at = query.time(4);
    collection.updated_at = query.time(5);
    return collection;
}

struct Order {
    std::string_view index;   // the end of its name
    std::string_view column;  // before the id
};

Order order_of(domain::EntitySortBy sort_by) {
    switch (sort_by) {
        case domain::EntitySortBy::created_at:
            return {"created", "created_ms"};
        case domain::EntitySortBy::updated_at:
            return {"updated", "updated_ms"};
        case domain::EntitySortBy::name:
            break;
    }
    return {"name", "name_folded"};
}

base::Result<domain::Paged<domain::EntityCollection>> read_page(
    Connection& db, const domain::Paged<std::int64_t>& numbers) {
    domain::Paged<domain::EntityCollection> answer{{}, numbers.total};
    for (const auto number : numbers.items) {
        Query query(db, KN_SELECT(kCollectionColumns, "WHERE number = ?"));
        KN_PASS(query.with(number).step());
        answer.items.push_back(read_collection(query));
    }
    return answer;
}

}  // namespace

base::Result<domain::Paged<std::int64_t>> list_named(Connection& db, NamedTable of,
                                                     const base::IdBytes& owner,
                                                     const domain::EntityFilter& filter,
                                                     const domain::Page& page) {
    const auto part = fold(filter.name_part);
    const auto order = order_of(filter.sort_by);
    const auto from = fmt::format("FROM {0} INDEXED BY {0}_by_{1} WHERE {2} = ?{3}{4}", of.table,
                                  order.index, of.owner, filter.status ? " AND status = ?" : "",
                                  part.empty() ? "" : " AND instr(name_folded, ?) > 0");
    const auto bind = [&](Query& query) {
        query.add_id(owner);
        if (filter.status) {
            query.add(*filter.status);
        }
        if (!part.empty()) {
            query.add(std::string_view(part));
        }
    };
    domain::Paged<std::int64_t> answer;
    {
        Query query(db, "SELECT count(*) " + from);
        bind(query);
        KN_PASS(query.step());
        answer.total = query.integer(0);
    }
    if (page.offset() >= answer.total) {
        return answer;
    }
    const std::string way = filter.order == domain::SortOrder::asc ? "ASC" : "DESC";
    Query query(db, fmt::format("SELECT number {0} ORDER BY {1} {2}, id {2} LIMIT ? OFFSET ?", from,
                                order.column, way));
    bind(query);
    query.with(page.limit, page.offset());
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return answer;
        }
        answer.items.push_back(query.integer(0));
    }
}

base::Status insert_collection(WriteTurn& turn, const domain::EntityCollection& collection) {
    const auto folded = fold(collection.name);
    Query query(turn.db,
                "INSERT INTO entity_collections (id, account_id, name, name_folded, description, "
                "created_ms, updated_ms) VALUES (?,?,?,?,?,?,?)");
    query.with(collection.id, collection.account_id, std::string_view(collection.name),
               std::string_view(folded), std::string_view(collection.description),
               collection.created_at, collection.updated_at);
    return query.done();
}

base::Result<domain::EntityCollection> find_collection(Connection& db, domain::AccountId account,
                                                       domain::EntityCollectionId id) {
    Query query(db, KN_SELECT(kCollectionColumns, "WHERE id = ? AND account_id = ?"));
    KN_TRY(found, query.with(id, account).step());
    return found ? base::Result<domain::EntityCollection>(read_collection(query))
                 : not_exist(id, "entity-collections");
}

base::Result<domain::Paged<domain::EntityCollection>> list_collections(
    Connection& db, domain::AccountId account, const domain::EntityFilter& filter,
    const domain::Page& page) {
    // One transaction, so that total and items are of the same moment.
    KN_PASS(Query(db, "BEGIN").done());
    auto read = [&]() -> base::Result<domain::Paged<domain::EntityCollection>> {
        KN_TRY(numbers, list_named(db, kCollections, account.bytes(), filter, page));
        return read_page(db, numbers);
    };
    auto answer = read();
    KN_PASS(Query(db, "COMMIT").done());
    return answer;
}

base::Result<domain::EntityCollection> change_collection(
    WriteTurn& turn, domain::AccountId account, domain::EntityCollectionId id,
    const domain::EntityCollectionChange& change) {
    KN_TRY(collection, find_collection(turn.db, account, id));
    if (!change.name && !change.description) {
        return collection;
    }
    collection.name = change.name.value_or(collection.name);
    collection.description = change.description.value_or(collection.description);
    collection.updated_at = base::now();
    const auto folded = fold(collection.name);
    Query query(turn.db,
                "UPDATE entity_collections SET name = ?, name_folded = ?, description = ?, "
                "updated_ms = ? WHERE id = ?");
    query.with(std::string_view(collection.name), std::string_view(folded),
               std::string_view(collection.description), collection.updated_at, id);
    KN_PASS(query.done());
    return collection;
}

base::Status delete_collection(WriteTurn& turn, domain::AccountId account,
                               domain::EntityCollectionId id) {
    KN_PASS(find_collection(turn.db, account, id));
    KN_PASS(Query(turn.db, "DELETE FROM entity_collections WHERE id = ?").with(id).done());
    KN_PASS(Query(turn.db, "INSERT INTO doomed_collections VALUES (?)").with(id).done());
    KN_PASS(clear_doomed_collections(turn));
    return {};
}

base::Result<bool> clear_doomed_collections(WriteTurn& turn) {
    domain::EntityCollectionId id;
    {
        Query query(turn.db, "SELECT id FROM doomed_collections LIMIT 1");
        KN_TRY(found, query.step());
        if (!found) {
            return false;
        }
        id = query.id<domain::EntityCollectionId>(0);
    }
    Query links(turn.db,
                "DELETE FROM entity_assets WHERE entity_id IN (SELECT id FROM entities "
                "WHERE entity_collection_id = ? ORDER BY created_ms, id LIMIT ?)");
    KN_PASS(links.with(id, kEntitiesClearedAtOnce).done());
    Query rows(turn.db,
               "DELETE FROM entities WHERE number IN (SELECT number FROM entities "
               "WHERE entity_collection_id = ? ORDER BY created_ms, id LIMIT ?)");
    KN_PASS(rows.with(id, kEntitiesClearedAtOnce).done());
    if (rows_changed(turn.db) < kEntitiesClearedAtOnce) {
        KN_PASS(Query(turn.db, "DELETE FROM doomed_collections WHERE id = ?").with(id).done());
    }
    Query query(turn.db, "SELECT 1 FROM doomed_collections LIMIT 1");
    return query.step();
}

}  // namespace kinodex::store::sqlite
