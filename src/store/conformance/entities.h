// What tests of entities stand on: collections, images and entities, stored.
#pragma once

#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {

class EntityConformance : public StoreConformance {
  protected:
    using Ids = std::vector<domain::AssetId>;

    EntityStore& entities() { return store().entities(); }

    domain::EntityCollection add_collection(const std::string& name = "people");
    /// A ready picture of 640x480.
    domain::AssetId add_image();
    /// Ends the ingest of an asset that is `processing`.
    void finish(domain::AssetId id, domain::AssetType type,
                domain::AssetStatus status = domain::AssetStatus::ready);
    /// Not stored yet.
    domain::Entity new_entity(const domain::EntityCollection& collection, Ids assets,
                              const std::string& name = "Anna");
    domain::Entity add_entity(const domain::EntityCollection& collection, Ids assets,
                              const std::string& name = "Anna");
    domain::Entity found(const domain::Entity& entity);
    /// What the check does when it has looked.
    void settle(const domain::Entity& entity, const EntityVerdict& verdict = {});
    /// Why an entity of these assets is not added.
    base::Error refusal(const domain::EntityCollection& collection, Ids assets);
    /// The total, then the names on the page.
    std::vector<std::string> names(const domain::EntityCollection& collection,
                                   const domain::EntityFilter& filter,
                                   const domain::Page& page = {1, 50});
};

}  // namespace kinodex::store::conformance
