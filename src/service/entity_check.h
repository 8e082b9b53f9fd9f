// The check of an entity: are there reference images that it can be known by?
#pragma once

#include "media/media.h"
#include "objects/objects.h"
#include "service/renditions.h"
#include "store/store.h"

namespace kinodex::service {

class EntityCheck {
  public:
    EntityCheck(store::Store& store, objects::Objects& objects, media::Media& media)
        : store_(store), objects_(objects), media_(media) {}

    /// The job of an entity that is `processing`. While one of its images still is, it ends at
    /// once: the end of that ingest queues another. Then every image is decoded; with one that can
    /// be used the entity becomes ready, else it stays as it is and says why.
    runtime::Task<Step> run(domain::EntityId id);

  private:
    runtime::Task<Step> look_at(const domain::Asset& asset);

    store::Store& store_;
    objects::Objects& objects_;
    media::Media& media_;
};

}  // namespace kinodex::service
