#include "store/sqlite/write_queue.h"

#include <algorithm>

namespace kinodex::store::sqlite {
namespace {

// A checkpoint copies pages from the log into the database and syncs twice. Doing it when nobody
// waits costs nobody anything; while writers keep coming it waits until the log is this long.
constexpr int kIdleCheckpointPages = 1'000;    // 4 MB
constexpr int kForcedCheckpointPages = 8'000;  // 32 MB

/// SQLite gives up the transaction by itself on a full disk and on I/O errors.
bool in_transaction(Connection& db) {
    return sqlite3_get_autocommit(db.handle()) == 0;
}

base::Status run_cached(Connection& db, std::string_view sql) {
    return Query(db, sql).done();
}

}  // namespace

WriteQueue::WriteQueue(std::unique_ptr<Connection> connection, Catalog& catalog, WriteLimits limits)
    : connection_(std::move(connection)),
      catalog_(catalog),
      limits_(limits),
      lane_("meta_write", 1, 1) {
    const auto count_pages = [](void* pages, sqlite3*, const char*, int in_log) {
        *static_cast<int*>(pages) = in_log;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(connection_->handle(), count_pages, &wal_pages_);
}

WriteQueue::~WriteQueue() {
    stop();
}

void WriteQueue::repeat(std::function<base::Result<bool>(WriteTurn&)> step) {
    auto more = std::make_shared<bool>(false);
    Request request;
    request.work = [more, step](WriteTurn& turn) -> base::Status {
        KN_TRY(is_more, step(turn));
        *more = is_more;
        return {};
    };
    request.answer = [this, more, step](const base::Status& outcome) {
        if (outcome && *more) {
            repeat(step);
        }
    };
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) {
            return;
        }
    }
    (void)submit(request);  // refused by a full queue, it goes on at the next start
}

void WriteQueue::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    lane_.stop();
    connection_.reset();
}

bool WriteQueue::submit(Request& request) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= limits_.waiting_max) {
        return false;
    }
    waiting_.push_back(std::move(request));
    if (draining_) {
        return true;
    }
    draining_ = lane_.post([this] { drain(); });
    if (!draining_) {  // stopped
        request = std::move(waiting_.back());
        waiting_.pop_back();
    }
    return draining_;
}

void WriteQueue::drain() {
    while (true) {
        auto batch = take_batch();
        if (batch.empty()) {
            return;
        }
        commit_batch(batch);
        bool idle = false;
        {
            const std::lock_guard lock(mutex_);
            idle = waiting_.empty();
        }
        checkpoint_when_due(idle);
    }
}

std::vector<WriteQueue::Request> WriteQueue::take_batch() {
    const std::lock_guard lock(mutex_);
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), limits_.batch_max));
    std::vector<Request> batch(std::make_move_iterator(waiting_.begin()),
                               std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    draining_ = !batch.empty();
    return batch;
}

void WriteQueue::commit_batch(std::vector<Request>& batch) {
    std::vector<base::Status> outcomes(batch.size());
    std::vector<CatalogChange> changes;
    auto together = run_all(batch, outcomes, changes);
    if (together) {
        catalog_.publish(std::move(changes));
    } else {
        if (in_transaction(*connection_)) {
            (void)run_cached(*connection_, "ROLLBACK");  // the first failure is reported
        }
        std::ranges::fill(outcomes, together);
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i].answer(std::move(outcomes[i]));
    }
}

base::Status WriteQueue::run_all(std::vector<Request>& batch, std::vector<base::Status>& outcomes,
                                 std::vector<CatalogChange>& changes) {
    KN_PASS(run_cached(*connection_, "BEGIN IMMEDIATE"));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        KN_PASS(run_one(batch[i], changes, outcomes[i]));
    }
    return run_cached(*connection_, "COMMIT");
}

base::Status WriteQueue::run_one(Request& request, std::vector<CatalogChange>& changes,
                                 base::Status& outcome) {
    KN_PASS(run_cached(*connection_, "SAVEPOINT request"));
    WriteTurn turn{*connection_, {}};
    outcome = request.work(turn);
    if (!in_transaction(*connection_)) {
        return outcome ? base::fail(base::Errc::internal, {}, "the transaction ended by itself")
                       : outcome;
    }
    if (outcome) {
        std::ranges::move(turn.changes, std::back_inserter(changes));
    } else {
        KN_PASS(run_cached(*connection_, "ROLLBACK TO request"));
    }
    return run_cached(*connection_, "RELEASE request");
}

void WriteQueue::checkpoint_when_due(bool idle) {
    if (wal_pages_ < (idle ? kIdleCheckpointPages : kForcedCheckpointPages)) {
        return;
    }
    int in_log = 0;
    int copied = 0;
    // PASSIVE waits for nobody; what readers still need stays in the log until the next time. A
    // failure (full disk) loses nothing: the log keeps the pages.
    const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr,
                                               SQLITE_CHECKPOINT_PASSIVE, &in_log, &copied);
    wal_pages_ = code == SQLITE_OK ? std::max(0, in_log - copied) : 0;
}

}  // namespace kinodex::store::sqlite
