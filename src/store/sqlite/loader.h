// Rebuilds the listings from the database when the store opens.
#pragma once

#include <string>

#include "store/sqlite/catalog.h"
#include "store/sqlite/connection.h"

namespace kinodex::store::sqlite {

/// Reads every index and indexed asset of the database at `path` into `catalog`, on two threads.
/// Nobody writes meanwhile. Errors: internal.
base::Status load_catalog(const std::string& path, Catalog& catalog);

}  // namespace kinodex::store::sqlite
