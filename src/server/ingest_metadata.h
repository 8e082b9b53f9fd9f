// What `kinodex ingest` knows of files besides their bytes: a CSV table, and JSON beside them.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kinodex::server {

/// User metadata as the text of a JSON object, by path below the folder.
using MetadataByPath = std::map<std::string, std::string>;

/// A table whose first row names the keys and whose column `path` says which file a row is about.
/// true, false and numbers that are written as the server writes them keep their types, all else is
/// text; an empty cell gives no key. A byte order mark is skipped.
/// Source: RFC 4180. Errors: parameter_invalid with a reason that names the row.
base::Result<MetadataByPath> parse_metadata_table(std::string_view csv);

/// The JSON object of "<file>.json" or, for "clip.mp4", "clip.json" beside the file; empty when
/// there is neither. Errors: parameter_invalid with a reason when it is no object of scalars.
base::Result<std::string> sidecar_metadata(const std::string& file_path);

}  // namespace kinodex::server
