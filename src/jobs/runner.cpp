#include "jobs/runner.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <unordered_map>

#include "domain/names.h"
#include "observe/log.h"

namespace kinodex::jobs {
namespace {

namespace asio = boost::asio;
using runtime::Task;

constexpr std::chrono::milliseconds kBackoffMax{5 * 60 * 1000};

std::string detail_of(const std::exception_ptr& problem) {
    try {
        std::rethrow_exception(problem);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "not a standard exception";
    }
}

}  // namespace

std::chrono::milliseconds backoff(int attempts) {
    const int doublings = std::clamp(attempts - 1, 0, 20);
    return std::min(kBackoffMax, std::chrono::milliseconds(1000LL << doublings));
}

/// Everything below runs on one strand, so plain members need no lock; the atomics are what other
/// threads look at.
struct Runner::State : std::enable_shared_from_this<Runner::State> {
    using StopFlag = std::shared_ptr<std::atomic<bool>>;

    asio::strand<asio::any_io_executor> strand;
    store::Store& store;
    RunnerOptions options;
    std::map<domain::JobKind, Work> works;
    std::vector<domain::JobKind> kinds;
    asio::steady_timer wake_timer;
    asio::steady_timer beat_timer;
    std::unordered_map<std::string, StopFlag> running_jobs;
    std::uint64_t wakes = 0;
    std::atomic<bool> stopping = false;
    std::atomic<int> live_coroutines = 0;
    std::atomic<int> running = 0;

    State(const asio::any_io_executor& executor, store::Store& the_store, RunnerOptions the_options,
          std::map<domain::JobKind, Work> the_works)
        : strand(asio::make_strand(executor)),
          store(the_store),
          options(std::move(the_options)),
          works(std::move(the_works)),
          wake_timer(strand),
          beat_timer(strand) {
        for (const auto& [kind, work] : works) {
            kinds.push_back(kind);
        }
    }

    static Task<void> wait(asio::steady_timer& timer, std::chrono::milliseconds time) {
        timer.expires_after(time);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    void spawn(Task<void> story) {
        ++live_coroutines;
        auto self = shared_from_this();
        // Owned by `live_coroutines`: stopped() is true only when all of them have ended.
        asio::co_spawn(strand, std::move(story), [self](const std::exception_ptr& problem) {
            if (problem) {
                observe::log_error("job_runner_failed", {{"reason", detail_of(problem)}});
            }
            --self->live_coroutines;
        });
    }

    Task<void> worker(int number);
    Task<void> run_one(domain::Job job);
    Task<Outcome> run_guarded(JobContext context);
    Task<void> heartbeat();
    Task<void> settle(const domain::Job& job, Outcome outcome);
};

Task<void> Runner::State::worker(int number) {
    while (!stopping) {
        const auto seen = wakes;
        auto leased = co_await store.lease_job(kinds, options.owner, base::now() + options.lease);
        if (!leased) {
            observe::log_warn("job_lease_failed", {{"reason", leased.error().detail}});
        } else if (*leased) {
            co_await run_one(std::move(**leased));
            continue;
        }
        if (stopping || seen != wakes) {
            continue;  // something was added while we looked
        }
        asio::steady_timer pause(strand);
        // The first worker waits on the timer that wake() cancels; the others follow their polls,
        // and whoever finds work wakes one more by having taken it.
        co_await wait(number == 0 ? wake_timer : pause, options.poll);
    }
}

Task<void> Runner::State::run_one(domain::Job job) {
    auto flag = std::make_shared<std::atomic<bool>>(stopping.load());
    running_jobs[job.id.text()] = flag;
    ++running;
    JobContext context{job, flag};
    const auto outcome = co_await run_guarded(std::move(context));
    running_jobs.erase(job.id.text());
    --running;
    co_await settle(job, outcome);
}

Task<Outcome> Runner::State::run_guarded(JobContext context) {
    std::exception_ptr problem;
    const auto kind = context.job.kind;
    const auto subject = context.job.subject;
    try {
        auto work = works.at(kind)(std::move(context));
        co_return co_await std::move(work);
    } catch (...) {
        problem = std::current_exception();
    }
    observe::log_error(
        "job_threw",
        {{"kind", domain::name_of(kind)}, {"subject", subject}, {"reason", detail_of(problem)}});
    co_return Outcome::retry;
}

Task<void> Runner::State::settle(const domain::Job& job, Outcome outcome) {
    const std::string kind(domain::name_of(job.kind));
    if (outcome == Outcome::done) {
        auto finished = co_await store.finish_job(job.id, options.owner);
        if (!finished) {  // the lease runs out and the work finds itself done
            observe::log_warn("job_finish_failed",
                              {{"kind", kind}, {"reason", finished.error().detail}});
        }
        co_return;
    }
    using domain::Attempt;
    using std::chrono::milliseconds;
    // A stop is nobody's failure, however often it happens.
    const auto attempt =
        stopping || outcome == Outcome::later ? Attempt::does_not_count : Attempt::counts;
    const auto pause = stopping                    ? milliseconds(0)
                       : outcome == Outcome::later ? kLaterPause
                                                   : backoff(job.attempts);
    auto returned = co_await store.return_job(job.id, options.owner, base::now() + pause, attempt);
    observe::log_info("job_returned", {{"kind", kind},
                                       {"subject", job.subject},
                                       {"attempts", job.attempts},
                                       {"pause_ms", pause.count()},
                                       {"kept", returned.has_value()}});
}

Task<void> Runner::State::heartbeat() {
    while (!stopping) {
        co_await wait(beat_timer, options.lease / 3);
        const auto beating = running_jobs;  // the map may change while we await
        for (const auto& [id, flag] : beating) {
            const auto job = domain::JobId::parse(id);
            auto kept = co_await store.renew_job(*job, options.owner, base::now() + options.lease);
            if (kept && !*kept) {
                flag->store(true);
                observe::log_warn("job_lease_lost", {{"job", id}});
            }
        }
    }
}

Runner::Runner(const boost::asio::any_io_executor& executor, store::Store& store,
               RunnerOptions options, std::map<domain::JobKind, Work> works)
    : state_(std::make_shared<State>(executor, store, std::move(options), std::move(works))) {}

Runner::~Runner() = default;

void Runner::start() {
    for (int i = 0; i < state_->options.width; ++i) {
        state_->spawn(state_->worker(i));
    }
    state_->spawn(state_->heartbeat());
}

void Runner::wake() {
    asio::post(state_->strand, [state = state_] {
        ++state->wakes;
        state->wake_timer.cancel();
    });
}

void Runner::begin_stop() {
    state_->stopping = true;
    asio::post(state_->strand, [state = state_] {
        for (const auto& [id, flag] : state->running_jobs) {
            flag->store(true);
        }
        state->wake_timer.cancel();
        state->beat_timer.cancel();
    });
}

bool Runner::stopped() const {
    return state_->live_coroutines == 0;
}

int Runner::running() const {
    return state_->running;
}

}  // namespace kinodex::jobs
