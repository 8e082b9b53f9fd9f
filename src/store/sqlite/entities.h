// Entities in SQLite: what hands them out, and what other tables' writes tell them.
#pragma once

#include <memory>
#include <vector>

#include "store/entity_store.h"
#include "store/sqlite/access.h"

namespace kinodex::store::sqlite {

/// `access` must outlive the result.
std::unique_ptr<EntityStore> make_entity_store(Access& access);

/// Is the asset in fewer than kEntitiesOfAssetMax? Errors: parameter_invalid for asset_ids.
base::Status check_entities_left(Connection& db, domain::AssetId id);

// --- reference images: entity_references.cpp ---------------------------------------------------
/// In their order.
base::Result<std::vector<domain::AssetId>> asset_ids_of(Connection& db, domain::EntityId id);
base::Result<std::vector<domain::Reference>> reference_images_of(Connection& db,
                                                                 domain::EntityId id);
/// Behind those it has. No checks.
base::Status link_assets(Connection& db, domain::EntityId entity,
                         const std::vector<domain::AssetId>& assets);
/// Unless it waits for an image: then the end of that one's ingest comes here again.
base::Status queue_check(WriteTurn& turn, domain::EntityId id);
/// After its images changed: to be checked anew, or without any left nothing to check.
base::Status images_changed(WriteTurn& turn, domain::EntityId id, bool has_images);
/// An asset is ready or failed: entities that waited for nothing else are to be checked.
base::Status check_entities_of(WriteTurn& turn, domain::AssetId asset);
/// An asset is deleted: no entity has it any more.
base::Status unlink_from_entities(WriteTurn& turn, domain::AssetId asset);
// --- collections: entity_collections.cpp -------------------------------------------------------
/// Deletes some entities of deleted collections; true: more are left.
base::Result<bool> clear_doomed_collections(WriteTurn& turn);
base::Status insert_collection(WriteTurn& turn, const domain::EntityCollection& collection);
base::Result<domain::EntityCollection> find_collection(Connection& db, domain::AccountId account,
                                                       domain::EntityCollectionId id);
base::Result<domain::Paged<domain::EntityCollection>> list_collections(
    Connection& db, domain::AccountId account, const domain::EntityFilter& filter,
    const domain::Page& page);
base::Result<domain::EntityCollection> change_collection(
    WriteTurn& turn, domain::AccountId account, domain::EntityCollectionId id,
    const domain::EntityCollectionChange& change);
/// Gone for everybody at once; many entities leave rows for clear_doomed_collections.
base::Status delete_collection(WriteTurn& turn, domain::AccountId account,
                               domain::EntityCollectionId id);

// --- lists of things with names: entity_collections.cpp ----------------------------------------
/// A table of named things: `owner` is the column that a list is of, and there is an index
/// `<table>_by_created`, `_by_updated` and `_by_name`, each with all that a filter looks at.
struct NamedTable {
    std::string_view table;
    std::string_view owner;
};
/// The row numbers on a page and the exact total.
base::Result<domain::Paged<std::int64_t>> list_named(Connection& db, NamedTable of,
                                                     const base::IdBytes& owner,
                                                     const domain::EntityFilter& filter,
                                                     const domain::Page& page);

}  // namespace kinodex::store::sqlite
