// The data directory: where everything is kept, and that only one server uses it.
//
// Layout: kinodex.db (metadata), media/ (objects), media.key (signs media URLs), lock.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "service/signer.h"

namespace kinodex::server {

struct DataDir {
    std::string path;
    base::UniqueFd lock;  // held while the server lives; empty when not asked for

    [[nodiscard]] std::string database() const { return path + "/kinodex.db"; }
    [[nodiscard]] std::string media() const { return path + "/media"; }
};

/// alone: takes the lock. shared: beside a server. existing: shared, and there must be a database,
/// so that a mistyped path makes none and is not answered with its emptiness.
enum class Use { alone, shared, existing };

/// Makes the directory when it is missing, except for `existing`. Errors: internal, with a detail
/// that says what to do.
base::Result<DataDir> open_data_dir(const std::string& path, Use use);

/// The key that signs media URLs, made at first start. Errors: internal, storage_full.
base::Result<service::SigningKey> load_signing_key(const DataDir& dir);

}  // namespace kinodex::server
