// A job, and a child that works on jobs, as the pool sees them. Both are used on its thread alone.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "media/sandbox/call.h"
#include "media/sandbox/messages.h"

namespace kinodex::media {

struct WorkerJob {
    std::shared_ptr<Call> call;  // shared with the awaiting frame
    Request request;
    std::vector<base::UniqueFd> fds;
    bool wants_new_child = false;  // one that had seen other files failed

    [[nodiscard]] Operation operation() const { return operation_of(request); }
    [[nodiscard]] std::size_t lane() const { return is_long(operation()) ? 1 : 0; }
    /// Empty when the job wants a child of its own.
    [[nodiscard]] const std::string& isolation_key() const;
};

/// Begins with a job, may rest after it and be given another, and ends.
struct WorkerChild {
    WorkerChild(boost::asio::io_context& io, std::uint64_t its_id, base::UniqueFd socket);

    [[nodiscard]] bool has_seen_others() const { return jobs_done > 0; }
    void stop_timers();
    /// Sends a further job over the child's own socket; false when the child has gone.
    bool send(const JobOrder& order, const std::vector<base::UniqueFd>& fds);
    /// It reads the end of its orders, and exits.
    void send_no_more();
    /// Takes one whole message from what was read; nothing when there is none. Errors: internal
    /// when it is longer than a child of that operation may be.
    base::Result<std::optional<std::string>> next_frame();

    std::uint64_t id;
    boost::asio::posix::stream_descriptor reply;
    boost::asio::steady_timer timer;        // for the whole work, the rest, or the exit
    boost::asio::steady_timer stall_timer;  // set anew by every progress
    std::string isolation_key;
    Operation operation = Operation::probe;
    std::unique_ptr<WorkerJob> job;  // none at rest, and after its last word
    bool is_working = false;         // takes a slot: from an order to its rest or its exit
    int jobs_done = 0;
    int progress_count = 0;
    std::string buffer;
    bool is_reply_over = false;
    std::optional<ChildEnded> ended;
    std::string kill_reason;
};

}  // namespace kinodex::media
