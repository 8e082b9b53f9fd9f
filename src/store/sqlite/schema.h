// The tables, and how an older database becomes a current one.
//
// Ids are 12-byte blobs, times integer milliseconds since 1970, enums the number of the enumerator
// (domain/*.h: enumerators are only ever added at the end), metadata the text of metadata_json.
// Rows live in rowid tables: they exceed the quarter page that a WITHOUT ROWID tree keeps in
// place, and the id index stays three levels deep at millions of rows.
#pragma once

#include "store/sqlite/connection.h"

namespace kinodex::store::sqlite {

/// The version this program writes; kept in `user_version`.
inline constexpr int kSchemaVersion = 11;

/// Brings the database to `version`, each step in its own transaction; tests stop at older ones.
/// Errors: internal when a newer program wrote it (detail says so), storage_full.
base::Status migrate(Connection& connection, int version = kSchemaVersion);

}  // namespace kinodex::store::sqlite
