// The calls of store.h as blocking functions on a connection: reads take a Connection, writes a
// WriteTurn inside the open transaction. Semantics and errors are those of store.h.
#pragma once

#include "store/sqlite/connection.h"
#include "store/sqlite/write_queue.h"
#include "store/store.h"

namespace kinodex::store::sqlite {

// --- keys: keys.cpp ----------------------------------------------------------------------------
base::Result<domain::ApiKey> create_key(WriteTurn& turn, const NewApiKey& key);
base::Result<std::vector<domain::ApiKey>> list_keys(Connection& db);
base::Status revoke_key(WriteTurn& turn, domain::KeyId id);
base::Result<domain::ApiKey> rotate_key(WriteTurn& turn, domain::KeyId old,
                                        const KeyRotation& rotation);
base::Status record_key_uses(WriteTurn& turn, const std::vector<KeyUse>& uses);
base::Result<std::int64_t> keys_version(Connection& db);

base::Result<domain::Usage> usage_of(Connection& db, domain::AccountId account);
base::Result<std::vector<domain::AccountUsage>> list_usage(Connection& db);

/// The account of that name, made when it is not there yet.
base::Result<domain::AccountId> account_named(Connection& db, std::string_view account_name);

// --- assets: assets.cpp ------------------------------------------------------------------------
base::Status insert_asset(WriteTurn& turn, const domain::Asset& asset,
                          const std::vector<domain::NewJob>& jobs);
base::Result<domain::Asset> find_asset(Connection& db, domain::AccountId account,
                                       domain::AssetId id);
base::Result<domain::Asset> find_asset(Connection& db, domain::AssetId id);
base::Result<domain::Paged<domain::Asset>> list_assets(Connection& db, domain::AccountId account,
                                                       const domain::AssetFilter& filter,
                                                       const domain::Page& page);
base::Status change_asset_metadata(WriteTurn& turn, domain::AccountId account, domain::AssetId id,
                                   const domain::MetadataChange& change);
base::Status delete_asset(WriteTurn& turn, domain::AccountId account, domain::AssetId id,
                          DeleteMode mode);
base::Result<bool> finish_ingest(WriteTurn& turn, domain::AssetId id, const IngestOutcome& outcome,
                                 const std::vector<domain::NewJob>& jobs);
base::Result<bool> set_asset_part(WriteTurn& turn, domain::AssetId id, AssetPart part,
                                  domain::DerivedStatus status);
base::Result<std::vector<bool>> assets_exist(Connection& db,
                                             const std::vector<domain::AssetId>& ids);

// --- indexes: indexes.cpp ----------------------------------------------------------------------
base::Status insert_index(WriteTurn& turn, const domain::Index& index);
base::Result<domain::Index> find_index(Connection& db, domain::AccountId account,
                                       domain::IndexId id);
base::Result<domain::Paged<domain::Index>> list_indexes(Connection& db, domain::AccountId account,
                                                        const domain::IndexFilter& filter,
                                                        const domain::Page& page);
base::Status rename_index(WriteTurn& turn, domain::AccountId account, domain::IndexId id,
                          std::string_view index_name);
/// Gone for everybody at once; a large index leaves rows for clear_doomed_indexes.
base::Status delete_index(WriteTurn& turn, domain::AccountId account, domain::IndexId id);
/// Deletes some rows of deleted indexes and queues the removal of their objects; true: more left.
base::Result<bool> clear_doomed_indexes(WriteTurn& turn);

// --- indexed assets: indexed_assets.cpp --------------------------------------------------------
base::Status insert_indexed_asset(WriteTurn& turn, domain::IndexedAsset item);
/// The row of an asset that is known to be there, and its job unless the asset is `processing`.
base::Status insert_video(WriteTurn& turn, domain::IndexedAsset item, const domain::Asset& asset);
/// Of an item that waited: what its asset has become, and the job.
base::Status fill_video(WriteTurn& turn, domain::IndexedAsset item, const domain::Asset& asset);
/// Only the row: no checks, no job, no counters.
base::Status insert_indexed_row(Connection& db, const domain::IndexedAsset& item);
base::Result<domain::IndexedAsset> find_indexed_asset(Connection& db, domain::AccountId account,
                                                      domain::IndexId index,
                                                      domain::IndexedAssetId id);
base::Result<domain::IndexedAsset> find_indexed_asset(Connection& db, domain::IndexedAssetId id);
base::Status change_indexed_asset_metadata(WriteTurn& turn, domain::AccountId account,
                                           domain::IndexId index, domain::IndexedAssetId id,
                                           const domain::MetadataChange& change);
base::Status delete_indexed_asset(WriteTurn& turn, domain::AccountId account, domain::IndexId index,
                                  domain::IndexedAssetId id);
base::Result<domain::Paged<domain::IndexedAssetReference>> list_references(
    Connection& db, domain::AccountId account, domain::AssetId asset, const domain::Page& page);
base::Result<bool> set_indexing(WriteTurn& turn, domain::IndexedAssetId id,
                                const IndexingOutcome& outcome);
base::Status set_streams_of_asset(WriteTurn& turn, domain::AssetId asset,
                                  domain::StreamStatus status);
base::Result<std::vector<bool>> indexed_assets_exist(
    Connection& db, const std::vector<domain::IndexedAssetId>& ids);

// --- jobs: jobs.cpp ----------------------------------------------------------------------------
base::Status insert_job(WriteTurn& turn, const domain::NewJob& job);
/// By a job that the same commit queues.
base::Status remove_asset_objects(WriteTurn& turn, domain::AssetId id);
base::Result<std::optional<domain::Job>> lease_job(WriteTurn& turn,
                                                   const std::vector<domain::JobKind>& kinds,
                                                   std::string_view owner,
                                                   base::Timestamp lease_until);
base::Result<bool> renew_job(WriteTurn& turn, domain::JobId id, std::string_view owner,
                             base::Timestamp lease_until);
base::Status finish_job(WriteTurn& turn, domain::JobId id, std::string_view owner);
base::Status return_job(WriteTurn& turn, domain::JobId id, std::string_view owner,
                        base::Timestamp run_at, domain::Attempt attempt);
base::Result<std::int64_t> release_all_leases(WriteTurn& turn);
base::Result<JobCounts> count_jobs(Connection& db);

/// Rows changed by the last statement of this connection.
inline std::int64_t rows_changed(Connection& db) {
    return sqlite3_changes64(db.handle());
}

}  // namespace kinodex::store::sqlite
