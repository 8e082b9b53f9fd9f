// Runs durable jobs: leases them from the store, keeps the leases alive, retries with back-off.
//
// A job's work may run twice: after a kill, or when a lease ran out. It is written so that a second
// run finds what the first one did. Start reading at Runner::start.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "store/store.h"

namespace kinodex::jobs {

/// What the work of a job came to. Everything that can be told to a user is written by the work
/// itself; the runner only needs to know whether to come back. `later` is `retry` for what is no
/// matter of the job, e.g. a full disk: it does not count as an attempt, and the pause stays short.
enum class Outcome { done, retry, later };

/// `should_stop` turns true when the lease was lost or the server stops; long work looks now and
/// then, and returns retry.
struct JobContext {
    domain::Job job;
    std::shared_ptr<const std::atomic<bool>> should_stop;
};

using Work = std::function<runtime::Task<Outcome>(JobContext)>;

struct RunnerOptions {
    std::string owner;  // unique to this process
    int width = 2;      // jobs at once
    std::chrono::milliseconds lease{60'000};
    std::chrono::milliseconds poll{1'000};  // how long an idle worker waits without being woken
};

/// The pause after `later`.
inline constexpr std::chrono::milliseconds kLaterPause{15'000};
/// The pause before attempt `attempts + 1`: 1 s, 2 s, 4 s, … at most 5 min.
std::chrono::milliseconds backoff(int attempts);

class Runner {
  public:
    Runner(const boost::asio::any_io_executor& executor, store::Store& store, RunnerOptions options,
           std::map<domain::JobKind, Work> works);
    ~Runner();

    void start();
    /// A job was added: look now. Any thread.
    void wake();
    /// Takes no more jobs and tells running ones to stop; `stopped` tells when all are back.
    /// Any thread.
    void begin_stop();
    [[nodiscard]] bool stopped() const;
    [[nodiscard]] int running() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kinodex::jobs
