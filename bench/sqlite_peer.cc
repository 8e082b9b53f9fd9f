// kn_bench_sqlite: how many durable metadata updates a second bare SQLite makes when the updates
// of many writers share a commit. The peer of the PATCH row.
//
//     kn_bench_sqlite --database seeded.db --writers 32 --seconds 4
//
// Writers each wait for their update to be durable before they ask for the next one, as clients
// do. One thread takes everything that waits into one transaction, with synchronous=FULL in WAL.
// Prints {"updates":N,"commits":N,"seconds":S}.
#include <fmt/format.h>
#include <sqlite3.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Id = std::array<unsigned char, 12>;

class Database {
  public:
    explicit Database(const std::string& path) {
        check(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr));
        run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;"
            "PRAGMA mmap_size=4294967296");
    }
    ~Database() {
        sqlite3_finalize(update_);
        sqlite3_close(db_);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

    /// Every `step`th id, so that updates fall all over the table.
    std::vector<Id> ids(int step) {
        sqlite3_stmt* query = nullptr;
        check(sqlite3_prepare_v2(db_, "SELECT id FROM indexed_assets WHERE number % ? = 0", -1,
                                 &query, nullptr));
        sqlite3_bind_int(query, 1, step);
        std::vector<Id> found;
        while (sqlite3_step(query) == SQLITE_ROW) {
            const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(query, 0));
            Id id{};
            std::copy_n(bytes, id.size(), id.begin());
            found.push_back(id);
        }
        sqlite3_finalize(query);
        return found;
    }

    void update(const Id& id, const std::string& metadata, std::int64_t now_ms) {
        if (update_ == nullptr) {
            check(sqlite3_prepare_v2(
                db_, "UPDATE indexed_assets SET user_metadata = ?, updated_ms = ? WHERE id = ?", -1,
                &update_, nullptr));
        }
        sqlite3_bind_text(update_, 1, metadata.data(), static_cast<int>(metadata.size()),
                          SQLITE_TRANSIENT);
        sqlite3_bind_int64(update_, 2, now_ms);
        sqlite3_bind_blob(update_, 3, id.data(), static_cast<int>(id.size()), SQLITE_TRANSIENT);
        const int code = sqlite3_step(update_);
        sqlite3_reset(update_);
        check(code == SQLITE_DONE ? SQLITE_OK : code);
    }

  private:
    void check(int code) {
        if (code != SQLITE_OK) {
            throw std::runtime_error(db_ == nullptr ? "no memory" : sqlite3_errmsg(db_));
        }
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt* update_ = nullptr;
};

struct Wish {
    const Id* id;
    std::string metadata;
    std::binary_semaphore* done;
};

class Queue {
  public:
    void put(Wish wish) {
        {
            const std::lock_guard lock(mutex_);
            waiting_.push_back(std::move(wish));
        }
        filled_.notify_one();
    }
    /// Everything that waits; empty once closed.
    std::vector<Wish> take() {
        std::unique_lock lock(mutex_);
        filled_.wait(lock, [this] { return !waiting_.empty() || closed_; });
        return std::exchange(waiting_, {});
    }
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        filled_.notify_one();
    }

  private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::vector<Wish> waiting_;
    bool closed_ = false;
};

void write_until(Queue& queue, const std::vector<Id>& ids, std::size_t writer,
                 Clock::time_point end) {
    constexpr std::size_t kStride = 7'919;  // a prime: writers wander apart
    std::binary_semaphore done(0);
    for (std::size_t turn = 0; Clock::now() < end; ++turn) {
        const auto& id = ids[(writer * kStride + turn * 31) % ids.size()];
        queue.put({&id,
                   fmt::format(R"({{"category":"category-{}","batchNumber":{},"rating":4.5}})",
                               writer % 10, turn),
                   &done});
        done.acquire();
    }
}

struct Totals {
    std::int64_t updates = 0;
    std::int64_t commits = 0;
};

void commit_all(Database& db, const std::vector<Wish>& wishes) {
    const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    db.run("BEGIN IMMEDIATE");
    for (const auto& wish : wishes) {
        db.update(*wish.id, wish.metadata, now_ms);
    }
    db.run("COMMIT");
    for (const auto& wish : wishes) {
        wish.done->release();
    }
}

Totals measure(Database& db, const std::vector<Id>& ids, std::size_t writers,
               Clock::time_point end) {
    Queue queue;
    Totals totals;
    std::jthread committer([&] {
        for (auto wishes = queue.take(); !wishes.empty(); wishes = queue.take()) {
            commit_all(db, wishes);
            totals.updates += static_cast<std::int64_t>(wishes.size());
            totals.commits += 1;
        }
    });
    {
        std::vector<std::jthread> threads;
        threads.reserve(writers);
        for (std::size_t writer = 0; writer < writers; ++writer) {
            threads.emplace_back(
                [&queue, &ids, writer, end] { write_until(queue, ids, writer, end); });
        }
    }
    queue.close();
    committer.join();
    return totals;
}

}  // namespace

int main(int argc, char** argv) {
    std::string path;
    std::size_t writers = 32;
    double seconds = 4;
    CLI::App app{"Durable updates a second of bare SQLite with group commit"};
    app.add_option("--database", path, "seeded by kn_seed_store")->required();
    app.add_option("--writers", writers)->check(CLI::Range(1, 1'000));
    app.add_option("--seconds", seconds)->check(CLI::Range(0.1, 60.0));
    CLI11_PARSE(app, argc, argv);
    try {
        Database db(path);
        constexpr int kEveryNth = 50;
        const auto ids = db.ids(kEveryNth);
        if (ids.empty()) {
            throw std::runtime_error("the database has no indexed assets");
        }
        const auto start = Clock::now();
        const auto length =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
        const auto totals = measure(db, ids, writers, start + length);
        const double took = std::chrono::duration<double>(Clock::now() - start).count();
        fmt::print("{{\"updates\":{},\"commits\":{},\"seconds\":{:.3f}}}\n", totals.updates,
                   totals.commits, took);
    } catch (const std::exception& problem) {
        fmt::print(stderr, "kn_bench_sqlite: {}\n", problem.what());
        return 1;
    }
    return 0;
}
