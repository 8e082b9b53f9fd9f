#include "store/sqlite/entities.h"

#include <algorithm>

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/text_fold.h"

namespace kinodex::store::sqlite {
namespace {

using domain::Entity;
using domain::EntityStatus;
using Ids = std::vector<domain::AssetId>;

constexpr std::string_view kEntityColumns =
    "id, entity_collection_id, account_id, name, description, metadata, status, error_message, "
    "created_ms, updated_ms FROM entities";
constexpr NamedTable kEntities{"entities", "entity_collection_id"};

std::unexpected<base::Error> refuse_assets(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "asset_ids"}, {"reason", std::move(reason)}});
}

base::Result<Entity> read_entity(Connection& db, const Query& query) {
    Entity entity;
    entity.id = query.id<domain::EntityId>(0);
    entity.entity_collection_id = query.id<domain::EntityCollectionId>(1);
    entity.account_id = query.id<domain::AccountId>(2);
    entity.name = query.text(3);
    entity.description = query.text(4);
    KN_TRY(metadata, domain::parse_metadata(query.text(5)));
    entity.metadata = std::move(metadata);
    entity.status = query.word<EntityStatus>(6);
    entity.error_message = query.text(7);
    entity.created_at = query.time(8);
    entity.updated_at = query.time(9);
    KN_TRY(ids, asset_ids_of(db, entity.id));
    entity.asset_ids = std::move(ids);
    return entity;
}

base::Result<Entity> find(Connection& db, domain::AccountId account,
                          domain::EntityCollectionId collection, domain::EntityId id) {
    KN_PASS(find_collection(db, account, collection));
    Query query(db, KN_SELECT(kEntityColumns, "WHERE id = ? AND entity_collection_id = ?"));
    KN_TRY(found, query.with(id, collection).step());
    return found ? read_entity(db, query) : not_exist(id, "entities");
}

/// May the asset become an image of one more entity?
base::Status check_link(Connection& db, domain::AccountId account, domain::AssetId id) {
    KN_TRY(asset, find_asset(db, account, id));
    KN_PASS(domain::check_reference(domain::reference_of(asset)));
    return check_entities_left(db, id);
}

base::Status insert_one(WriteTurn& turn, const Entity& entity) {
    for (const auto& asset : entity.asset_ids) {
        KN_PASS(check_link(turn.db, entity.account_id, asset));
    }
    const auto folded = fold(entity.name);
    const auto metadata = domain::metadata_json(entity.metadata);
    Query query(turn.db,
                "INSERT INTO entities (id, entity_collection_id, account_id, name, name_folded, "
                "description, metadata, status, error_message, created_ms, updated_ms, revision) "
                "VALUES (?,?,?,?,?,?,?,?,'',?,?,0)");
    query.with(entity.id, entity.entity_collection_id, entity.account_id,
               std::string_view(entity.name), std::string_view(folded),
               std::string_view(entity.description), std::string_view(metadata),
               EntityStatus::processing, entity.created_at, entity.updated_at);
    KN_PASS(query.done());
    KN_PASS(link_assets(turn.db, entity.id, entity.asset_ids));
    return queue_check(turn, entity.id);
}

bool is_refusal(const base::Error& error) {
    return error.code == base::Errc::parameter_invalid ||
           error.code == base::Errc::resource_not_exist;
}

base::Result<std::vector<base::Status>> insert_all(WriteTurn& turn, domain::AccountId account,
                                                   domain::EntityCollectionId collection,
                                                   const std::vector<Entity>& entities) {
    KN_PASS(find_collection(turn.db, account, collection));
    std::vector<base::Status> outcomes;
    for (const auto& entity : entities) {
        auto outcome = insert_one(turn, entity);  // a refusal comes before it writes anything
        if (!outcome && !is_refusal(outcome.error())) {
            return std::unexpected(std::move(outcome).error());
        }
        outcomes.push_back(std::move(outcome));
    }
    return outcomes;
}

base::Result<domain::Paged<Entity>> list(Connection& db, domain::AccountId account,
                                         domain::EntityCollectionId collection,
                                         const domain::EntityFilter& filter,
                                         const domain::Page& page) {
    KN_PASS(find_collection(db, account, collection));
    KN_TRY(numbers, list_named(db, kEntities, collection.bytes(), filter, page));
    domain::Paged<Entity> answer{{}, numbers.total};
    for (const auto number : numbers.items) {
        Query query(db, KN_SELECT(kEntityColumns, "WHERE number = ?"));
        KN_PASS(query.with(number).step());
        KN_TRY(entity, read_entity(db, query));
        answer.items.push_back(std::move(entity));
    }
    return answer;
}

base::Result<domain::Paged<Entity>> list_of_asset(Connection& db, domain::AccountId account,
                                                  domain::AssetId asset, const domain::Page& page) {
    KN_PASS(find_asset(db, account, asset));
    domain::Paged<Entity> answer;
    {
        Query query(db,
                    "SELECT count(*) FROM entity_assets a JOIN entities e ON e.id = a.entity_id "
                    "WHERE a.asset_id = ? AND e.entity_collection_id IN "
                    "(SELECT id FROM entity_collections)");
        KN_PASS(query.with(asset).step());
        answer.total = query.integer(0);
    }
    Query query(db,
                KN_SELECT(kEntityColumns,
                          "WHERE id IN (SELECT entity_id FROM entity_assets WHERE asset_id = ?) "
                          "AND entity_collection_id IN (SELECT id FROM entity_collections) "
                          "ORDER BY id DESC LIMIT ? OFFSET ?"));
    query.with(asset, page.limit, page.offset());
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return answer;
        }
        KN_TRY(entity, read_entity(db, query));
        answer.items.push_back(std::move(entity));
    }
}

base::Result<Entity> change(WriteTurn& turn, domain::AccountId account,
                            domain::EntityCollectionId collection, domain::EntityId id,
                            const domain::EntityChange& wanted) {
    KN_TRY(entity, find(turn.db, account, collection, id));
    if (!wanted.name && !wanted.description && !wanted.metadata) {
        return entity;
    }
    entity.name = wanted.name.value_or(entity.name);
    entity.description = wanted.description.value_or(entity.description);
    if (wanted.metadata) {
        KN_TRY(metadata, domain::apply_change(entity.metadata, *wanted.metadata, "metadata"));
        entity.metadata = std::move(metadata);
    }
    entity.updated_at = base::now();
    const auto folded = fold(entity.name);
    const auto metadata = domain::metadata_json(entity.metadata);
    Query query(turn.db,
                "UPDATE entities SET name = ?, name_folded = ?, description = ?, metadata = ?, "
                "updated_ms = ? WHERE id = ?");
    query.with(std::string_view(entity.name), std::string_view(folded),
               std::string_view(entity.description), std::string_view(metadata), entity.updated_at,
               id);
    KN_PASS(query.done());
    return entity;
}

base::Status remove(WriteTurn& turn, domain::AccountId account,
                    domain::EntityCollectionId collection, domain::EntityId id) {
    KN_PASS(find(turn.db, account, collection, id));
    KN_PASS(Query(turn.db, "DELETE FROM entity_assets WHERE entity_id = ?").with(id).done());
    return Query(turn.db, "DELETE FROM entities WHERE id = ?").with(id).done();
}

base::Result<Entity> add_assets(WriteTurn& turn, domain::AccountId account,
                                domain::EntityCollectionId collection, domain::EntityId id,
                                Ids assets) {
    KN_TRY(entity, find(turn.db, account, collection, id));
    std::erase_if(assets, [&](const domain::AssetId& each) {
        return std::ranges::find(entity.asset_ids, each) != entity.asset_ids.end();
    });
    if (assets.empty()) {
        return entity;
    }
    if (entity.asset_ids.size() + assets.size() > domain::kEntityAssetsMax) {
        return refuse_assets("An entity can have at most " +
                             std::to_string(domain::kEntityAssetsMax) + " assets.");
    }
    for (const auto& asset : assets) {
        KN_PASS(check_link(turn.db, account, asset));
    }
    KN_PASS(link_assets(turn.db, id, assets));
    KN_PASS(images_changed(turn, id, true));
    return find(turn.db, account, collection, id);
}

base::Result<Entity> remove_assets(WriteTurn& turn, domain::AccountId account,
                                   domain::EntityCollectionId collection, domain::EntityId id,
                                   const Ids& assets) {
    KN_TRY(entity, find(turn.db, account, collection, id));
    const auto leaves = [&](const domain::AssetId& each) {
        return std::ranges::find(assets, each) != assets.end();
    };
    const auto leaving = std::ranges::count_if(entity.asset_ids, leaves);
    if (leaving == 0) {
        return entity;
    }
    if (std::cmp_equal(leaving, entity.asset_ids.size())) {
        return refuse_assets("An entity must keep at least one asset.");
    }
    for (const auto& asset : assets) {
        Query query(turn.db, "DELETE FROM entity_assets WHERE entity_id = ? AND asset_id = ?");
        KN_PASS(query.with(id, asset).done());
    }
    KN_PASS(images_changed(turn, id, true));
    return find(turn.db, account, collection, id);
}

base::Result<EntityInspection> inspect(Connection& db, domain::EntityId id) {
    EntityInspection inspection;
    {
        Query query(db,
                    "SELECT status, revision FROM entities WHERE id = ? AND "
                    "entity_collection_id IN (SELECT id FROM entity_collections)");
        KN_TRY(found, query.with(id).step());
        if (!found) {
            return not_exist(id, "entities");
        }
        inspection.status = query.word<EntityStatus>(0);
        inspection.revision = query.integer(1);
    }
    KN_TRY(references, reference_images_of(db, id));
    inspection.references = std::move(references);
    return inspection;
}

base::Result<bool> settle(WriteTurn& turn, domain::EntityId id, std::int64_t revision,
                          const EntityVerdict& verdict) {
    Query query(turn.db,
                "UPDATE entities SET status = ?, error_message = ?, updated_ms = ? "
                "WHERE id = ? AND revision = ? AND status = ?");
    query.with(verdict.status, std::string_view(verdict.error_message), base::now(), id, revision,
               EntityStatus::processing);
    KN_PASS(query.done());
    return rows_changed(turn.db) > 0;
}

/// One transaction, so that all that `read` sees is of the same moment.
template <class Read>
auto at_one_moment(Connection& db, const Read& read) -> decltype(read()) {
    KN_PASS(Query(db, "BEGIN").done());
    auto answer = read();
    KN_PASS(Query(db, "COMMIT").done());
    return answer;
}

class SqliteEntities : public EntityStore {
  public:
    explicit SqliteEntities(Access& access) : access_(access) {}

    Asked<void> insert_collection(domain::EntityCollection collection) override {
        return access_.write<void>([collection = std::move(collection)](WriteTurn& turn) {
            return sqlite::insert_collection(turn, collection);
        });
    }
    Asked<domain::EntityCollection> find_collection(domain::AccountId account,
                                                    domain::EntityCollectionId id) override {
        return access_.read<domain::EntityCollection>(
            [account, id](Connection& db) { return sqlite::find_collection(db, account, id); });
    }
    Asked<domain::Paged<domain::EntityCollection>> list_collections(domain::AccountId account,
                                                                    domain::EntityFilter filter,
                                                                    domain::Page page) override {
        return access_.read<domain::Paged<domain::EntityCollection>>(
            [account, page, filter = std::move(filter)](Connection& db) {
                return sqlite::list_collections(db, account, filter, page);
            });
    }
    Asked<domain::EntityCollection> change_collection(
        domain::AccountId account, domain::EntityCollectionId id,
        domain::EntityCollectionChange change) override {
        return access_.write<domain::EntityCollection>(
            [account, id, change = std::move(change)](WriteTurn& turn) {
                return sqlite::change_collection(turn, account, id, change);
            });
    }
    Asked<void> delete_collection(domain::AccountId account,
                                  domain::EntityCollectionId id) override {
        auto work = [account, id](WriteTurn& turn) {
            return sqlite::delete_collection(turn, account, id);
        };
        auto outcome = co_await access_.write<void>(std::move(work));
        access_.repeat(&clear_doomed_collections);
        co_return outcome;
    }
    Asked<std::vector<base::Status>> insert_entities(domain::AccountId account,
                                                     domain::EntityCollectionId collection,
                                                     std::vector<Entity> entities) override {
        return access_.write<std::vector<base::Status>>(
            [account, collection, entities = std::move(entities)](WriteTurn& turn) {
                return insert_all(turn, account, collection, entities);
            });
    }
    Asked<Entity> find_entity(domain::AccountId account, domain::EntityCollectionId collection,
                              domain::EntityId id) override {
        return access_.read<Entity>([account, collection, id](Connection& db) {
            return at_one_moment(db, [&] { return find(db, account, collection, id); });
        });
    }
    Asked<domain::Paged<Entity>> list_entities(domain::AccountId account,
                                               domain::EntityCollectionId collection,
                                               domain::EntityFilter filter,
                                               domain::Page page) override {
        return access_.read<domain::Paged<Entity>>([account, collection, page,
                                                    filter = std::move(filter)](Connection& db) {
            return at_one_moment(db, [&] { return list(db, account, collection, filter, page); });
        });
    }
    Asked<domain::Paged<Entity>> list_entities_of_asset(domain::AccountId account,
                                                        domain::AssetId asset,
                                                        domain::Page page) override {
        return access_.read<domain::Paged<Entity>>([account, asset, page](Connection& db) {
            return at_one_moment(db, [&] { return list_of_asset(db, account, asset, page); });
        });
    }
    Asked<Entity> change_entity(domain::AccountId account, domain::EntityCollectionId collection,
                                domain::EntityId id, domain::EntityChange change) override {
        return access_.write<Entity>(
            [account, collection, id, change = std::move(change)](WriteTurn& turn) {
                return sqlite::change(turn, account, collection, id, change);
            });
    }
    Asked<void> delete_entity(domain::AccountId account, domain::EntityCollectionId collection,
                              domain::EntityId id) override {
        return access_.write<void>([account, collection, id](WriteTurn& turn) {
            return remove(turn, account, collection, id);
        });
    }
    Asked<Entity> add_entity_assets(domain::AccountId account,
                                    domain::EntityCollectionId collection, domain::EntityId id,
                                    Ids assets) override {
        return access_.write<Entity>(
            [account, collection, id, assets = std::move(assets)](WriteTurn& turn) {
                return add_assets(turn, account, collection, id, assets);
            });
    }
    Asked<Entity> remove_entity_assets(domain::AccountId account,
                                       domain::EntityCollectionId collection, domain::EntityId id,
                                       Ids assets) override {
        return access_.write<Entity>(
            [account, collection, id, assets = std::move(assets)](WriteTurn& turn) {
                return remove_assets(turn, account, collection, id, assets);
            });
    }
    Asked<EntityInspection> inspect_entity(domain::EntityId id) override {
        return access_.read<EntityInspection>(
            [id](Connection& db) { return at_one_moment(db, [&] { return inspect(db, id); }); });
    }
    Asked<bool> settle_entity(domain::EntityId id, std::int64_t revision,
                              EntityVerdict verdict) override {
        return access_.write<bool>([id, revision, verdict = std::move(verdict)](WriteTurn& turn) {
            return settle(turn, id, revision, verdict);
        });
    }

  private:
    Access& access_;
};

}  // namespace

std::unique_ptr<EntityStore> make_entity_store(Access& access) {
    access.repeat(&clear_doomed_collections);  // what an earlier process left
    return std::make_unique<SqliteEntities>(access);
}

base::Status check_entities_left(Connection& db, domain::AssetId id) {
    Query query(db,
                "SELECT count(*) FROM (SELECT 1 FROM entity_assets WHERE asset_id = ? LIMIT ?)");
    KN_PASS(query.with(id, domain::kEntitiesOfAssetMax).step());
    if (query.integer(0) >= domain::kEntitiesOfAssetMax) {
        return refuse_assets("Asset `" + id.text() + "` is in " +
                             std::to_string(domain::kEntitiesOfAssetMax) +
                             " entities already, and can be in no more.");
    }
    return {};
}

}  // namespace kinodex::store::sqlite
