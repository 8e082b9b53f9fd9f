// The check of an entity: are there reference images that it can be known by?
//
// It opens no media: every ready image was decoded when it was examined, and its row has what that
// came to. So a check is some rows read and one written, however many entities share an image.
#pragma once

#include "service/renditions.h"
#include "store/store.h"

namespace kinodex::service {

class EntityCheck {
  public:
    explicit EntityCheck(store::Store& store) : store_(store) {}

    /// The job of an entity that is `processing`. While one of its images still is, it ends at
    /// once: the end of that ingest queues another. With one image that can be used the entity
    /// becomes ready, else it stays as it is and says why.
    runtime::Task<Step> run(domain::EntityId id);

  private:
    store::Store& store_;
};

}  // namespace kinodex::service
