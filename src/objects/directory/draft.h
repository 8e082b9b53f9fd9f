// A file being written under drafts/, and its way into place.
#pragma once

#include <memory>
#include <string>

#include "objects/objects.h"
#include "runtime/lane.h"

namespace kinodex::objects {

/// Creates the draft file. Blocking: on a lane.
base::Result<std::unique_ptr<Draft>> create_draft(const std::string& root, runtime::Lane& lane);

/// Where the object of a key lives, or nullopt when it is no key.
std::optional<std::string> object_path(const std::string& root, std::string_view key);
/// The folder of everything under a prefix such as "assets/<id>/".
std::optional<std::string> owner_path(const std::string& root, std::string_view prefix);

}  // namespace kinodex::objects
