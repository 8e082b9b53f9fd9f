#include "media/sandbox/worker_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>

#include "media/sandbox/channel.h"
#include "media/sandbox/job_child.h"
#include "observe/log.h"

namespace kinodex::media {

namespace asio = boost::asio;
using base::Errc;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kRestartDelayMin(50);
constexpr milliseconds kRestartDelayMax(10'000);
/// Loading the libraries from a cold disk.
constexpr milliseconds kStartTimeout(30'000);
/// From a child's last word to its exit.
constexpr milliseconds kExitGrace(5'000);
/// A child that floods its parent: four a second for a day.
constexpr int kProgressCountMax = 400'000;
constexpr std::size_t kReadBytes = 64 * 1024;
/// Then a new one: memory that files leave in pieces, and what one of them may have broken, ends.
constexpr int kJobsPerChildMax = 256;

Outcome unavailable(std::string detail) {
    return base::fail(Errc::media_worker_unavailable, {}, std::move(detail));
}

/// Why a child that gave no answer ended, for the log and the asset's error.
base::Error error_of(const ChildEnded& ended, const std::string& kill_reason) {
    base::Error error{Errc::file_unprocessable, {}, {}, std::source_location::current()};
    if (!kill_reason.empty()) {
        error.detail = "media child killed: " + kill_reason;
    } else if (ended.signal == SIGSYS) {
        error.detail = "media child killed: forbidden system call";
    } else if (ended.signal == SIGXCPU) {
        error.detail = "media child killed: CPU time limit";
    } else if (ended.signal == SIGXFSZ) {
        error.detail = "media child killed: output size limit";
    } else if (ended.signal == SIGKILL) {
        error.detail = "media child killed by the system, out of memory or CPU time";
    } else if (ended.signal != 0) {
        error.detail = "media child crashed: signal " + std::to_string(ended.signal);
    } else if (ended.exit_code == kExitNotConfined) {
        error.code = Errc::media_worker_unavailable;
        error.detail = "media child could not be confined";
    } else {
        error.detail = "media child gave no answer: exit code " + std::to_string(ended.exit_code);
    }
    return error;
}

}  // namespace

WorkerPool::WorkerPool(SandboxOptions options)
    : options_(std::move(options)),
      alive_(io_.get_executor()),
      restart_timer_(io_),
      restart_delay_(kRestartDelayMin) {}

WorkerPool::~WorkerPool() = default;

void WorkerPool::run() {
    start_zygote();
    io_.run();
}

void WorkerPool::submit(std::shared_ptr<Call> call, Request request,
                        std::vector<base::UniqueFd> fds) {
    auto job = std::make_unique<WorkerJob>(std::move(call), std::move(request), std::move(fds));
    asio::post(io_, [this, job = std::move(job)]() mutable { enqueue(std::move(job)); });
}

void WorkerPool::abandon(std::shared_ptr<Call> call) {
    auto self = shared_from_this();
    asio::post(io_, [self, call] {
        for (auto& queue : self->waiting_) {
            std::erase_if(queue, [&](const JobPtr& job) { return job->call == call; });
        }
        for (const auto& [id, child] : self->children_) {
            if (child->job && child->job->call == call) {
                child->job.reset();
                self->kill(child, "cancelled");
                break;
            }
        }
        call->finish(unavailable("cancelled"));
    });
}

void WorkerPool::stop() {
    auto self = shared_from_this();
    asio::post(io_, [self] {
        self->is_stopped_ = true;
        self->end_all("the server stops");
        self->control_.reset();
        self->zygote_.reset();
        self->restart_timer_.cancel();
    });
}

void WorkerPool::close() {
    asio::post(io_, [self = shared_from_this()] { self->alive_.reset(); });
}

void WorkerPool::enqueue(JobPtr job) {
    if (is_stopped_) {
        return job->call->finish(unavailable("media work has stopped"));
    }
    if (failed_starts_ > 0) {
        return job->call->finish(unavailable("the media zygote does not start"));
    }
    auto& queue = waiting_[job->lane()];
    if (queue.size() >= options_.queue_limit) {
        return job->call->finish(base::fail(Errc::overloaded, {{"queue", "media"}}));
    }
    queue.push_back(std::move(job));
    pump();
}

void WorkerPool::pump() {
    const std::array<std::size_t, 2> widths{options_.short_parallel, options_.long_parallel};
    for (std::size_t lane = 0; lane < waiting_.size(); ++lane) {
        auto& queue = waiting_[lane];
        while (is_ready_ && !queue.empty() && working_counts_[lane] < widths[lane]) {
            auto job = std::move(queue.front());
            queue.pop_front();
            start(std::move(job));
        }
    }
}

void WorkerPool::start(JobPtr job) {
    while (const auto child = take_rested(*job)) {
        const JobOrder order{child->id, job->request, options_.limits_of(job->operation()), true};
        if (child->send(order, job->fds)) {
            return begin(child, std::move(job));
        }
        dismiss(child);
    }
    fork_child(std::move(job));
}

/// The one that rests shortest, which is the warmest, of those that may look at the file.
WorkerPool::ChildPtr WorkerPool::take_rested(const WorkerJob& job) {
    if (job.wants_new_child || job.isolation_key().empty()) {
        return nullptr;
    }
    const auto found = std::find_if(resting_.rbegin(), resting_.rend(), [&](const ChildPtr& child) {
        return child->isolation_key == job.isolation_key();
    });
    if (found == resting_.rend()) {
        return nullptr;
    }
    auto child = *found;
    std::erase(resting_, child);
    return child;
}

void WorkerPool::fork_child(JobPtr job) {
    auto pair = socket_pair(SOCK_STREAM);
    if (!pair) {
        return job->call->finish(unavailable(pair.error().detail));
    }
    std::vector<int> fds{pair->theirs.get()};
    for (const auto& each : job->fds) {
        fds.push_back(each.get());
    }
    const auto child = std::make_shared<WorkerChild>(io_, ++last_id_, std::move(pair->ours));
    child->isolation_key = job->isolation_key();
    const JobOrder order{child->id, job->request, options_.limits_of(job->operation()),
                         !child->isolation_key.empty()};
    if (send_packet(zygote_->socket(), encode_order(order), fds, false) != Sent::yes) {
        return job->call->finish(unavailable("the media zygote takes no orders"));
    }
    job->fds.clear();  // what a new child makes of them is final
    children_.emplace(child->id, child);
    begin(child, std::move(job));
    read_reply(child);
}

void WorkerPool::begin(const ChildPtr& child, JobPtr job) {
    child->operation = job->operation();
    child->progress_count = 0;
    child->is_working = true;
    ++working_counts_[job->lane()];
    child->job = std::move(job);
    const auto wall = options_.limits_of(child->operation).wall;
    arm(child, child->timer, wall, "timed out after " + std::to_string(wall.count()) + " ms");
    arm_stall(child);
}

void WorkerPool::read_reply(const ChildPtr& child) {
    child->reply.async_wait(asio::posix::stream_descriptor::wait_read,
                            [this, child](boost::system::error_code error) {
                                if (error) {
                                    return;  // closed by us
                                }
                                if (take_reply(child)) {
                                    read_reply(child);
                                } else {
                                    child->is_reply_over = true;
                                    settle(child);
                                }
                            });
}

/// Reads what there is; false at the end of the stream or of our patience.
bool WorkerPool::take_reply(const ChildPtr& child) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): it is filled before it is read
    std::array<char, kReadBytes> chunk;
    while (true) {
        const auto got = ::read(child->reply.native_handle(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        if (got == 0) {
            return false;
        }
        if (!child->is_working || !child->kill_reason.empty()) {
            continue;  // words that nobody asked for are not heard
        }
        child->buffer.append(chunk.data(), static_cast<std::size_t>(got));
        if (!take_frames(child)) {
            return false;
        }
    }
}

bool WorkerPool::take_frames(const ChildPtr& child) {
    while (child->is_working) {
        auto frame = child->next_frame();
        if (!frame) {
            disbelieve(child, frame.error().detail);
            return false;
        }
        if (!*frame) {
            return true;
        }
        take_message(child, **frame);
        if (!child->kill_reason.empty()) {
            return false;
        }
    }
    child->buffer.clear();
    return true;
}

void WorkerPool::take_message(const ChildPtr& child, std::string_view text) {
    auto message = decode_child_message(child->operation, text);
    if (!message) {
        return disbelieve(child, message.error().detail);
    }
    if (std::holds_alternative<AtRest>(*message)) {
        return child->job ? disbelieve(child, "rests before it is done") : rest(child);
    }
    if (!child->job) {
        return;  // words after the last word
    }
    if (const auto* progress = std::get_if<ProgressMade>(&*message)) {
        if (++child->progress_count > kProgressCountMax) {
            return kill(child, "too much progress");
        }
        arm_stall(child);
        return child->job->call->make_progress(progress->value);
    }
    deliver(child, std::get<Outcome>(std::move(*message)));
    child->stall_timer.cancel();
    arm(child, child->timer, kExitGrace, "did not exit");
}

void WorkerPool::disbelieve(const ChildPtr& child, const std::string& detail) {
    observe::log_warn("media_child_bad_reply", {{"detail", detail}});
    kill(child, "bad reply: " + detail);
}

void WorkerPool::deliver(const ChildPtr& child, Outcome outcome) {
    if (const auto job = std::exchange(child->job, nullptr)) {
        ++child->jobs_done;
        job->call->finish(std::move(outcome));
    }
}

/// Keeps the child for the next file of its key, if that comes soon.
void WorkerPool::rest(const ChildPtr& child) {
    child->stop_timers();
    child->buffer.clear();
    free_slot(child);
    if (child->isolation_key.empty() || child->jobs_done >= kJobsPerChildMax || is_stopped_) {
        dismiss(child);
    } else {
        resting_.push_back(child);
        child->timer.expires_after(options_.rest);
        child->timer.async_wait([this, child](boost::system::error_code error) {
            if (!error && !child->is_working && std::erase(resting_, child) > 0) {
                dismiss(child);
            }
        });
        if (resting_.size() > options_.short_parallel) {
            dismiss(std::exchange(resting_.front(), nullptr));
            resting_.pop_front();
        }
    }
    pump();
}

void WorkerPool::dismiss(const ChildPtr& child) {
    child->send_no_more();
    arm(child, child->timer, kExitGrace, "did not exit");
}

void WorkerPool::free_slot(const ChildPtr& child) {
    if (std::exchange(child->is_working, false)) {
        --working_counts_[is_long(child->operation) ? 1 : 0];
    }
}

void WorkerPool::arm_stall(const ChildPtr& child) {
    const auto stall = options_.limits_of(child->operation).stall;
    if (stall > milliseconds(0)) {
        arm(child, child->stall_timer, stall,
            "no progress for " + std::to_string(stall.count()) + " ms");
    }
}

void WorkerPool::arm(const ChildPtr& child, asio::steady_timer& timer, milliseconds after,
                     std::string reason) {
    timer.expires_after(after);
    timer.async_wait([this, child, reason](boost::system::error_code error) {
        if (!error && !child->ended) {
            kill(child, reason);
        }
    });
}

void WorkerPool::kill(const ChildPtr& child, std::string reason) {
    if (child->kill_reason.empty()) {
        child->kill_reason = std::move(reason);
    }
    if (zygote_) {
        send_packet(zygote_->socket(), encode_order(KillOrder{child->id}), {}, false);
    }
}

/// Forgets a child that has ended and whose reply was read to the end.
void WorkerPool::settle(const ChildPtr& child) {
    if (!child->ended || !child->is_reply_over) {
        return;
    }
    child->stop_timers();
    std::erase(resting_, child);
    children_.erase(child->id);
    free_slot(child);
    conclude(child);
    pump();
}

/// What becomes of the job that a child did not end.
void WorkerPool::conclude(const ChildPtr& child) {
    if (!child->job) {
        return;
    }
    auto error = error_of(*child->ended, child->kill_reason);
    if (child->has_seen_others()) {
        // An earlier file may have been at fault, so a new child has the word.
        observe::log_warn("media_child_replaced", {{"detail", error.detail}});
        child->job->wants_new_child = true;
        return waiting_[child->job->lane()].push_front(std::exchange(child->job, nullptr));
    }
    observe::log_warn("media_child_failed", {{"detail", error.detail}});
    deliver(child, std::unexpected(std::move(error)));
}

/// Fails everything that waits or runs; the children die with the zygote.
void WorkerPool::end_all(const std::string& reason) {
    resting_.clear();
    for (auto& [id, child] : std::exchange(children_, {})) {
        deliver(child, unavailable(reason));
        child->is_working = false;
        child->stop_timers();
        child->reply.close();
    }
    working_counts_ = {};
    for (auto& queue : waiting_) {
        for (auto& job : std::exchange(queue, {})) {
            job->call->finish(unavailable(reason));
        }
    }
}

void WorkerPool::start_zygote() {
    if (is_stopped_) {
        return;
    }
    auto started = ZygoteProcess::start(options_.executable);
    if (!started) {
        observe::log_error("media_zygote_not_started", {{"detail", started.error().detail}});
        return lose_zygote();
    }
    zygote_.emplace(std::move(*started));
    control_.emplace(io_, ::dup(zygote_->socket()));
    restart_timer_.expires_after(kStartTimeout);
    restart_timer_.async_wait([this](boost::system::error_code error) {
        if (!error && !is_ready_) {
            lose_zygote();
        }
    });
    read_events();
}

void WorkerPool::read_events() {
    control_->async_wait(
        asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code error) {
            if (error || !zygote_) {
                return;  // stopped or lost meanwhile
            }
            while (true) {
                const auto packet = receive_packet(zygote_->socket(), kControlBytesMax, false);
                if (packet.state == Received::State::would_block) {
                    return read_events();
                }
                auto event = packet.state == Received::State::packet
                                 ? decode_event(packet.text)
                                 : base::fail(Errc::media_worker_unavailable, {}, "closed");
                if (!event) {
                    return lose_zygote();
                }
                take_event(*event);
            }
        });
}

void WorkerPool::take_event(const Event& event) {
    if (const auto* ready = std::get_if<ZygoteReady>(&event)) {
        observe::log_info("media_zygote_ready",
                          {{"pid", zygote_->pid()}, {"confinement", ready->confinement}});
        is_ready_ = true;
        failed_starts_ = 0;
        restart_timer_.cancel();
        return pump();
    }
    const auto* refused = std::get_if<ChildRefused>(&event);
    const auto* ended = std::get_if<ChildEnded>(&event);
    const auto found = children_.find(refused != nullptr ? refused->id : ended->id);
    if (found == children_.end()) {
        return;
    }
    const ChildPtr child = found->second;
    if (refused != nullptr) {
        deliver(child, unavailable(refused->reason));
        child->ended = ChildEnded{child->id, 0, 0};
    } else {
        child->ended = *ended;
        restart_delay_ = kRestartDelayMin;
    }
    settle(child);
}

void WorkerPool::lose_zygote() {
    const bool was_ready = std::exchange(is_ready_, false);
    control_.reset();
    zygote_.reset();
    observe::log_error("media_zygote_lost", {{"restart_in_ms", restart_delay_.count()}});
    if (!was_ready) {
        ++failed_starts_;
        end_all("the media zygote does not start");
    } else {
        // What waits may wait for the next one; what ran is gone.
        auto waiting = std::exchange(waiting_, {});
        end_all("the media zygote died");
        waiting_ = std::move(waiting);
    }
    restart_timer_.expires_after(restart_delay_);
    restart_delay_ = std::min(restart_delay_ * 2, kRestartDelayMax);
    restart_timer_.async_wait([this](boost::system::error_code error) {
        if (!error) {
            start_zygote();
        }
    });
}

}  // namespace kinodex::media
