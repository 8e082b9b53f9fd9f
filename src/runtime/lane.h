// A lane: a named pool of threads with a bounded queue, where blocking work goes.
//
// I/O threads never touch disks, databases or child processes; they await a lane. A full lane
// refuses at once with `overloaded`, which the client sees as 503 with Retry-After.
//
//     auto work = [id](…) { return read_row(id); };      // name the work before awaiting it
//     auto row = co_await lane.run<Row>(std::move(work));
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "runtime/task.h"

namespace kinodex::runtime {

class Lane {
  public:
    /// `width` threads, at most `queue_limit` works waiting.
    Lane(std::string name, std::size_t width, std::size_t queue_limit);
    /// Finishes what is queued, then joins the threads.
    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    /// Queues `work`; false when the queue is full or the lane has stopped.
    [[nodiscard]] bool post(std::move_only_function<void()> work);
    /// The same without waking a thread: `flush` must follow soon. Works that are queued one after
    /// the other then cost one wake, which matters when it costs more than they do.
    [[nodiscard]] bool post_quietly(std::move_only_function<void()> work);
    /// Wakes threads for what was queued quietly.
    void flush();
    /// True for the first caller since the last `flush`: the one that must see to the next.
    [[nodiscard]] bool claim_flush();

    /// Runs `work` (a callable without arguments that returns Result<T>) on a lane thread and
    /// resumes the caller on its own executor. Errors: overloaded, and those of the work. The work
    /// always runs to its end, even when nobody waits any more.
    template <class T, class Work>
    Asked<T> run(Work work);

    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] std::size_t depth() const;  // works waiting now
    /// Refuses new work, finishes what is queued and joins. Safe twice.
    void stop();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::runtime

#include "runtime/lane_run.h"
