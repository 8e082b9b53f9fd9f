// Entity collections and entities: people and things known by reference images.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/store.h"

namespace kinodex::service {

inline constexpr std::size_t kEntityNameCharsMax = 255;
inline constexpr std::size_t kEntityDescriptionCharsMax = 2000;
/// Entities of one bulk request, all of one commit; the bound of JSON bodies holds beside it.
inline constexpr std::size_t kEntitiesAtOnceMax = 100;

struct NewEntity {
    std::string name;
    std::optional<std::string> description;
    std::optional<domain::MetadataChange> metadata;
    std::vector<domain::AssetId> asset_ids;
};

class Entities {
  public:
    Entities(store::Store& store, std::function<void()> wake_workers)
        : store_(store.entities()), wake_workers_(std::move(wake_workers)) {}

    runtime::Asked<domain::EntityCollection> create_collection(domain::AccountId account,
                                                               std::string name,
                                                               std::string description);
    runtime::Asked<domain::EntityCollection> change_collection(
        domain::AccountId account, domain::EntityCollectionId id,
        domain::EntityCollectionChange change);

    /// Names 1 to 255 characters, descriptions up to 2000, 1 to 100 images. It is `processing`
    /// until they were looked at. Errors: parameter_invalid, and those of the store.
    runtime::Asked<domain::Entity> create(domain::AccountId account,
                                          domain::EntityCollectionId collection, NewEntity wanted);
    /// Each by itself, in one commit: an entity or its refusal, in order. What was refused while
    /// it was read comes back as it is.
    runtime::Asked<std::vector<base::Result<domain::Entity>>> create_many(
        domain::AccountId account, domain::EntityCollectionId collection,
        std::vector<base::Result<NewEntity>> wanted);
    runtime::Asked<domain::Entity> change(domain::AccountId account,
                                          domain::EntityCollectionId collection,
                                          domain::EntityId id, domain::EntityChange change);
    runtime::Asked<domain::Entity> add_assets(domain::AccountId account,
                                              domain::EntityCollectionId collection,
                                              domain::EntityId id,
                                              std::vector<domain::AssetId> assets);
    runtime::Asked<domain::Entity> remove_assets(domain::AccountId account,
                                                 domain::EntityCollectionId collection,
                                                 domain::EntityId id,
                                                 std::vector<domain::AssetId> assets);

    /// Reads and deletes need no rules of their own.
    [[nodiscard]] store::EntityStore& store() { return store_; }

  private:
    store::EntityStore& store_;
    std::function<void()> wake_workers_;
};

}  // namespace kinodex::service
