// The pool behind SandboxedMedia: queues, running children and the zygote, all on one thread.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/unique_fd.h"
#include "media/sandbox/sandboxed_media.h"
#include "media/sandbox/worker_child.h"
#include "media/sandbox/zygote_process.h"

namespace kinodex::media {

class WorkerPool : public std::enable_shared_from_this<WorkerPool> {
  public:
    explicit WorkerPool(SandboxOptions options);
    ~WorkerPool();

    /// The thread's work: starts the zygote and serves until stopped.
    void run();
    // From any thread.
    void submit(std::shared_ptr<Call> call, Request request, std::vector<base::UniqueFd> fds);
    void abandon(std::shared_ptr<Call> call);
    /// Kills what runs and refuses what comes.
    void stop();
    /// Lets run() return, after stop().
    void close();

  private:
    using JobPtr = std::unique_ptr<WorkerJob>;
    using ChildPtr = std::shared_ptr<WorkerChild>;  // shared with the handlers of timers and socket

    void enqueue(JobPtr job);
    void pump();
    void start(JobPtr job);
    ChildPtr take_rested(const WorkerJob& job);
    void fork_child(JobPtr job);
    void begin(const ChildPtr& child, JobPtr job);

    void read_reply(const ChildPtr& child);
    bool take_reply(const ChildPtr& child);
    bool take_frames(const ChildPtr& child);
    void take_message(const ChildPtr& child, std::string_view text);
    void disbelieve(const ChildPtr& child, const std::string& detail);
    void deliver(const ChildPtr& child, Outcome outcome);

    void rest(const ChildPtr& child);
    void dismiss(const ChildPtr& child);
    void free_slot(const ChildPtr& child);
    void arm(const ChildPtr& child, boost::asio::steady_timer& timer,
             std::chrono::milliseconds after, std::string reason);
    void arm_stall(const ChildPtr& child);
    void kill(const ChildPtr& child, std::string reason);
    void settle(const ChildPtr& child);
    void conclude(const ChildPtr& child);
    void end_all(const std::string& reason);

    void start_zygote();
    void read_events();
    void take_event(const Event& event);
    void lose_zygote();

    SandboxOptions options_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> alive_;
    boost::asio::steady_timer restart_timer_;
    std::optional<ZygoteProcess> zygote_;
    std::optional<boost::asio::posix::stream_descriptor> control_;
    bool is_ready_ = false;  // the zygote takes jobs
    int failed_starts_ = 0;  // in a row; the zygote died before it was ready
    std::chrono::milliseconds restart_delay_;
    bool is_stopped_ = false;
    std::uint64_t last_id_ = 0;
    std::unordered_map<std::uint64_t, ChildPtr> children_;
    std::deque<ChildPtr> resting_;               // of them, the longest first
    std::array<std::deque<JobPtr>, 2> waiting_;  // short, long
    std::array<std::size_t, 2> working_counts_{};
};

}  // namespace kinodex::media
