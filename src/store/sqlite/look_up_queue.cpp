#include "store/sqlite/look_up_queue.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>

namespace kinodex::store::sqlite {

namespace asio = boost::asio;

LookUpQueue::LookUpQueue(std::vector<std::unique_ptr<Connection>> connections, LookUpLimits limits)
    : limits_(limits),
      width_(connections.size()),
      free_(std::move(connections)),
      lane_("meta_look_up", width_, width_) {}

LookUpQueue::~LookUpQueue() {
    stop();
}

void LookUpQueue::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        if (!waiting_.empty() && free_.size() == width_) {
            start_thread();
        }
    }
    lane_.stop();
    const std::lock_guard lock(mutex_);
    free_.clear();
}

void LookUpQueue::submit(std::unique_ptr<LookUp> look_up) {
    const auto executor = look_up->executor();
    switch (enqueue(look_up)) {
        case Entry::refused: {
            look_up->refuse(base::fail(base::Errc::overloaded, {{"queue", lane_.name()}}).error());
            Batch alone;
            alone.push_back(std::move(look_up));
            answer(std::move(alone));
            break;
        }
        case Entry::first:
            // A thread is woken after whatever else is ready on this executor: under load many
            // look-ups come in one go, and alone one waits for nothing.
            asio::post(executor, [this] { flush(); });
            break;
        case Entry::taken:
            break;
    }
}

LookUpQueue::Entry LookUpQueue::enqueue(std::unique_ptr<LookUp>& look_up) {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= limits_.waiting_max) {
        return Entry::refused;
    }
    waiting_.push_back(std::move(look_up));
    return std::exchange(flush_claimed_, true) ? Entry::taken : Entry::first;
}

/// Starts a thread when those about to look for more will not take all that waits.
void LookUpQueue::flush() {
    const std::lock_guard lock(mutex_);
    flush_claimed_ = false;
    const auto looking = width_ - free_.size() - working_;
    if (waiting_.size() > looking * limits_.batch_max && !free_.empty()) {
        start_thread();
    }
}

/// Under the mutex, and with a connection free.
void LookUpQueue::start_thread() {
    auto drained = [this, db = std::move(free_.back())]() mutable { drain(std::move(db)); };
    free_.pop_back();
    // Refused only by a lane that has stopped, and then nothing waits.
    (void)lane_.post(std::move(drained));
}

void LookUpQueue::drain(std::unique_ptr<Connection> db) {
    for (auto batch = take_batch(db); !batch.empty(); batch = take_batch(db)) {
        run_together(*db, batch);
        {
            // The callers' threads need not wake another one: this one is about to look again.
            const std::lock_guard lock(mutex_);
            --working_;
        }
        answer(std::move(batch));
    }
}

/// What waits, up to the bound; when nothing does, the connection is given back.
LookUpQueue::Batch LookUpQueue::take_batch(std::unique_ptr<Connection>& db) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
        free_.push_back(std::move(db));
        return {};
    }
    const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), limits_.batch_max));
    Batch batch(std::make_move_iterator(waiting_.begin()),
                std::make_move_iterator(waiting_.begin() + count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    ++working_;
    return batch;
}

void LookUpQueue::run_together(Connection& db, Batch& batch) {
    // Without a transaction, which fails only when memory runs out, the look-ups are as right and
    // only slower; SQLite ends one by itself after some errors.
    const bool together = batch.size() > 1 && Query(db, "BEGIN").done().has_value();
    for (auto& look_up : batch) {
        look_up->run(db);
    }
    if (together && sqlite3_get_autocommit(db.handle()) == 0) {
        (void)Query(db, "COMMIT").done();  // nothing was written
    }
}

/// Resumes the callers, those of one executor in one go.
void LookUpQueue::answer(Batch batch) {
    while (!batch.empty()) {
        const auto executor = batch.front()->executor();
        Batch group;
        Batch others;
        group.reserve(batch.size());
        for (auto& look_up : batch) {
            (look_up->executor() == executor ? group : others).push_back(std::move(look_up));
        }
        batch = std::move(others);
        asio::post(executor, [group = std::move(group)]() mutable {
            for (auto& look_up : group) {
                look_up->answer();
                look_up.reset();
            }
        });
    }
}

}  // namespace kinodex::store::sqlite
