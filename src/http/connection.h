// One client connection: reads requests, calls handlers, writes answers, one after the other.
#pragma once

#include <sys/uio.h>

#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/loop.h"

namespace kinodex::http {

/// How long a peer has kept us waiting since it last moved enough bytes. Time in handlers is ours
/// and does not count.
class Pace {
  public:
    Pace(std::chrono::nanoseconds patience, std::uint64_t enough_bytes)
        : patience_(patience), enough_bytes_(enough_bytes) {}
    [[nodiscard]] std::chrono::nanoseconds left() const { return patience_ - waited_; }
    void waited(std::chrono::nanoseconds time) { waited_ += time; }
    void moved(std::uint64_t bytes) {
        moved_bytes_ += bytes;
        if (moved_bytes_ >= enough_bytes_) {
            moved_bytes_ = 0;
            waited_ = {};
        }
    }

  private:
    std::chrono::nanoseconds patience_;
    std::uint64_t enough_bytes_;
    std::chrono::nanoseconds waited_{};
    std::uint64_t moved_bytes_ = 0;
};

class Connection {
  public:
    using Clock = std::chrono::steady_clock;

    Connection(Loop& loop, Loop::Socket socket, Loop::Admission admission);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// The whole life of a connection. Runs on the loop's thread and owns its connection.
    static Task<void> run(std::unique_ptr<Connection> self);

    void check_deadline(Clock::time_point now);
    void stop_if_idle();
    void abort();

  private:
    struct Exchange;  // one request and its answer, in exchange.h
    class Body;       // its body, likewise
    enum class After { keep, close, linger };
    enum class Moved { bytes, blocked, gone };
    using Pieces = std::array<iovec, 2>;

    // connection.cpp: from bytes to handler to answer
    Task<void> serve_all();
    Task<After> serve_one();
    Task<After> refuse_client();
    Task<Response> answer(Exchange& exchange);
    Task<Response> answer_route(Exchange& exchange, const Route& route);
    Task<Response> call(Exchange& exchange, const Handler& handler);
    Asked<void> read_whole(Exchange& exchange);
    bool take_head(Exchange& exchange);
    bool parse_from(std::string_view bytes, Exchange& exchange);
    Response no_route(Exchange& exchange, const Router::Match& match);
    Response refusal(Exchange& exchange, const base::Error& error);
    Task<After> send(Exchange& exchange, Response response);
    bool may_keep(const Exchange& exchange, const Response& response) const;
    void report(const Exchange& exchange, unsigned status) const;

    // connection_io.cpp: bytes and time
    [[nodiscard]] bool is_client_gone();
    Moved receive(std::span<char> into, std::size_t& count);
    Moved send_now(Pieces& pieces);
    Task<bool> write(Pieces pieces);
    Task<bool> write_sourced(std::string head, SourcedBytes body);
    /// `enough_bytes`: for reading, wakes when this much has come, or the end of what is sent.
    Task<bool> wait(Loop::Socket::wait_type what, Pace& pace, std::size_t enough_bytes = 1);
    void wake_at(std::size_t enough_bytes);
    Task<void> linger();
    std::size_t take_inbox(std::span<char> into);
    void put_back(std::span<const char> bytes);
    [[nodiscard]] std::string_view inbox() const;
    /// True when a wait was ended by a deadline, a stop or an abort.
    [[nodiscard]] bool is_interrupted() const { return expired_ || aborted_; }
    [[nodiscard]] const ServerLimits& limits() const { return loop_.shared().options.limits; }

    Loop& loop_;
    Loop::Socket socket_;
    Loop::Admission admission_;
    std::optional<std::list<Connection*>::iterator> place_;
    Clock::time_point deadline_ = Clock::time_point::max();
    bool idle_ = false;
    bool expired_ = false;  // the deadline has passed
    bool aborted_ = false;
    std::string inbox_;           // bytes received and not yet used; empty most of the time
    std::size_t inbox_used_ = 0;  // of them, from the front
    std::size_t woken_at_ = 1;    // bytes received that end a wait
    std::uint64_t bytes_in_ = 0;  // of the current exchange
    std::uint64_t bytes_out_ = 0;
};

}  // namespace kinodex::http
