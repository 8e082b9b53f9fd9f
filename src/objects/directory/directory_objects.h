// The media store on a local directory.
//
// Layout under `root`: `drafts/` for what is being written, and `assets/<xx>/<id>/<name>` and
// `indexed/<xx>/<id>/<name>` for objects, where xx are the last two digits of the id (the first
// ones are time and would fill one folder at a time). An object in parts is one file of its final
// size, `.<name>.parts` beside where it will be. Blocking calls run on the given lane.
#pragma once

#include <memory>
#include <string>

#include "objects/objects.h"
#include "runtime/lane.h"

namespace kinodex::objects {

/// Makes the folders that are missing. `lane` must outlive the result and all it hands out.
/// Errors: internal with the reason, e.g. no permission.
base::Result<std::unique_ptr<Objects>> open_directory_objects(const std::string& root,
                                                              runtime::Lane& lane);

}  // namespace kinodex::objects
