// The key pictures of an indexed asset's shots, as they were stored by indexing.
#pragma once

#include <string>

#include "domain/ids.h"
#include "objects/objects.h"

namespace kinodex::service {

/// The first shot's key picture, a JPEG. Errors: resource_not_exist when there is none.
runtime::Asked<std::string> first_shot_picture(objects::Objects& objects,
                                               domain::IndexedAssetId id);

}  // namespace kinodex::service
