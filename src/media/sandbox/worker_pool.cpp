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

Outcome unavailable(std::string detail) {
    return base::fail(Errc::media_worker_unavailable, {}, std::move(detail));
}

/// Why a child that gave no answer ended, for the log and the asset's error.
base::Error error_of(const ChildEnded& ended, const std::string& kill_reason) {
    base::Error error{Errc::file_unprocessable, {}, {}, std::source_location::current()};
    if (!kill_reason.empty() && ended.signal == SIGKILL) {
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

struct WorkerPool::Job {
    Job(asio::io_context& io, std::shared_ptr<Call> its_call, Request its_request,
        std::vector<base::UniqueFd> its_fds)
        : call(std::move(its_call)),
          request(std::move(its_request)),
          fds(std::move(its_fds)),
          timer(io),
          stall_timer(io),
          reply(io) {}

    [[nodiscard]] Operation operation() const { return operation_of(request); }
    [[nodiscard]] std::size_t lane() const { return is_long(operation()) ? 1 : 0; }
    void stop_timers() {
        timer.cancel();
        stall_timer.cancel();
    }

    std::uint64_t id = 0;
    std::shared_ptr<Call> call;  // shared with the awaiting frame
    Request request;
    std::vector<base::UniqueFd> fds;
    asio::steady_timer timer;        // for the whole work, then for the exit
    asio::steady_timer stall_timer;  // set anew by every progress
    asio::posix::stream_descriptor reply;
    std::string buffer;
    int progress_count = 0;
    bool is_delivered = false;
    bool is_reply_over = false;
    std::optional<ChildEnded> ended;
    std::string kill_reason;
};

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
    auto job = std::make_shared<Job>(io_, std::move(call), std::move(request), std::move(fds));
    asio::post(io_, [this, job] { enqueue(job); });
}

void WorkerPool::abandon(std::shared_ptr<Call> call) {
    auto self = shared_from_this();
    asio::post(io_, [self, call] {
        for (auto& queue : self->waiting_) {
            std::erase_if(queue, [&](const JobPtr& job) { return job->call == call; });
        }
        for (const auto& [id, job] : self->running_) {
            if (job->call == call && !job->is_delivered) {
                self->kill(job, "cancelled");
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
        while (is_ready_ && !queue.empty() && running_counts_[lane] < widths[lane]) {
            const JobPtr job = queue.front();
            queue.pop_front();
            start(job);
        }
    }
}

void WorkerPool::start(const JobPtr& job) {
    auto pair = socket_pair(SOCK_STREAM);
    if (!pair) {
        return job->call->finish(unavailable(pair.error().detail));
    }
    job->id = ++last_id_;
    const Limits& limits = options_.limits[static_cast<std::size_t>(job->operation())];
    std::vector<int> fds{pair->theirs.get()};
    for (const auto& each : job->fds) {
        fds.push_back(each.get());
    }
    const std::string order = encode_order(JobOrder{job->id, job->request, limits});
    if (send_packet(zygote_->socket(), order, fds, false) != Sent::yes) {
        return job->call->finish(unavailable("the media zygote takes no orders"));
    }
    job->fds.clear();
    job->reply.assign(pair->ours.release());
    job->reply.non_blocking(true);
    running_.emplace(job->id, job);
    ++running_counts_[job->lane()];
    arm(job, job->timer, limits.wall,
        "timed out after " + std::to_string(limits.wall.count()) + " ms");
    arm_stall(job);
    read_reply(job);
}

void WorkerPool::arm_stall(const JobPtr& job) {
    const auto stall = options_.limits[static_cast<std::size_t>(job->operation())].stall;
    if (stall > milliseconds(0)) {
        arm(job, job->stall_timer, stall,
            "no progress for " + std::to_string(stall.count()) + " ms");
    }
}

void WorkerPool::arm(const JobPtr& job, asio::steady_timer& timer, milliseconds after,
                     std::string reason) {
    timer.expires_after(after);
    timer.async_wait([this, job, reason](boost::system::error_code error) {
        if (!error && !job->ended) {
            kill(job, reason);
        }
    });
}

void WorkerPool::kill(const JobPtr& job, std::string reason) {
    if (job->kill_reason.empty()) {
        job->kill_reason = std::move(reason);
    }
    if (zygote_) {
        send_packet(zygote_->socket(), encode_order(KillOrder{job->id}), {}, false);
    }
}

void WorkerPool::read_reply(const JobPtr& job) {
    job->reply.async_wait(asio::posix::stream_descriptor::wait_read,
                          [this, job](boost::system::error_code error) {
                              if (error) {
                                  return;  // closed by us
                              }
                              if (take_reply(job)) {
                                  read_reply(job);
                              } else {
                                  job->is_reply_over = true;
                                  settle(job);
                              }
                          });
}

/// Reads what there is; false at the end of the stream or of our patience.
bool WorkerPool::take_reply(const JobPtr& job) {
    std::array<char, kReadBytes> chunk;
    while (true) {
        const auto got = ::read(job->reply.native_handle(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK;
        }
        if (got == 0) {
            return false;
        }
        if (job->is_delivered) {
            continue;  // words after the last word are not heard
        }
        job->buffer.append(chunk.data(), static_cast<std::size_t>(got));
        if (!take_frames(job)) {
            kill(job, "bad reply");
            return false;
        }
    }
}

bool WorkerPool::take_frames(const JobPtr& job) {
    const std::size_t bytes_max =
        job->operation() == Operation::analyze ? kReplyBytesMax : kSmallReplyBytesMax;
    while (!job->is_delivered && job->buffer.size() >= kFrameHeaderBytes) {
        const std::size_t length = frame_length(job->buffer);
        if (length > bytes_max) {
            deliver(job, base::fail(Errc::file_unprocessable, {}, "media child: reply too long"));
            return false;
        }
        if (job->buffer.size() < kFrameHeaderBytes + length) {
            return true;
        }
        const std::string text = job->buffer.substr(kFrameHeaderBytes, length);
        job->buffer.erase(0, kFrameHeaderBytes + length);
        take_message(job, text);
        if (!job->kill_reason.empty()) {
            return false;
        }
    }
    return true;
}

void WorkerPool::take_message(const JobPtr& job, std::string_view text) {
    auto message = decode_child_message(job->operation(), text);
    if (!message) {
        observe::log_warn("media_child_bad_reply", {{"detail", message.error().detail}});
        deliver(job, base::fail(Errc::file_unprocessable, {},
                                "media child: bad reply: " + message.error().detail));
        return kill(job, "bad reply");
    }
    if (const auto* progress = std::get_if<ProgressMade>(&*message)) {
        if (++job->progress_count > kProgressCountMax) {
            return kill(job, "too much progress");
        }
        arm_stall(job);
        return job->call->make_progress(progress->value);
    }
    deliver(job, std::get<Outcome>(std::move(*message)));
    job->stall_timer.cancel();
    arm(job, job->timer, kExitGrace, "did not exit");
}

void WorkerPool::deliver(const JobPtr& job, Outcome outcome) {
    if (!job->is_delivered) {
        job->is_delivered = true;
        job->buffer.clear();
        job->buffer.shrink_to_fit();
        job->call->finish(std::move(outcome));
    }
}

/// Forgets a job whose child has ended and whose reply was read to the end.
void WorkerPool::settle(const JobPtr& job) {
    if (!job->ended || !job->is_reply_over) {
        return;
    }
    if (!job->is_delivered) {
        auto error = error_of(*job->ended, job->kill_reason);
        observe::log_warn("media_child_failed", {{"detail", error.detail}});
        deliver(job, std::unexpected(std::move(error)));
    }
    job->stop_timers();
    if (running_.erase(job->id) > 0) {
        --running_counts_[job->lane()];
    }
    pump();
}

/// Fails everything that waits or runs; the children die with the zygote.
void WorkerPool::end_all(const std::string& reason) {
    for (auto& [id, job] : std::exchange(running_, {})) {
        deliver(job, unavailable(reason));
        job->stop_timers();
        job->reply.close();
    }
    running_counts_ = {};
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
    const auto found = running_.find(refused != nullptr ? refused->id : ended->id);
    if (found == running_.end()) {
        return;
    }
    const JobPtr job = found->second;
    if (refused != nullptr) {
        deliver(job, unavailable(refused->reason));
        job->ended = ChildEnded{job->id, 0, 0};
    } else {
        job->ended = *ended;
        restart_delay_ = kRestartDelayMin;
    }
    settle(job);
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
