#include "http/loop.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "base/check.h"
#include "http/connection.h"
#include "http/response_head.h"

namespace kinodex::http {

namespace asio = boost::asio;

namespace {

/// Large enough for any head, and for discarding unwanted bytes at speed.
constexpr std::size_t kScratchBytes = 64 * 1024;

}  // namespace

Loop::Loop(Shared& shared, std::size_t number)
    : shared_(shared),
      scratch_(std::max(kScratchBytes, shared.options.limits.header_bytes + 1)),
      context_(1),
      work_(context_.get_executor()),
      sweep_(context_),
      thread_(fmt::format("http-{}", number), 1, 1) {}

Loop::~Loop() {
    halt();
}

void Loop::halt() {
    context_.stop();
    thread_.stop();
}

void Loop::run() {
    arm_sweep();
    const bool posted = thread_.post([this] { context_.run(); });
    KN_CHECK(posted, "a new lane takes its one work");
}

void Loop::adopt(Socket socket, Admission admission) {
    shared_.connections.fetch_add(1);
    load_.fetch_add(1, std::memory_order_relaxed);
    auto connection = std::make_unique<Connection>(*this, std::move(socket), admission);
    // The coroutine owns its connection and is on the loop's list: `detached` loses nothing.
    asio::co_spawn(context_, Connection::run(std::move(connection)), asio::detached);
}

void Loop::begin_stop() {
    asio::post(context_, [this] {
        for (auto* connection : connections_) {
            connection->stop_if_idle();
        }
    });
}

void Loop::abort_all() {
    asio::post(context_, [this] {
        for (auto* connection : connections_) {
            connection->abort();
        }
    });
}

std::string_view Loop::date() {
    const std::time_t second = std::time(nullptr);
    if (second != date_second_) {
        date_second_ = second;
        date_ = http_date(second);
    }
    return date_;
}

std::list<Connection*>::iterator Loop::enlist(Connection* connection) {
    return connections_.insert(connections_.end(), connection);
}

void Loop::delist(std::list<Connection*>::iterator place) {
    connections_.erase(place);
}

void Loop::forget() {
    load_.fetch_sub(1, std::memory_order_relaxed);
    if (shared_.connections.fetch_sub(1) == 1) {
        const std::lock_guard lock(shared_.mutex);
        shared_.all_gone.notify_all();
    }
}

void Loop::arm_sweep() {
    sweep_.expires_after(shared_.options.limits.sweep_interval);
    sweep_.async_wait([this](const boost::system::error_code& error) {
        if (error) {
            return;
        }
        const auto now = std::chrono::steady_clock::now();
        for (auto* connection : connections_) {
            connection->check_deadline(now);
        }
        arm_sweep();
    });
}

}  // namespace kinodex::http
