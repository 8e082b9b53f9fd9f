#include "store/sqlite/schema.h"

#include <fmt/format.h>

#include <array>

namespace kinodex::store::sqlite {
namespace {

constexpr const char* kVersion1 = R"sql(
CREATE TABLE accounts (
    id BLOB PRIMARY KEY, account_name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id BLOB PRIMARY KEY, account_id BLOB NOT NULL, name TEXT NOT NULL, hint TEXT NOT NULL,
    hash BLOB NOT NULL, created_ms INTEGER NOT NULL, revoked_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX api_keys_live ON api_keys (hash) WHERE revoked_ms IS NULL;

-- One row. keys_version goes up with every change of api_keys, by whichever process.
CREATE TABLE counters (keys_version INTEGER NOT NULL) STRICT;
INSERT INTO counters VALUES (1);

CREATE TABLE assets (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, account_id BLOB NOT NULL, status INTEGER NOT NULL,
    method INTEGER NOT NULL, type INTEGER NOT NULL, filename TEXT NOT NULL,
    file_type TEXT NOT NULL, created_ms INTEGER NOT NULL, size_bytes INTEGER, duration_sec REAL,
    fps REAL, width INTEGER, height INTEGER, hls INTEGER NOT NULL, thumbnail INTEGER NOT NULL,
    error_message TEXT NOT NULL, user_metadata TEXT NOT NULL, technical_metadata TEXT NOT NULL
) STRICT;
-- Covers the search by part of a file name, which has to look at every name.
CREATE INDEX assets_by_time ON assets (account_id, created_ms, id, type, filename);
CREATE INDEX assets_by_type ON assets (account_id, type, created_ms, id, filename);

CREATE TABLE asset_counts (
    account_id BLOB NOT NULL, type INTEGER NOT NULL, assets INTEGER NOT NULL,
    PRIMARY KEY (account_id, type)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER assets_counted AFTER INSERT ON assets BEGIN
    INSERT INTO asset_counts VALUES (new.account_id, new.type, 1)
        ON CONFLICT DO UPDATE SET assets = assets + 1;
END;
CREATE TRIGGER assets_uncounted AFTER DELETE ON assets BEGIN
    UPDATE asset_counts SET assets = assets - 1
        WHERE account_id = old.account_id AND type = old.type;
END;
CREATE TRIGGER assets_recounted AFTER UPDATE OF type ON assets WHEN new.type <> old.type BEGIN
    UPDATE asset_counts SET assets = assets - 1
        WHERE account_id = old.account_id AND type = old.type;
    INSERT INTO asset_counts VALUES (new.account_id, new.type, 1)
        ON CONFLICT DO UPDATE SET assets = assets + 1;
END;

-- model_options: bit 0 visual, bit 1 audio. model_families: bit of the ModelFamily enumerator.
-- total_duration_us is an integer so that adding and taking away ends at zero exactly.
CREATE TABLE indexes (
    id BLOB PRIMARY KEY, account_id BLOB NOT NULL, index_name TEXT NOT NULL, models TEXT NOT NULL,
    model_options INTEGER NOT NULL, model_families INTEGER NOT NULL, addons TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    video_count INTEGER NOT NULL DEFAULT 0, total_duration_us INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX indexes_by_name ON indexes (account_id, index_name);

CREATE TABLE indexed_assets (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, index_id BLOB NOT NULL, account_id BLOB NOT NULL,
    asset_id BLOB NOT NULL, status INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL, indexed_ms INTEGER, filename TEXT NOT NULL, duration_sec REAL,
    fps REAL, width INTEGER, height INTEGER, size_bytes INTEGER, user_metadata TEXT NOT NULL,
    stream INTEGER NOT NULL, stream_updated_ms INTEGER, error_message TEXT NOT NULL
) STRICT;
CREATE INDEX indexed_assets_by_asset ON indexed_assets (asset_id, id);
CREATE INDEX indexed_assets_by_index ON indexed_assets (index_id);

-- Deleted indexes whose indexed assets are still being deleted, some with each commit. A row of
-- indexed_assets whose index is not in `indexes` does not exist for anybody any more.
CREATE TABLE doomed_indexes (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- ready_ms: from when on a worker may take the job; while it is leased, when the lease ends.
-- run_at_ms is what ready_ms goes back to when a lease is thrown away.
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, subject TEXT NOT NULL,
    attempts INTEGER NOT NULL, run_at_ms INTEGER NOT NULL, ready_ms INTEGER NOT NULL, owner TEXT
) STRICT;
CREATE INDEX jobs_ready ON jobs (kind, ready_ms, number);
CREATE INDEX jobs_leased ON jobs (ready_ms) WHERE owner IS NOT NULL;
)sql";

// Where the bytes of an asset made from a URL come from; empty for every other.
constexpr const char* kVersion2 = R"sql(
ALTER TABLE assets ADD COLUMN source_url TEXT NOT NULL DEFAULT '';
)sql";

// When keys end by themselves, what they may be used for (bits of domain::Scope), and their last
// use.
constexpr const char* kVersion3 = R"sql(
ALTER TABLE api_keys ADD COLUMN expires_ms INTEGER;
ALTER TABLE api_keys ADD COLUMN scopes INTEGER NOT NULL DEFAULT 7;
ALTER TABLE api_keys ADD COLUMN last_used_ms INTEGER;
)sql";

// What an account's assets take in storage, counted like the assets themselves.
constexpr const char* kVersion4 = R"sql(
ALTER TABLE asset_counts ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE asset_counts SET bytes = (
    SELECT CAST(total(size_bytes) AS INTEGER) FROM assets
    WHERE assets.account_id = asset_counts.account_id AND assets.type = asset_counts.type);
DROP TRIGGER assets_counted;
DROP TRIGGER assets_uncounted;
DROP TRIGGER assets_recounted;
CREATE TRIGGER assets_counted AFTER INSERT ON assets BEGIN
    INSERT INTO asset_counts VALUES (new.account_id, new.type, 1, coalesce(new.size_bytes, 0))
        ON CONFLICT DO UPDATE SET assets = assets + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER assets_uncounted AFTER DELETE ON assets BEGIN
    UPDATE asset_counts SET assets = assets - 1, bytes = bytes - coalesce(old.size_bytes, 0)
        WHERE account_id = old.account_id AND type = old.type;
END;
CREATE TRIGGER assets_recounted AFTER UPDATE OF type, size_bytes ON assets BEGIN
    UPDATE asset_counts SET assets = assets - 1, bytes = bytes - coalesce(old.size_bytes, 0)
        WHERE account_id = old.account_id AND type = old.type;
    INSERT INTO asset_counts VALUES (new.account_id, new.type, 1, coalesce(new.size_bytes, 0))
        ON CONFLICT DO UPDATE SET assets = assets + 1, bytes = bytes + excluded.bytes;
END;
-- What is neither ready nor failed: few rows, summed for the quota of hours.
CREATE INDEX indexed_assets_unfinished ON indexed_assets (account_id, duration_sec)
    WHERE status < 3;
)sql";

// Webhooks: an event of a subject goes to an endpoint once.
constexpr const char* kVersion5 = R"sql(
CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, event_id TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
    url TEXT NOT NULL, body TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,
    last_error TEXT NOT NULL, created_ms INTEGER NOT NULL, ended_ms INTEGER,
    UNIQUE (subject, type, url)
) STRICT;
CREATE INDEX deliveries_ended ON deliveries (ended_ms) WHERE ended_ms IS NOT NULL;
)sql";

// Who keeps objects in place for now, e.g. a backup: nothing is removed meanwhile.
constexpr const char* kVersion6 = R"sql(
CREATE TABLE object_holds (holder INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL) STRICT;
)sql";

// name_folded: as text_fold.h folds it, for order and search. Each index has all that a filter of
// the list looks at. revision goes up whenever the set of an entity's images changes.
constexpr const char* kEntities = R"sql(
CREATE TABLE entity_collections (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, account_id BLOB NOT NULL, name TEXT NOT NULL,
    name_folded TEXT NOT NULL, description TEXT NOT NULL, created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX entity_collections_by_created
    ON entity_collections (account_id, created_ms, id, name_folded);
CREATE INDEX entity_collections_by_updated
    ON entity_collections (account_id, updated_ms, id, name_folded);
CREATE INDEX entity_collections_by_name ON entity_collections (account_id, name_folded, id);

CREATE TABLE entities (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, entity_collection_id BLOB NOT NULL, account_id BLOB NOT NULL,
    name TEXT NOT NULL, name_folded TEXT NOT NULL, description TEXT NOT NULL,
    metadata TEXT NOT NULL, status INTEGER NOT NULL, error_message TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, revision INTEGER NOT NULL
) STRICT;
CREATE INDEX entities_by_created
    ON entities (entity_collection_id, created_ms, id, status, name_folded);
CREATE INDEX entities_by_updated
    ON entities (entity_collection_id, updated_ms, id, status, name_folded);
CREATE INDEX entities_by_name ON entities (entity_collection_id, name_folded, id, status);

CREATE TABLE entity_assets (
    entity_id BLOB NOT NULL, asset_id BLOB NOT NULL, place INTEGER NOT NULL,
    PRIMARY KEY (entity_id, asset_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_assets_by_asset ON entity_assets (asset_id, entity_id);

-- Deleted collections whose entities are still being deleted, some with each commit; the entities
-- do not exist for anybody any more.
CREATE TABLE doomed_collections (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
)sql";

// A row of tasks repeats what lists filter and sort by. Only the triggers change it, in the step
// that changes its indexed asset, whose states have the numbers of a task's less two.
constexpr const char* kTasks = R"sql(
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, account_id BLOB NOT NULL, index_id BLOB NOT NULL,
    asset_id BLOB NOT NULL, video_id BLOB NOT NULL UNIQUE, status INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, filename TEXT NOT NULL,
    duration_sec REAL, width INTEGER, height INTEGER
) STRICT;
CREATE INDEX tasks_by_created ON tasks (
    account_id, created_ms, id, status, updated_ms, index_id, filename, duration_sec, width, height
);
CREATE INDEX tasks_by_updated ON tasks (
    account_id, updated_ms, id, status, created_ms, index_id, filename, duration_sec, width, height
);
CREATE INDEX tasks_by_asset ON tasks (asset_id);

CREATE TRIGGER tasks_follow AFTER UPDATE OF status ON indexed_assets BEGIN
    UPDATE tasks SET status = new.status + 2, updated_ms = new.updated_ms,
        duration_sec = new.duration_sec, width = new.width, height = new.height
        WHERE video_id = new.id;
END;
-- What came to an end keeps its state when its video goes; what had not, never will.
CREATE TRIGGER tasks_left AFTER DELETE ON indexed_assets BEGIN
    UPDATE tasks SET status = 6,
        updated_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
        WHERE video_id = old.id AND status < 5;
END;
)sql";

// A chunk has a row once its bytes were on stable storage or had to change; without one it is
// pending and was never tried again.
constexpr const char* kUploads = R"sql(
CREATE TABLE uploads (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE, account_id BLOB NOT NULL, asset_id BLOB NOT NULL UNIQUE,
    status INTEGER NOT NULL, type INTEGER NOT NULL, filename TEXT NOT NULL,
    total_size_bytes INTEGER NOT NULL, chunk_size_bytes INTEGER NOT NULL,
    enable_hls INTEGER NOT NULL, enable_thumbnail INTEGER NOT NULL, user_metadata TEXT NOT NULL,
    chunks_completed INTEGER NOT NULL, completed_bytes INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_by_account ON uploads (account_id, status, created_ms, id);
CREATE INDEX uploads_by_expiry ON uploads (status, expires_ms);
CREATE INDEX uploads_by_change ON uploads (status, updated_ms);

CREATE TABLE upload_chunks (
    upload INTEGER NOT NULL, chunk_index INTEGER NOT NULL, state INTEGER NOT NULL,
    attempt INTEGER NOT NULL, etag TEXT NOT NULL, updated_ms INTEGER NOT NULL,
    PRIMARY KEY (upload, chunk_index)
) STRICT, WITHOUT ROWID;
)sql";

// A task says why it failed by itself, for its video may go. And a failed asset keeps no objects.
constexpr const char* kVersion10 = R"sql(
ALTER TABLE tasks ADD COLUMN error_message TEXT NOT NULL DEFAULT '';
UPDATE tasks SET error_message = coalesce(
    (SELECT error_message FROM indexed_assets v WHERE v.id = video_id), '') WHERE status = 6;
DROP TRIGGER tasks_follow;
DROP TRIGGER tasks_left;
CREATE TRIGGER tasks_follow AFTER UPDATE OF status ON indexed_assets BEGIN
    UPDATE tasks SET status = new.status + 2, updated_ms = new.updated_ms,
        duration_sec = new.duration_sec, width = new.width, height = new.height,
        error_message = new.error_message
        WHERE video_id = new.id;
END;
-- What came to an end keeps its state when its video goes; what had not, never will.
CREATE TRIGGER tasks_left AFTER DELETE ON indexed_assets BEGIN
    UPDATE tasks SET status = 6, error_message = 'The video was deleted before it was indexed.',
        updated_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
        WHERE video_id = old.id AND status < 5;
END;
INSERT INTO jobs (id, kind, subject, attempts, run_at_ms, ready_ms)
    SELECT randomblob(12), 4, 'assets/' || lower(hex(id)) || '/', 0, 0, 0
    FROM assets WHERE status = 2;
)sql";

// What waits for an endpoint is found by its URL, without a job for each; 7 was their kind.
constexpr const char* kDeliveriesByUrl = R"sql(
ALTER TABLE deliveries ADD COLUMN account_name TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_due ON deliveries (url, due_ms, number) WHERE state = 0;
DELETE FROM jobs WHERE kind = 7;
)sql";

/// Step i brings version i to version i + 1.
constexpr std::array<const char*, kSchemaVersion> kSteps{
    kVersion1, kVersion2, kVersion3, kVersion4,  kVersion5,       kVersion6,
    kEntities, kTasks,    kUploads,  kVersion10, kDeliveriesByUrl};

base::Result<std::int64_t> version_of(Connection& connection) {
    Query query(connection, "PRAGMA user_version");
    KN_PASS(query.step());
    return query.integer(0);
}

base::Status step_from(Connection& connection, std::int64_t version) {
    KN_PASS(connection.run("BEGIN IMMEDIATE"));
    // Another process may have migrated between our look and our lock.
    auto now = version_of(connection);
    if (!now || *now != version) {
        KN_PASS(connection.run("ROLLBACK"));
        return now ? base::Status{} : std::unexpected(std::move(now).error());
    }
    auto done = connection.run(kSteps[static_cast<std::size_t>(version)]);
    if (done) {
        done = connection.run(fmt::format("PRAGMA user_version={}", version + 1).c_str());
    }
    if (done) {
        done = connection.run("COMMIT");
    }
    if (!done && sqlite3_get_autocommit(connection.handle()) == 0) {
        (void)connection.run("ROLLBACK");  // the first failure is the one to report
    }
    return done;
}

}  // namespace

base::Status migrate(Connection& connection, int version) {
    while (true) {
        KN_TRY(current, version_of(connection));
        if (current == version) {
            return {};
        }
        if (current > version || current < 0) {
            return base::fail(
                base::Errc::internal, {},
                fmt::format("the database has schema version {}, and this program knows versions "
                            "up to {}: start the newer kinodex that wrote it",
                            current, version));
        }
        KN_PASS(step_from(connection, current));
    }
}

}  // namespace kinodex::store::sqlite
