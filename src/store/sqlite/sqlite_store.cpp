#include "store/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "store/sqlite/access.h"
#include "store/sqlite/entities.h"
#include "store/sqlite/loader.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/tasks.h"
#include "store/sqlite/transfer.h"
#include "store/sqlite/uploads.h"
#include "store/sqlite/webhooks.h"

namespace kinodex::store {
namespace {

using namespace sqlite;
using runtime::Asked;

/// How far running jobs say they are. Only in memory: after a start they report anew.
class ProgressBoard {
  public:
    void set(domain::IndexedAssetId id, double progress) {
        const std::lock_guard lock(mutex_);
        // Far more than workers; an entry that is never ended must not add up.
        constexpr std::size_t kEntriesMax = 10'000;
        if (by_id_.size() < kEntriesMax || by_id_.contains(id.text())) {
            by_id_[id.text()] = std::clamp(progress, 0.0, 1.0);
        }
    }
    void end(domain::IndexedAssetId id) {
        const std::lock_guard lock(mutex_);
        by_id_.erase(id.text());
    }
    double of(domain::IndexedAssetId id) {
        const std::lock_guard lock(mutex_);
        const auto found = by_id_.find(id.text());
        return found == by_id_.end() ? 0 : found->second;
    }

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, double> by_id_;
};

class SqliteStore : public Store {
  public:
    SqliteStore(const SqliteOptions& options, Connections connections,
                std::unique_ptr<Catalog> catalog)
        : catalog_(std::move(catalog)), access_(options, std::move(connections), *catalog_) {
        access_.repeat(&clear_doomed_indexes);  // what an earlier process left
    }
    ~SqliteStore() override { access_.stop(); }

    // --- keys
    Asked<domain::ApiKey> create_key(NewApiKey key) override {
        return write<domain::ApiKey>(
            [key = std::move(key)](WriteTurn& turn) { return sqlite::create_key(turn, key); });
    }
    Asked<std::vector<domain::ApiKey>> list_keys() override {
        return read<std::vector<domain::ApiKey>>(
            [](Connection& db) { return sqlite::list_keys(db); });
    }
    Asked<void> revoke_key(domain::KeyId id) override {
        return write<void>([id](WriteTurn& turn) { return sqlite::revoke_key(turn, id); });
    }
    Asked<domain::ApiKey> rotate_key(domain::KeyId old, KeyRotation rotation) override {
        return write<domain::ApiKey>([old, rotation = std::move(rotation)](WriteTurn& turn) {
            return sqlite::rotate_key(turn, old, rotation);
        });
    }
    Asked<void> record_key_uses(std::vector<KeyUse> uses) override {
        return write<void>([uses = std::move(uses)](WriteTurn& turn) {
            return sqlite::record_key_uses(turn, uses);
        });
    }
    Asked<std::int64_t> keys_version() override {
        return look_up<std::int64_t>([](Connection& db) { return sqlite::keys_version(db); });
    }

    // --- accounts
    Asked<domain::Usage> usage_of(domain::AccountId account) override {
        return read<domain::Usage>(
            [account](Connection& db) { return sqlite::usage_of(db, account); });
    }
    Asked<std::vector<domain::AccountUsage>> list_usage() override {
        return read<std::vector<domain::AccountUsage>>(
            [](Connection& db) { return sqlite::list_usage(db); });
    }

    // --- assets
    Asked<void> insert_asset(domain::Asset asset, std::vector<domain::NewJob> jobs) override {
        return write<void>([asset = std::move(asset), jobs = std::move(jobs)](WriteTurn& turn) {
            return sqlite::insert_asset(turn, asset, jobs);
        });
    }
    Asked<domain::Asset> find_asset(domain::AccountId account, domain::AssetId id) override {
        return look_up<domain::Asset>(
            [account, id](Connection& db) { return sqlite::find_asset(db, account, id); });
    }
    Asked<domain::Asset> find_asset(domain::AssetId id) override {
        return look_up<domain::Asset>([id](Connection& db) { return sqlite::find_asset(db, id); });
    }
    Asked<domain::Paged<domain::Asset>> list_assets(domain::AccountId account,
                                                    domain::AssetFilter filter,
                                                    domain::Page page) override {
        return read<domain::Paged<domain::Asset>>(
            [account, page, filter = std::move(filter)](Connection& db) {
                return sqlite::list_assets(db, account, filter, page);
            });
    }
    Asked<void> change_asset_metadata(domain::AccountId account, domain::AssetId id,
                                      domain::MetadataChange change) override {
        return write<void>([account, id, change = std::move(change)](WriteTurn& turn) {
            return sqlite::change_asset_metadata(turn, account, id, change);
        });
    }
    Asked<void> delete_asset(domain::AccountId account, domain::AssetId id,
                             DeleteMode mode) override {
        return write<void>([account, id, mode](WriteTurn& turn) {
            return sqlite::delete_asset(turn, account, id, mode);
        });
    }
    Asked<bool> finish_ingest(domain::AssetId id, IngestOutcome outcome,
                              std::vector<domain::NewJob> jobs) override {
        return write<bool>(
            [id, outcome = std::move(outcome), jobs = std::move(jobs)](WriteTurn& turn) {
                return sqlite::finish_ingest(turn, id, outcome, jobs);
            });
    }
    Asked<bool> set_asset_part(domain::AssetId id, AssetPart part,
                               domain::DerivedStatus status) override {
        return write<bool>([id, part, status](WriteTurn& turn) {
            return sqlite::set_asset_part(turn, id, part, status);
        });
    }

    // --- indexes
    Asked<void> insert_index(domain::Index index) override {
        return write<void>([index = std::move(index)](WriteTurn& turn) {
            return sqlite::insert_index(turn, index);
        });
    }
    Asked<domain::Index> find_index(domain::AccountId account, domain::IndexId id) override {
        return look_up<domain::Index>(
            [account, id](Connection& db) { return sqlite::find_index(db, account, id); });
    }
    Asked<domain::Paged<domain::Index>> list_indexes(domain::AccountId account,
                                                     domain::IndexFilter filter,
                                                     domain::Page page) override {
        return read<domain::Paged<domain::Index>>(
            [account, page, filter = std::move(filter)](Connection& db) {
                return sqlite::list_indexes(db, account, filter, page);
            });
    }
    Asked<void> rename_index(domain::AccountId account, domain::IndexId id,
                             std::string index_name) override {
        return write<void>([account, id, name = std::move(index_name)](WriteTurn& turn) {
            return sqlite::rename_index(turn, account, id, name);
        });
    }
    Asked<void> delete_index(domain::AccountId account, domain::IndexId id) override {
        auto work = [account, id](WriteTurn& turn) {
            return sqlite::delete_index(turn, account, id);
        };
        auto outcome = co_await write<void>(std::move(work));
        access_.repeat(&clear_doomed_indexes);
        co_return outcome;
    }

    // --- indexed assets
    Asked<void> insert_indexed_asset(domain::IndexedAsset indexed_asset) override {
        return write<void>([item = std::move(indexed_asset)](WriteTurn& turn) {
            return sqlite::insert_indexed_asset(turn, item);
        });
    }
    Asked<domain::IndexedAsset> find_indexed_asset(domain::AccountId account, domain::IndexId index,
                                                   domain::IndexedAssetId id) override {
        const double progress = progress_.of(id);
        return look_up<domain::IndexedAsset>([account, index, id, progress](Connection& db) {
            return with_progress(sqlite::find_indexed_asset(db, account, index, id), progress);
        });
    }
    Asked<domain::IndexedAsset> find_indexed_asset(domain::IndexedAssetId id) override {
        const double progress = progress_.of(id);
        return look_up<domain::IndexedAsset>([id, progress](Connection& db) {
            return with_progress(sqlite::find_indexed_asset(db, id), progress);
        });
    }
    Asked<domain::Paged<domain::IndexedAsset>> list_indexed_assets(
        domain::AccountId account, domain::IndexId index, domain::IndexedAssetFilter filter,
        domain::Page page) override {
        // A hop to a reading thread and back costs more than most pages.
        if (auto listed = catalog_->list_promptly(account, index, filter, page)) {
            complete(*listed, account, index);
            co_return std::move(*listed);
        }
        auto work = [this, account, index, page, filter = std::move(filter)] {
            return list_from_memory(account, index, filter, page);
        };
        co_return co_await access_.read_memory<domain::Paged<domain::IndexedAsset>>(
            std::move(work));
    }
    Asked<void> change_indexed_asset_metadata(domain::AccountId account, domain::IndexId index,
                                              domain::IndexedAssetId id,
                                              domain::MetadataChange change) override {
        return write<void>([account, index, id, change = std::move(change)](WriteTurn& turn) {
            return sqlite::change_indexed_asset_metadata(turn, account, index, id, change);
        });
    }
    Asked<void> delete_indexed_asset(domain::AccountId account, domain::IndexId index,
                                     domain::IndexedAssetId id) override {
        return write<void>([this, account, index, id](WriteTurn& turn) {
            progress_.end(id);
            return sqlite::delete_indexed_asset(turn, account, index, id);
        });
    }
    Asked<domain::Paged<domain::IndexedAssetReference>> list_references(
        domain::AccountId account, domain::AssetId asset, domain::Page page) override {
        return read<domain::Paged<domain::IndexedAssetReference>>(
            [account, asset, page](Connection& db) {
                return sqlite::list_references(db, account, asset, page);
            });
    }
    Asked<bool> set_indexing(domain::IndexedAssetId id, IndexingOutcome outcome) override {
        const bool ends = outcome.status == domain::IndexingStatus::ready ||
                          outcome.status == domain::IndexingStatus::failed;
        if (!ends) {
            progress_.end(id);  // each step starts its progress anew
        }
        auto work = [id, outcome = std::move(outcome)](WriteTurn& turn) {
            return sqlite::set_indexing(turn, id, outcome);
        };
        auto stored = co_await write<bool>(std::move(work));
        if (ends) {  // not before the commit: until then readers see the row as indexing
            progress_.end(id);
        }
        co_return stored;
    }
    void set_progress(domain::IndexedAssetId id, double progress) override {
        progress_.set(id, progress);
    }
    Asked<void> set_streams_of_asset(domain::AssetId asset, domain::StreamStatus status) override {
        return write<void>([asset, status](WriteTurn& turn) {
            return sqlite::set_streams_of_asset(turn, asset, status);
        });
    }

    // --- jobs
    Asked<void> insert_job(domain::NewJob job) override {
        return write<void>(
            [job = std::move(job)](WriteTurn& turn) { return sqlite::insert_job(turn, job); });
    }
    Asked<std::optional<domain::Job>> lease_job(std::vector<domain::JobKind> kinds,
                                                std::string owner,
                                                base::Timestamp lease_until) override {
        return write<std::optional<domain::Job>>(
            [kinds = std::move(kinds), owner = std::move(owner), lease_until](WriteTurn& turn) {
                return sqlite::lease_job(turn, kinds, owner, lease_until);
            });
    }
    Asked<bool> renew_job(domain::JobId id, std::string owner,
                          base::Timestamp lease_until) override {
        return write<bool>([id, owner = std::move(owner), lease_until](WriteTurn& turn) {
            return sqlite::renew_job(turn, id, owner, lease_until);
        });
    }
    Asked<void> finish_job(domain::JobId id, std::string owner) override {
        return write<void>([id, owner = std::move(owner)](WriteTurn& turn) {
            return sqlite::finish_job(turn, id, owner);
        });
    }
    Asked<void> return_job(domain::JobId id, std::string owner, base::Timestamp run_at,
                           domain::Attempt attempt) override {
        return write<void>([id, owner = std::move(owner), run_at, attempt](WriteTurn& turn) {
            return sqlite::return_job(turn, id, owner, run_at, attempt);
        });
    }
    Asked<std::int64_t> release_all_leases() override {
        return write<std::int64_t>(
            [](WriteTurn& turn) { return sqlite::release_all_leases(turn); });
    }
    Asked<JobCounts> count_jobs() override {
        return read<JobCounts>([](Connection& db) { return sqlite::count_jobs(db); });
    }

    // --- parts
    UploadStore& uploads() override { return uploads_; }
    WebhookStore& webhooks() override { return webhooks_; }
    TransferStore& transfer() override { return transfer_; }
    EntityStore& entities() override { return *entities_; }
    TaskStore& tasks() override { return *tasks_; }

    // --- upkeep
    Asked<std::vector<bool>> assets_exist(std::vector<domain::AssetId> ids) override {
        return read<std::vector<bool>>(
            [ids = std::move(ids)](Connection& db) { return sqlite::assets_exist(db, ids); });
    }
    Asked<std::vector<bool>> indexed_assets_exist(
        std::vector<domain::IndexedAssetId> ids) override {
        return read<std::vector<bool>>([ids = std::move(ids)](Connection& db) {
            return sqlite::indexed_assets_exist(db, ids);
        });
    }
    Asked<void> ping() override {
        return look_up<void>([](Connection& db) -> base::Status {
            KN_PASS(sqlite::keys_version(db));
            return {};
        });
    }
    void close() override { access_.stop(); }

  private:
    template <class T, class Work>
    Asked<T> write(Work work) {
        return access_.write<T>(std::move(work));
    }
    template <class T, class Work>
    Asked<T> read(Work work) {
        return access_.read<T>(std::move(work));
    }
    template <class T, class Work>
    Asked<T> look_up(Work work) {
        return access_.look_up<T>(std::move(work));
    }
    /// `progress` was read before the transaction of the row began: a job that ended in between
    /// shows as ended, never as one that fell back to nothing.
    static base::Result<domain::IndexedAsset> with_progress(base::Result<domain::IndexedAsset> item,
                                                            double progress) {
        if (item && item->status == domain::IndexingStatus::indexing) {
            item->progress = progress;
        }
        return item;
    }
    base::Result<domain::Paged<domain::IndexedAsset>> list_from_memory(
        domain::AccountId account, domain::IndexId index, const domain::IndexedAssetFilter& filter,
        const domain::Page& page) {
        const auto listing = catalog_->find(account, index);
        if (!listing) {
            return not_exist(index, "indexes");
        }
        auto answer = listing->list(filter, page);
        complete(answer, account, index);
        return answer;
    }
    /// Adds what the listing does not hold.
    void complete(domain::Paged<domain::IndexedAsset>& listed, domain::AccountId account,
                  domain::IndexId index) {
        for (auto& item : listed.items) {
            item.account_id = account;
            item.index_id = index;
            if (item.status == domain::IndexingStatus::indexing) {
                item.progress = progress_.of(item.id);
            }
        }
    }

    std::unique_ptr<Catalog> catalog_;
    ProgressBoard progress_;
    Access access_;  // its threads use everything above; ~SqliteStore ends them
    SqliteUploads uploads_{access_};
    SqliteWebhooks webhooks_{access_};
    SqliteTransfer transfer_{access_};
    std::unique_ptr<EntityStore> entities_ = make_entity_store(access_);
    std::unique_ptr<TaskStore> tasks_ = make_task_store(access_);
};

}  // namespace

base::Result<std::unique_ptr<Store>> open_sqlite_store(SqliteOptions options) {
    KN_TRY(writer, Connection::open(options.path, Connection::Mode::write));
    KN_PASS(migrate(*writer));
    if (options.pages_max > 0) {
        KN_PASS(writer->run(fmt::format("PRAGMA max_page_count={}", options.pages_max).c_str()));
    }
    auto catalog = std::make_unique<Catalog>();
    if (options.with_listings) {
        KN_PASS(load_catalog(options.path, *catalog));
    }
    Connections connections{std::move(writer), {}, {}};
    for (std::size_t i = 0; i < options.readers; ++i) {
        KN_TRY(reader, Connection::open(options.path, Connection::Mode::read));
        connections.readers.push_back(std::move(reader));
        KN_TRY(look_up, Connection::open(options.path, Connection::Mode::read));
        connections.look_ups.push_back(std::move(look_up));
    }
    return std::make_unique<SqliteStore>(options, std::move(connections), std::move(catalog));
}

}  // namespace kinodex::store
