// Entity collections and entities: the part of the store that keeps what is known by reference
// images. The promises are those of store.h.
//
// An entity is made `processing`; so it is again whenever reference images are added or removed.
// Its check_entity job is queued in the step after which none of its images is `processing` any
// more: that change itself, the end of the last one's ingest, or its deletion. Nobody has to poll,
// and many images of many entities make no more jobs than entities. Deleting an image makes the
// others no worse, so an entity that still has one to be known by stays `ready`.
#pragma once

#include <vector>

#include "domain/entity.h"
#include "domain/page.h"
#include "runtime/task.h"

namespace kinodex::store {

using runtime::Asked;

/// What a check looks at: an entity that is `processing`, and its reference images, all as of one
/// moment and in no order. `revision` changes with the set of images.
struct EntityInspection {
    domain::EntityStatus status = domain::EntityStatus::processing;
    std::int64_t revision = 0;
    std::vector<domain::Reference> references;
};

/// What it came to.
struct EntityVerdict {
    domain::EntityStatus status = domain::EntityStatus::ready;
    std::string error_message;  // why it is not ready
};

class EntityStore {
  public:
    virtual ~EntityStore() = default;

    // --- collections ------------------------------------------------------------------------
    virtual Asked<void> insert_collection(domain::EntityCollection collection) = 0;
    virtual Asked<domain::EntityCollection> find_collection(domain::AccountId account,
                                                            domain::EntityCollectionId id) = 0;
    /// Ties of the sort go by id, in the same direction.
    virtual Asked<domain::Paged<domain::EntityCollection>> list_collections(
        domain::AccountId account, domain::EntityFilter filter, domain::Page page) = 0;
    virtual Asked<domain::EntityCollection> change_collection(
        domain::AccountId account, domain::EntityCollectionId id,
        domain::EntityCollectionChange change) = 0;
    /// Its entities go with it; assets stay.
    virtual Asked<void> delete_collection(domain::AccountId account,
                                          domain::EntityCollectionId id) = 0;

    // --- entities ---------------------------------------------------------------------------
    /// Adds them in one step, each or not: an outcome for each, in order. Errors of the call:
    /// resource_not_exist for the collection. Of an entity: resource_not_exist for an asset, those
    /// of check_reference, parameter_invalid when an asset is in kEntitiesOfAssetMax already.
    virtual Asked<std::vector<base::Status>> insert_entities(
        domain::AccountId account, domain::EntityCollectionId collection,
        std::vector<domain::Entity> entities) = 0;
    virtual Asked<domain::Entity> find_entity(domain::AccountId account,
                                              domain::EntityCollectionId collection,
                                              domain::EntityId id) = 0;
    virtual Asked<domain::Paged<domain::Entity>> list_entities(
        domain::AccountId account, domain::EntityCollectionId collection,
        domain::EntityFilter filter, domain::Page page) = 0;
    /// Newest first. Errors: resource_not_exist for the asset.
    virtual Asked<domain::Paged<domain::Entity>> list_entities_of_asset(domain::AccountId account,
                                                                        domain::AssetId asset,
                                                                        domain::Page page) = 0;
    virtual Asked<domain::Entity> change_entity(domain::AccountId account,
                                                domain::EntityCollectionId collection,
                                                domain::EntityId id,
                                                domain::EntityChange change) = 0;
    virtual Asked<void> delete_entity(domain::AccountId account,
                                      domain::EntityCollectionId collection,
                                      domain::EntityId id) = 0;
    /// Those it has already are left out; the errors are those of inserting, and parameter_invalid
    /// beyond kEntityAssetsMax.
    virtual Asked<domain::Entity> add_entity_assets(domain::AccountId account,
                                                    domain::EntityCollectionId collection,
                                                    domain::EntityId id,
                                                    std::vector<domain::AssetId> assets) = 0;
    /// Those it does not have are ignored. Errors: parameter_invalid when none would be left.
    virtual Asked<domain::Entity> remove_entity_assets(domain::AccountId account,
                                                       domain::EntityCollectionId collection,
                                                       domain::EntityId id,
                                                       std::vector<domain::AssetId> assets) = 0;

    // --- the check, for workers: whatever the account ---------------------------------------
    virtual Asked<EntityInspection> inspect_entity(domain::EntityId id) = 0;
    /// False when the entity is gone, no longer `processing`, or has other images than inspected.
    virtual Asked<bool> settle_entity(domain::EntityId id, std::int64_t revision,
                                      EntityVerdict verdict) = 0;
};

}  // namespace kinodex::store
