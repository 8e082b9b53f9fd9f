// The metadata store for one machine: a SQLite database in WAL mode with full syncs.
//
// Writes go through one thread that commits whatever waits in one transaction (write_queue.h);
// look-ups by key share read transactions (look_up_queue.h); other reads run on a few threads with
// a connection each; lists of indexed assets come from memory (listing.h, rebuilt by loader.h when
// the store opens). The tables are in schema.cpp, the statements in keys.cpp, assets.cpp,
// indexes.cpp, indexed_assets.cpp and jobs.cpp.
//
// Another process may open the same database to change keys and nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "store/store.h"

namespace kinodex::store {

struct SqliteOptions {
    std::string path;  // of the database file; made when it is missing
    // Threads, and connections, that search and list; and as many that look rows up by key.
    std::size_t readers = 2;
    std::size_t reads_waiting_max = 4'096;  // of either kind; more are refused as overloaded
    std::size_t look_up_batch_max = 32;     // look-ups that share one read transaction
    std::size_t writes_waiting_max = 4'096;
    std::size_t write_batch_max = 256;  // writes that share one commit
    /// Builds the listings. A process that only changes keys leaves them out and starts at once;
    /// then every list of indexed assets answers resource_not_exist.
    bool with_listings = true;
    /// Pages of 4 KiB that the database may have; writes beyond are refused as storage_full.
    /// 0: as many as the disk holds.
    std::int64_t pages_max = 0;
};

/// Opens the database, brings its schema up to date and builds the listings. Errors: internal when
/// it cannot be opened or a newer program wrote it (detail says which), storage_full.
base::Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options);

}  // namespace kinodex::store
