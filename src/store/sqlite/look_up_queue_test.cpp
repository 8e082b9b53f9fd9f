// Look-ups: what waits shares a transaction, nobody sees less than a write that was answered, and
// nobody waits for one that is held up.
#include "store/sqlite/look_up_queue.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <semaphore>
#include <thread>

#include "store/conformance/conformance.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/temp_dir.h"

namespace kinodex::store::sqlite {
namespace {

namespace asio = boost::asio;
using conformance::wait;
using conformance::wait_all;
using runtime::Asked;
using runtime::Task;

/// A database with one row that counts.
class LookUps : public testing::Test {
  protected:
    LookUps() : path_(directory_.path() / "test.db"), writer_(open(Connection::Mode::write)) {
        EXPECT_TRUE(writer_->run("CREATE TABLE t (n INTEGER) STRICT; INSERT INTO t VALUES (0)"));
    }
    std::unique_ptr<Connection> open(Connection::Mode mode) {
        auto connection = Connection::open(path_, mode);
        EXPECT_TRUE(connection) << connection.error().detail;
        return std::move(*connection);
    }
    std::unique_ptr<LookUpQueue> queue(std::size_t threads, LookUpLimits limits) {
        std::vector<std::unique_ptr<Connection>> connections;
        for (std::size_t i = 0; i < threads; ++i) {
            connections.push_back(open(Connection::Mode::read));
        }
        return std::make_unique<LookUpQueue>(std::move(connections), limits);
    }
    static base::Result<std::int64_t> count(Connection& db) {
        Query query(db, "SELECT n FROM t");
        KN_PASS(query.step());
        return query.integer(0);
    }
    void add_one() { EXPECT_TRUE(writer_->run("UPDATE t SET n = n + 1")); }

    const TempDir directory_;
    const std::string path_;
    std::unique_ptr<Connection> writer_;
};

TEST_F(LookUps, what_waits_shares_a_transaction_up_to_the_bound) {
    auto look_ups = queue(1, {100, 4});
    std::vector<Asked<std::int64_t>> calls;
    for (int i = 0; i < 8; ++i) {
        // The first of all changes the row while its transaction is open.
        calls.push_back(look_ups->run<std::int64_t>([this, i](Connection& db) {
            auto seen = count(db);
            if (i == 0) {
                add_one();
            }
            return seen;
        }));
    }
    std::vector<std::int64_t> seen;
    for (const auto& answer : wait_all(std::move(calls))) {
        seen.push_back(answer.value());
    }
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 1, 1}));
    EXPECT_EQ(wait(look_ups->run<std::int64_t>(&count)).value(), 1);
}

TEST_F(LookUps, one_that_fails_fails_alone) {
    auto look_ups = queue(1, {});
    std::vector<Asked<std::int64_t>> calls;
    for (int i = 0; i < 3; ++i) {
        calls.push_back(
            look_ups->run<std::int64_t>([i](Connection& db) -> base::Result<std::int64_t> {
                return i == 1 ? base::fail(base::Errc::resource_not_exist) : count(db);
            }));
    }
    const auto answers = wait_all(std::move(calls));
    EXPECT_TRUE(answers[0]);
    EXPECT_EQ(answers[1].error().code, base::Errc::resource_not_exist);
    EXPECT_TRUE(answers[2]);
}

TEST_F(LookUps, beyond_the_bound_are_refused) {
    auto look_ups = queue(1, {4, 2});
    std::vector<Asked<std::int64_t>> calls;
    for (int i = 0; i < 10; ++i) {
        calls.push_back(look_ups->run<std::int64_t>(&count));
    }
    const auto answers = wait_all(std::move(calls));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        EXPECT_EQ(answers[i].has_value(), i < 4) << i;
    }
    EXPECT_EQ(answers[9].error().code, base::Errc::overloaded);
    EXPECT_EQ(answers[9].error().value("queue"), "meta_look_up");
}

/// Starts a call whose outcome lands in `out`.
template <class T>
void start(asio::io_context& io, Asked<T> asked, std::optional<base::Result<T>>& out) {
    auto story = [](Asked<T> call, std::optional<base::Result<T>>& result) -> Task<void> {
        result.emplace(co_await std::move(call));
    };
    asio::co_spawn(io, story(std::move(asked), out), asio::detached);
}

TEST_F(LookUps, stop_finishes_what_waits_and_then_refuses) {
    auto look_ups = queue(1, {});
    asio::io_context io;
    std::optional<base::Result<std::int64_t>> waiting;
    start(io, look_ups->run<std::int64_t>(&count), waiting);
    ASSERT_EQ(io.poll_one(), 1u);  // it waits, and nobody has woken a thread yet
    look_ups->stop();
    io.run();
    EXPECT_EQ(waiting->value(), 0);
    EXPECT_EQ(wait(look_ups->run<std::int64_t>(&count)).error().code, base::Errc::overloaded);
    look_ups->stop();
}

TEST_F(LookUps, one_that_is_held_up_holds_up_no_later_one) {
    auto look_ups = queue(2, {});
    asio::io_context io;
    std::binary_semaphore started(0);
    std::binary_semaphore gate(0);
    std::optional<base::Result<std::int64_t>> first;
    auto held_up = [&](Connection& db) {
        started.release();
        gate.acquire();
        return count(db);
    };
    start(io, look_ups->run<std::int64_t>(held_up), first);
    io.poll();
    started.acquire();
    EXPECT_EQ(wait(look_ups->run<std::int64_t>(&count)).value(), 0);
    EXPECT_FALSE(first);
    gate.release();
    io.run();
    EXPECT_EQ(first->value(), 0);
}

TEST_F(LookUps, answers_of_one_batch_reach_each_callers_own_thread) {
    auto look_ups = queue(1, {});
    asio::io_context here;
    asio::io_context there;
    std::thread::id resumed_here;
    std::thread::id resumed_there;
    auto story = [&look_ups](std::thread::id& resumed) -> Task<void> {
        EXPECT_TRUE(co_await look_ups->run<std::int64_t>(&count));
        resumed = std::this_thread::get_id();
    };
    asio::co_spawn(here, story(resumed_here), asio::detached);
    asio::co_spawn(there, story(resumed_there), asio::detached);
    ASSERT_EQ(here.poll_one() + there.poll_one(), 2u);  // both wait now
    runtime::Lane other("other", 1, 1);
    std::thread::id other_thread;
    ASSERT_TRUE(other.post([&] {
        other_thread = std::this_thread::get_id();
        there.run();
    }));
    here.run();
    other.stop();
    EXPECT_EQ(resumed_here, std::this_thread::get_id());
    EXPECT_EQ(resumed_there, other_thread);
}

Task<void> write_then_look(Store& store, int rounds, int& missed) {
    const auto account = domain::AccountId::next();
    for (int i = 0; i < rounds; ++i) {
        domain::Asset asset;
        asset.id = domain::AssetId::next();
        asset.account_id = account;
        const auto written = co_await store.insert_asset(asset, {});
        const auto found = co_await store.find_asset(account, asset.id);
        missed += written && found ? 0 : 1;
    }
}

TEST(SqliteStore, look_up_after_an_answered_write_sees_it) {
    const TempDir directory;
    auto store = open_sqlite_store({directory.path() / "kinodex.db"});
    ASSERT_TRUE(store);
    asio::io_context io;
    int missed = 0;
    for (int client = 0; client < 16; ++client) {
        asio::co_spawn(io, write_then_look(**store, 20, missed), asio::detached);
    }
    io.run();
    EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace kinodex::store::sqlite
