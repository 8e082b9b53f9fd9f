// The files of a folder tree that `kinodex ingest` brings, and those that it cannot.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace kinodex::server {

struct IngestFile {
    std::string path;  // on disk
    std::string name;  // below the folder: the asset's filename
    std::uint64_t size_bytes = 0;
    std::string metadata;  // JSON object; empty: none
};

struct IngestProblem {
    std::string name;  // below the folder
    std::string reason;
};

struct IngestFiles {
    std::vector<IngestFile> files;  // by name
    std::vector<IngestProblem> unreadable;
};

/// Every regular file below the folder: no hidden ones, no JSON, not the table. A symlink to a file
/// is taken as that file, one to a folder is not followed; an entry that cannot be looked at, or a
/// folder that cannot be read, is a problem of its own. Errors: parameter_invalid with a reason
/// when the folder itself cannot be read.
base::Result<IngestFiles> files_below(const std::string& folder, const std::string& table_path);

}  // namespace kinodex::server
