// The distinct id types. An index id can never be passed where an asset id is meant.
#pragma once

#include "base/id.h"

namespace kinodex::domain {

using AccountId = base::Id<struct AccountTag>;
using KeyId = base::Id<struct KeyTag>;
using AssetId = base::Id<struct AssetTag>;
using IndexId = base::Id<struct IndexTag>;
using IndexedAssetId = base::Id<struct IndexedAssetTag>;
using EntityCollectionId = base::Id<struct EntityCollectionTag>;
using EntityId = base::Id<struct EntityTag>;
using TaskId = base::Id<struct TaskTag>;
using JobId = base::Id<struct JobTag>;
using DeliveryId = base::Id<struct DeliveryTag>;
using UploadId = base::Id<struct UploadTag>;

}  // namespace kinodex::domain
