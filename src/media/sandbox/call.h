// One call as its two ends share it: the coroutine that awaits, and the pool that answers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "media/sandbox/messages.h"

namespace kinodex::media {

class WorkerPool;

/// What woke the caller: the newest progress, or the end.
struct Happening {
    std::optional<double> progress;
    std::optional<Outcome> outcome;
};

class Call : public std::enable_shared_from_this<Call> {
  public:
    explicit Call(std::weak_ptr<WorkerPool> pool) : pool_(std::move(pool)) {}

    /// Waits for progress or the outcome; resumes on the awaiting executor. One waiter at a time.
    /// Cancelling the wait kills the child, and the outcome then says so.
    runtime::Task<Happening> next();

    // The pool's end.
    void make_progress(double value);
    void finish(Outcome outcome);  // the first one counts
    /// Tells the pool that nobody waits any more.
    void abandon();

  private:
    void wake();

    std::weak_ptr<WorkerPool> pool_;  // weak: the pool holds calls too
    std::mutex mutex_;
    Happening news_;
    bool finished_ = false;
    std::move_only_function<void()> resume_;
};

/// Abandons the call when the awaiting frame ends.
class CallOwner {
  public:
    explicit CallOwner(std::shared_ptr<Call> call) : call_(std::move(call)) {}
    ~CallOwner() { call_->abandon(); }
    CallOwner(const CallOwner&) = delete;
    CallOwner& operator=(const CallOwner&) = delete;

  private:
    std::shared_ptr<Call> call_;  // shared with the pool until the child has ended
};

}  // namespace kinodex::media
