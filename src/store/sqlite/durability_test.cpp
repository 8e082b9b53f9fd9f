// What SQLite itself must survive: kill -9, a full disk, a newer schema, another process, and more
// writes than the queue holds.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/unique_fd.h"
#include "store/conformance/conformance.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/temp_dir.h"

namespace kinodex::store::sqlite {
namespace {

using conformance::wait;
using conformance::wait_all;

const domain::AccountId kAccount = domain::AccountId::next();

std::unique_ptr<Store> open_or_die(SqliteOptions options) {
    auto store = open_sqlite_store(std::move(options));
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().detail.c_str());
        std::abort();
    }
    return std::move(*store);
}

domain::Asset new_asset(std::size_t text_bytes = 0) {
    domain::Asset asset;
    asset.id = domain::AssetId::next();
    asset.account_id = kAccount;
    asset.created_at = base::now();
    asset.technical_metadata = std::string(text_bytes, 'x');
    return asset;
}

class Pipe {
  public:
    Pipe() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        read_.reset(ends[0]);
        write_.reset(ends[1]);
    }
    base::UniqueFd& read_end() { return read_; }
    base::UniqueFd& write_end() { return write_; }

  private:
    base::UniqueFd read_;
    base::UniqueFd write_;
};

/// Inserts assets, each with a job, until it is killed; writes the id of each acknowledged one.
[[noreturn]] void insert_until_killed(const std::string& path, int out) {
    auto store = open_or_die({path});
    boost::asio::io_context io;
    auto client = [&]() -> runtime::Task<void> {
        while (true) {
            const auto asset = new_asset();
            const auto done = co_await store->insert_asset(
                asset, {{domain::JobKind::ingest_asset, asset.id.text()}});
            if (!done || ::write(out, asset.id.bytes().data(), 12) != 12) {
                std::abort();
            }
        }
    };
    for (int i = 0; i < 8; ++i) {
        boost::asio::co_spawn(io, client(), boost::asio::detached);
    }
    io.run();
    ::_exit(0);
}

std::vector<domain::AssetId> read_ids(int in, std::size_t count_max) {
    std::vector<domain::AssetId> ids;
    base::IdBytes bytes{};
    while (ids.size() < count_max && ::read(in, bytes.data(), bytes.size()) == 12) {
        ids.emplace_back(bytes);
    }
    return ids;
}

TEST(SqliteDurability, every_acknowledged_write_survives_kill_9) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    std::vector<domain::AssetId> acknowledged;
    for (const std::size_t writes : {1u, 100u, 1'000u}) {
        Pipe pipe;
        const auto child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            insert_until_killed(path, pipe.write_end().get());
        }
        pipe.write_end().reset();
        const auto first = read_ids(pipe.read_end().get(), writes);
        ASSERT_EQ(first.size(), writes);
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        const auto rest = read_ids(pipe.read_end().get(), std::numeric_limits<std::size_t>::max());
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));
        acknowledged.insert(acknowledged.end(), first.begin(), first.end());
        acknowledged.insert(acknowledged.end(), rest.begin(), rest.end());

        auto store = open_or_die({path});
        const auto there = wait(store->assets_exist(acknowledged)).value();
        for (std::size_t i = 0; i < there.size(); ++i) {
            ASSERT_TRUE(there[i]) << i << " of " << there.size();
        }
        // Row and job came together or not at all.
        EXPECT_EQ(wait(store->list_assets(kAccount, {}, {}))->total,
                  wait(store->count_jobs())->waiting);
        store->close();
    }
}

TEST(SqliteDurability, newer_schema_is_refused_with_a_reason) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    open_or_die({path})->close();
    {
        auto db = Connection::open(path, Connection::Mode::write);
        ASSERT_TRUE(db && (*db)->run("PRAGMA user_version=1000"));
    }
    const auto store = open_sqlite_store({path});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, base::Errc::internal);
    EXPECT_NE(store.error().detail.find("1000"), std::string::npos) << store.error().detail;
}

TEST(SqliteDurability, database_of_the_first_version_is_brought_up_to_date) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    const auto id = domain::AssetId::next();
    {
        auto db = Connection::open(path, Connection::Mode::write);
        ASSERT_TRUE(db && migrate(**db, 1));
        Query query(
            **db,
            "INSERT INTO assets (id, account_id, status, method, type, filename, file_type, "
            "created_ms, hls, thumbnail, error_message, user_metadata, technical_metadata) "
            "VALUES (?, ?, 1, 0, 1, 'old.mp4', 'video/mp4', 1, 0, 0, '', '{}', '{}')");
        ASSERT_TRUE(query.with(id, kAccount).done());
    }
    const auto store = open_or_die({path});
    const auto asset = wait(store->find_asset(kAccount, id));
    ASSERT_TRUE(asset);
    EXPECT_EQ(asset->filename, "old.mp4");
    EXPECT_EQ(asset->source_url, "");
    store->close();
}

TEST(SqliteDurability, deliveries_that_were_jobs_once_are_due_without_them) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    const auto id = domain::DeliveryId::next();
    {
        auto db = Connection::open(path, Connection::Mode::write);
        ASSERT_TRUE(db && migrate(**db, 10));
        Query query(**db,
                    "INSERT INTO deliveries (id, event_id, type, subject, url, body, state, "
                    "attempts, last_error, created_ms) "
                    "VALUES (?, 'e', 't', 's', 'https://a.example/', '{}', 0, 3, '', 1)");
        ASSERT_TRUE(query.with(id).done());
        Query job(**db,
                  "INSERT INTO jobs (id, kind, subject, attempts, run_at_ms, ready_ms) "
                  "VALUES (?, ?, ?, 3, 1, 1)");
        const auto subject = id.text();
        job.with(domain::JobId::next(), domain::JobKind::deliver, std::string_view(subject));
        ASSERT_TRUE(job.done());
    }
    const auto store = open_or_die({path});
    EXPECT_EQ(wait(store->count_jobs())->waiting, 0);
    const auto due = wait(store->webhooks().due_deliveries("https://a.example/", base::now(), 10));
    ASSERT_EQ(due.value().size(), 1u);
    EXPECT_EQ((*due)[0].id, id);
    EXPECT_EQ((*due)[0].attempts, 3);
    EXPECT_EQ((*due)[0].account_name, "");
    store->close();
}

TEST(SqliteDurability, what_is_not_a_database_is_refused) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    std::ofstream(path) << std::string(8'192, 'x');
    EXPECT_FALSE(open_sqlite_store({path}));
    EXPECT_FALSE(open_sqlite_store({directory.path() / "no such folder" / "kinodex.db"}));
}

/// Writes until storage_full; returns what was acknowledged.
std::vector<domain::AssetId> fill(Store& store) {
    std::vector<domain::AssetId> acknowledged;
    constexpr int kWritesMax = 100'000;  // far more than any test volume holds
    for (int i = 0; i < kWritesMax; ++i) {
        const auto asset = new_asset(2'000);
        const auto done = wait(store.insert_asset(asset, {}));
        if (!done) {
            EXPECT_EQ(done.error().code, base::Errc::storage_full) << done.error().detail;
            return acknowledged;
        }
        acknowledged.push_back(asset.id);
    }
    ADD_FAILURE() << "never full";
    return acknowledged;
}

void expect_all(Store& store, const std::vector<domain::AssetId>& ids) {
    const auto there = wait(store.assets_exist(ids)).value();
    EXPECT_EQ(std::count(there.begin(), there.end(), true), static_cast<long>(ids.size()));
    EXPECT_EQ(wait(store.list_assets(kAccount, {}, {}))->total, static_cast<long>(ids.size()));
}

TEST(SqliteDurability, full_database_refuses_and_keeps_what_it_has) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    SqliteOptions options{path};
    options.pages_max = 200;
    auto store = open_or_die(options);
    auto ids = fill(*store);
    ASSERT_GT(ids.size(), 10u);
    expect_all(*store, ids);
    // A batch in which some fit and some do not: everybody is told the truth.
    std::vector<domain::Asset> assets;
    std::vector<Asked<void>> calls;
    for (int i = 0; i < 20; ++i) {
        assets.push_back(new_asset(2'000));
        calls.push_back(store->insert_asset(assets.back(), {}));
    }
    const auto outcomes = wait_all(std::move(calls));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i]) {
            ids.push_back(assets[i].id);
        }
    }
    expect_all(*store, ids);
    store->close();
    store = open_or_die({path});
    expect_all(*store, ids);
    EXPECT_TRUE(wait(store->insert_asset(new_asset(2'000), {})));
}

TEST(SqliteDurability, full_disk_refuses_and_recovers_when_space_returns) {
    const TempDir directory;
    if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=4m") != 0) {
        GTEST_SKIP() << "mounting a small file system needs root";
    }
    const std::string ballast = directory.path() / "ballast";
    {
        const std::string path = directory.path() / "kinodex.db";
        std::ofstream(ballast) << std::string(2 << 20, 'x');
        auto store = open_or_die({path});
        auto ids = fill(*store);
        EXPECT_GT(ids.size(), 10u);
        expect_all(*store, ids);
        EXPECT_TRUE(wait(store->ping()));
        std::filesystem::remove(ballast);
        const auto asset = new_asset(2'000);
        EXPECT_TRUE(wait(store->insert_asset(asset, {})));
        ids.push_back(asset.id);
        store->close();
        store.reset();
        store = open_or_die({path});
        expect_all(*store, ids);
    }
    EXPECT_EQ(::umount(directory.path().c_str()), 0);
}

TEST(SqliteDurability, another_process_changes_keys_while_the_server_writes) {
    const TempDir directory;
    const std::string path = directory.path() / "kinodex.db";
    open_or_die({path})->close();
    Pipe go;
    constexpr int kKeys = 50;
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        char byte = 0;
        (void)!::read(go.read_end().get(), &byte, 1);
        SqliteOptions options{path};
        options.with_listings = false;
        auto store = open_or_die(options);
        bool made = true;
        for (int i = 0; i < kKeys; ++i) {
            NewApiKey key{"main", "cli", "kx", {}};
            key.hash.fill(static_cast<std::uint8_t>(i));
            made = made && wait(store->create_key(key)).has_value();
        }
        store->close();
        ::_exit(made ? 0 : 1);
    }
    auto store = open_or_die({path});
    const auto before = wait(store->keys_version()).value();
    ASSERT_EQ(::write(go.write_end().get(), "g", 1), 1);
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        ASSERT_TRUE(wait(store->insert_asset(new_asset(), {})));
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(wait(store->keys_version()), before + kKeys);
    EXPECT_EQ(wait(store->list_keys())->size(), static_cast<std::size_t>(kKeys));
}

TEST(SqliteDurability, writes_beyond_the_queue_are_refused_and_not_done) {
    const TempDir directory;
    SqliteOptions options{directory.path() / "kinodex.db"};
    options.writes_waiting_max = 4;
    options.write_batch_max = 2;
    auto store = open_or_die(options);
    std::vector<Asked<void>> calls;
    for (int i = 0; i < 500; ++i) {
        calls.push_back(store->insert_asset(new_asset(), {}));
    }
    std::int64_t done = 0;
    std::int64_t refused = 0;
    for (const auto& outcome : wait_all(std::move(calls))) {
        done += outcome ? 1 : 0;
        if (!outcome) {
            EXPECT_EQ(outcome.error().code, base::Errc::overloaded);
            EXPECT_EQ(outcome.error().value("queue"), "meta_write");
            ++refused;
        }
    }
    EXPECT_GT(refused, 0);
    EXPECT_EQ(wait(store->list_assets(kAccount, {}, {}))->total, done);
}

TEST(SqliteDurability, closed_store_refuses) {
    const TempDir directory;
    auto store = open_or_die({directory.path() / "kinodex.db"});
    store->close();
    EXPECT_EQ(wait(store->insert_asset(new_asset(), {})).error().code, base::Errc::overloaded);
    EXPECT_EQ(wait(store->ping()).error().code, base::Errc::overloaded);
    store->close();
}

}  // namespace
}  // namespace kinodex::store::sqlite
