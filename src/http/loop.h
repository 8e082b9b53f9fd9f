// One I/O thread: its event loop, its connections, and what they share.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.h"
#include "http/server.h"
#include "runtime/lane.h"

namespace kinodex::http {

class Connection;

/// What all loops of a server share.
struct Shared {
    Router router;
    ServerOptions options;
    std::string fixed_lines;  // ready header lines
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> streamed_bodies{0};
    std::atomic<bool> stopping{false};
    std::mutex mutex;
    std::condition_variable all_gone;  // told when `connections` falls to 0
    bool accepting = false;            // under `mutex`
};

class Loop {
  public:
    using Socket = boost::asio::ip::tcp::socket;
    enum class Admission { serve, refuse };

    Loop(Shared& shared, std::size_t number);
    /// Joins the thread; abandons what still runs.
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();
    /// Ends the event loop and joins its thread; safe twice.
    void halt();
    boost::asio::io_context& context() { return context_; }
    [[nodiscard]] std::size_t load() const { return load_.load(std::memory_order_relaxed); }

    /// Takes over a connection whose socket belongs to this loop's context. From any thread.
    void adopt(Socket socket, Admission admission);
    /// Ends idle connections now and others after their request. From any thread.
    void begin_stop();
    /// Closes every connection. From any thread.
    void abort_all();

    // For the loop's connections, on its thread.
    Shared& shared() { return shared_; }
    std::span<char> scratch() { return scratch_; }  // not kept across a co_await
    std::string_view date();
    std::list<Connection*>::iterator enlist(Connection* connection);
    void delist(std::list<Connection*>::iterator place);
    void forget();  // a connection that was adopted is gone

  private:
    void arm_sweep();

    Shared& shared_;
    std::atomic<std::size_t> load_{0};
    std::list<Connection*> connections_;  // owned by their coroutines
    std::vector<char> scratch_;
    std::string date_;
    std::time_t date_second_ = 0;
    boost::asio::io_context context_;  // after what its coroutines touch while they die
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer sweep_;
    runtime::Lane thread_;
};

}  // namespace kinodex::http
