// Objects that were put in place for something that was deleted while they were made.
#pragma once

#include "store/store.h"

namespace kinodex::service {

/// To be called once the objects are in place: the job that removes those of a deleted row may have
/// run before they came, so when the row is gone another one is queued. A row that is deleted later
/// brings its own.
runtime::Asked<void> remove_leftovers(store::Store& store, domain::AssetId id);
runtime::Asked<void> remove_leftovers(store::Store& store, domain::IndexedAssetId id);

}  // namespace kinodex::service
