#include "service/entities.h"

#include <algorithm>

#include "service/names.h"

namespace kinodex::service {
namespace {

using domain::Entity;

base::Status check_name(std::string_view name) {
    return check_line("name", name, kEntityNameCharsMax);
}

base::Status check_description(std::string_view description) {
    return check_text("description", description, kEntityDescriptionCharsMax);
}

/// For both kinds of change.
template <class Change>
base::Status check_change(const Change& change) {
    if (change.name) {
        KN_PASS(check_name(*change.name));
    }
    return change.description ? check_description(*change.description) : base::Status{};
}

/// Each once, in order. Errors: parameter_invalid unless there are 1 to kEntityAssetsMax.
base::Result<std::vector<domain::AssetId>> distinct(const std::vector<domain::AssetId>& assets) {
    std::vector<domain::AssetId> once;
    for (const auto& asset : assets) {
        if (std::ranges::find(once, asset) == once.end()) {
            once.push_back(asset);
        }
        if (once.size() > domain::kEntityAssetsMax) {
            break;
        }
    }
    if (once.empty() || once.size() > domain::kEntityAssetsMax) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", "asset_ids"},
                           {"reason", "It must hold 1 to " +
                                          std::to_string(domain::kEntityAssetsMax) + " assets."}});
    }
    return once;
}

base::Result<Entity> entity_of(domain::AccountId account, domain::EntityCollectionId collection,
                               NewEntity wanted) {
    KN_PASS(check_name(wanted.name));
    Entity entity;
    if (wanted.description) {
        KN_PASS(check_description(*wanted.description));
        entity.description = std::move(*wanted.description);
    }
    KN_TRY(asset_ids, distinct(wanted.asset_ids));
    entity.asset_ids = std::move(asset_ids);
    if (wanted.metadata) {
        KN_TRY(metadata, domain::apply_change({}, *wanted.metadata, "metadata"));
        entity.metadata = std::move(metadata);
    }
    entity.id = domain::EntityId::next();
    entity.entity_collection_id = collection;
    entity.account_id = account;
    entity.name = std::move(wanted.name);
    entity.created_at = base::now();
    entity.updated_at = entity.created_at;
    return entity;
}

}  // namespace

runtime::Asked<domain::EntityCollection> Entities::create_collection(domain::AccountId account,
                                                                     std::string name,
                                                                     std::string description) {
    KN_CO_PASS(check_name(name));
    KN_CO_PASS(check_description(description));
    domain::EntityCollection collection;
    collection.id = domain::EntityCollectionId::next();
    collection.account_id = account;
    collection.name = std::move(name);
    collection.description = std::move(description);
    collection.created_at = base::now();
    collection.updated_at = collection.created_at;
    KN_CO_PASS(co_await store_.insert_collection(collection));
    co_return collection;
}

runtime::Asked<domain::EntityCollection> Entities::change_collection(
    domain::AccountId account, domain::EntityCollectionId id,
    domain::EntityCollectionChange change) {
    KN_CO_PASS(check_change(change));
    co_return co_await store_.change_collection(account, id, std::move(change));
}

runtime::Asked<Entity> Entities::create(domain::AccountId account,
                                        domain::EntityCollectionId collection, NewEntity wanted) {
    std::vector<base::Result<NewEntity>> one;
    one.emplace_back(std::move(wanted));
    KN_CO_TRY(made, co_await create_many(account, collection, std::move(one)));
    co_return std::move(made.front());
}

runtime::Asked<std::vector<base::Result<Entity>>> Entities::create_many(
    domain::AccountId account, domain::EntityCollectionId collection,
    std::vector<base::Result<NewEntity>> wanted) {
    std::vector<base::Result<Entity>> answers;
    std::vector<Entity> entities;
    for (auto& each : wanted) {
        auto entity = each ? entity_of(account, collection, std::move(*each))
                           : base::Result<Entity>(std::unexpected(std::move(each).error()));
        if (entity) {
            entities.push_back(*entity);
        }
        answers.push_back(std::move(entity));
    }
    KN_CO_TRY(outcomes, co_await store_.insert_entities(account, collection, std::move(entities)));
    auto outcome = outcomes.begin();
    for (auto& answer : answers) {
        if (answer && !*outcome++) {
            answer = std::unexpected(std::move(*std::prev(outcome)).error());
        }
    }
    wake_workers_();
    co_return answers;
}

runtime::Asked<Entity> Entities::change(domain::AccountId account,
                                        domain::EntityCollectionId collection, domain::EntityId id,
                                        domain::EntityChange change) {
    KN_CO_PASS(check_change(change));
    co_return co_await store_.change_entity(account, collection, id, std::move(change));
}

runtime::Asked<Entity> Entities::add_assets(domain::AccountId account,
                                            domain::EntityCollectionId collection,
                                            domain::EntityId id,
                                            std::vector<domain::AssetId> assets) {
    KN_CO_TRY(once, distinct(assets));
    KN_CO_TRY(entity, co_await store_.add_entity_assets(account, collection, id, std::move(once)));
    wake_workers_();
    co_return entity;
}

runtime::Asked<Entity> Entities::remove_assets(domain::AccountId account,
                                               domain::EntityCollectionId collection,
                                               domain::EntityId id,
                                               std::vector<domain::AssetId> assets) {
    KN_CO_TRY(once, distinct(assets));
    KN_CO_TRY(entity,
              co_await store_.remove_entity_assets(account, collection, id, std::move(once)));
    wake_workers_();
    co_return entity;
}

}  // namespace kinodex::service
