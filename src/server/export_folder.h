// The layout of an export: a folder that people and programs can read.
//
//     export.json          what it is: format, account, index, when, how many rows and objects
//     assets.jsonl, …      one row a line, a file for each kind of row
//     media/<key>          every object under its key, e.g. media/assets/<id>/source
//     SHA256SUMS           of every file above, as `sha256sum -c` reads it
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/sha256.h"

namespace kinodex::server {

inline constexpr std::int64_t kExportFormat = 1;

struct ExportNote {
    std::string account_name;
    std::string index_id;  // empty: the whole account
    std::map<std::string, std::int64_t> rows;
    std::int64_t objects = 0;
    std::int64_t bytes = 0;
};

std::string note_json(const ExportNote& note);
/// Errors: parameter_invalid with a reason.
base::Result<ExportNote> read_note(const std::string& folder);

using Sums = std::map<std::string, base::Digest>;  // by path below the folder
std::string sums_text(const Sums& sums);
/// Errors: parameter_invalid with a reason, also for a path that leads out of the folder.
base::Result<Sums> read_sums(const std::string& folder);

/// Writes a whole new file. Errors: internal, storage_full.
base::Status write_text(const std::string& path, const std::string& text);
/// Reads a whole file of at most `limit_bytes`.
base::Result<std::string> read_text(const std::string& path, std::size_t limit_bytes);
std::unexpected<base::Error> refuse_export(std::string reason);

}  // namespace kinodex::server
