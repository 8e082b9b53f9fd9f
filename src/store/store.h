// The metadata store: accounts, assets, indexes, indexed assets and jobs, behind one interface.
//
// Promises, for every adapter: a write that returned success is on stable storage; a write that
// returned an error changed nothing; a read that starts after a write returned sees it. Each call
// may be made from any I/O thread and resumes there. Every call that takes an account answers
// resource_not_exist for what belongs to another account, exactly as if it did not exist.
// Errors of every call besides those named: overloaded, storage_full, internal.
//
// Start reading at `class Store`; `store/sqlite/` is the adapter for one machine. Families with
// calls of their own have interfaces in headers of their own, which Store hands out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "domain/asset.h"
#include "domain/index.h"
#include "domain/indexed_asset.h"
#include "domain/job.h"
#include "domain/page.h"
#include "runtime/task.h"
#include "store/entity_store.h"
#include "store/key_store.h"
#include "store/task_store.h"
#include "store/transfer_store.h"
#include "store/upload_store.h"
#include "store/webhook_store.h"

namespace kinodex::store {

using runtime::Asked;

/// What ingesting found out. Applied only while the asset is still `processing`.
struct IngestOutcome {
    domain::AssetStatus status = domain::AssetStatus::ready;  // ready or failed
    domain::AssetType type = domain::AssetType::unknown;
    std::string file_type;
    std::optional<std::int64_t> size_bytes;
    std::optional<double> duration_sec;
    std::optional<double> fps;
    std::optional<int> width;
    std::optional<int> height;
    std::string technical_metadata;
    std::string error_message;
    /// Why videos that wait for a ready asset fail; empty: they are indexed.
    std::string videos_refused;
    domain::DerivedStatus hls = domain::DerivedStatus::none;
    domain::DerivedStatus thumbnail = domain::DerivedStatus::none;
};

enum class AssetPart { hls, thumbnail };
enum class DeleteMode {
    refuse_when_referenced,
    force,
    force_and_announce,  // with an `announce` job for each indexed asset that fails by it
};

/// The new state of an indexed asset after a step of its job; `updated_at` becomes now.
struct IndexingOutcome {
    domain::IndexingStatus status = domain::IndexingStatus::indexing;
    std::string error_message;
    std::optional<domain::StreamStatus> stream;  // unset: unchanged
    std::vector<domain::NewJob> jobs = {};       // that follow, added in the same step
};

struct JobCounts {
    std::int64_t waiting = 0;
    std::int64_t running = 0;
};

class Store : public KeyStore {
  public:
    // --- assets -----------------------------------------------------------------------------
    /// Adds the row and its jobs in one step.
    virtual Asked<void> insert_asset(domain::Asset asset, std::vector<domain::NewJob> jobs) = 0;
    virtual Asked<domain::Asset> find_asset(domain::AccountId account, domain::AssetId id) = 0;
    /// For workers: whatever the account. Errors: resource_not_exist.
    virtual Asked<domain::Asset> find_asset(domain::AssetId id) = 0;
    /// Newest first, ties by id descending.
    virtual Asked<domain::Paged<domain::Asset>> list_assets(domain::AccountId account,
                                                            domain::AssetFilter filter,
                                                            domain::Page page) = 0;
    virtual Asked<void> change_asset_metadata(domain::AccountId account, domain::AssetId id,
                                              domain::MetadataChange change) = 0;
    /// Deletes the row, unlinks it from every entity and queues `remove_objects` for
    /// "assets/<id>/". The check for references and all of it are one step. Errors:
    /// resource_not_exist, asset_in_use.
    virtual Asked<void> delete_asset(domain::AccountId account, domain::AssetId id,
                                     DeleteMode mode) = 0;
    /// processing → ready|failed, with follow-up jobs in the same step; false when the asset is
    /// gone or no longer processing. A failed one keeps its row alone: its objects are removed.
    virtual Asked<bool> finish_ingest(domain::AssetId id, IngestOutcome outcome,
                                      std::vector<domain::NewJob> jobs) = 0;
    /// False when the asset is gone.
    virtual Asked<bool> set_asset_part(domain::AssetId id, AssetPart part,
                                       domain::DerivedStatus status) = 0;

    // --- indexes ----------------------------------------------------------------------------
    /// Errors: index_name_already_exists.
    virtual Asked<void> insert_index(domain::Index index) = 0;
    virtual Asked<domain::Index> find_index(domain::AccountId account, domain::IndexId id) = 0;
    virtual Asked<domain::Paged<domain::Index>> list_indexes(domain::AccountId account,
                                                             domain::IndexFilter filter,
                                                             domain::Page page) = 0;
    /// Errors: resource_not_exist, index_name_already_exists.
    virtual Asked<void> rename_index(domain::AccountId account, domain::IndexId id,
                                     std::string index_name) = 0;
    /// Deletes the index and all its indexed assets, and queues removal of their objects
    /// ("indexed/<id>/" each). Assets stay.
    virtual Asked<void> delete_index(domain::AccountId account, domain::IndexId id) = 0;

    // --- indexed assets ---------------------------------------------------------------------
    /// Adds the row and its index_asset job in one step, and checks in that step that the index
    /// is there and the asset is `ready`. `account_id` says who asks: both must belong to it. Fills
    /// filename and the other system metadata from the asset. Errors: resource_not_exist
    /// ("indexes" or "assets"), asset_not_ready (values asset_id, status).
    virtual Asked<void> insert_indexed_asset(domain::IndexedAsset indexed_asset) = 0;
    virtual Asked<domain::IndexedAsset> find_indexed_asset(domain::AccountId account,
                                                           domain::IndexId index,
                                                           domain::IndexedAssetId id) = 0;
    /// For workers: whatever the account. Errors: resource_not_exist.
    virtual Asked<domain::IndexedAsset> find_indexed_asset(domain::IndexedAssetId id) = 0;
    /// Exact totals. Items carry no user_metadata. Errors: resource_not_exist for the index.
    virtual Asked<domain::Paged<domain::IndexedAsset>> list_indexed_assets(
        domain::AccountId account, domain::IndexId index, domain::IndexedAssetFilter filter,
        domain::Page page) = 0;
    virtual Asked<void> change_indexed_asset_metadata(domain::AccountId account,
                                                      domain::IndexId index,
                                                      domain::IndexedAssetId id,
                                                      domain::MetadataChange change) = 0;
    /// Deletes the row and queues removal of its objects; the asset stays.
    virtual Asked<void> delete_indexed_asset(domain::AccountId account, domain::IndexId index,
                                             domain::IndexedAssetId id) = 0;
    virtual Asked<domain::Paged<domain::IndexedAssetReference>> list_references(
        domain::AccountId account, domain::AssetId asset, domain::Page page) = 0;
    /// False when the indexed asset is gone.
    virtual Asked<bool> set_indexing(domain::IndexedAssetId id, IndexingOutcome outcome) = 0;
    /// Not durable, best effort: 0 to 1, shown by find_indexed_asset while indexing.
    virtual void set_progress(domain::IndexedAssetId id, double progress) = 0;
    /// Follow an asset whose playback became ready (or not) after indexing started.
    virtual Asked<void> set_streams_of_asset(domain::AssetId asset,
                                             domain::StreamStatus status) = 0;

    // --- jobs -------------------------------------------------------------------------------
    virtual Asked<void> insert_job(domain::NewJob job) = 0;
    /// Takes the oldest runnable job of one of `kinds` until `lease_until`; nullopt when there is
    /// none. A job whose lease ran out is runnable again.
    virtual Asked<std::optional<domain::Job>> lease_job(std::vector<domain::JobKind> kinds,
                                                        std::string owner,
                                                        base::Timestamp lease_until) = 0;
    /// False when the lease was lost meanwhile: the worker must stop.
    virtual Asked<bool> renew_job(domain::JobId id, std::string owner,
                                  base::Timestamp lease_until) = 0;
    /// Done: the row goes. Nothing happens when the lease was lost.
    virtual Asked<void> finish_job(domain::JobId id, std::string owner) = 0;
    /// Gives the job back, to run at `run_at` or later.
    virtual Asked<void> return_job(domain::JobId id, std::string owner, base::Timestamp run_at,
                                   domain::Attempt attempt) = 0;
    /// At start on one machine: every lease of an earlier process ends. Returns how many.
    virtual Asked<std::int64_t> release_all_leases() = 0;
    virtual Asked<JobCounts> count_jobs() = 0;

    // --- parts ------------------------------------------------------------------------------
    virtual UploadStore& uploads() = 0;
    virtual WebhookStore& webhooks() = 0;
    virtual TransferStore& transfer() = 0;
    virtual EntityStore& entities() = 0;
    virtual TaskStore& tasks() = 0;

    // --- upkeep -----------------------------------------------------------------------------
    /// Which of these asset (or indexed asset) ids have rows, or are reserved by an upload session
    /// that is not over: for sweeping orphaned objects.
    virtual Asked<std::vector<bool>> assets_exist(std::vector<domain::AssetId> ids) = 0;
    virtual Asked<std::vector<bool>> indexed_assets_exist(
        std::vector<domain::IndexedAssetId> ids) = 0;
    /// A read that touches the database: for readiness.
    virtual Asked<void> ping() = 0;
    /// Stops accepting work and closes; called once, after the I/O threads ended.
    virtual void close() = 0;
};

}  // namespace kinodex::store
