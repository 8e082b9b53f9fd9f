// The HTTP/1.1 server: sockets in, handlers called, answers out.
//
// Promises: every size, count and wait is bounded by a named option; an idle connection costs a few
// kilobytes; a slow client costs a socket and never a thread; every coroutine is owned and joined.
// Start reading here, then `connection.cpp` for the life of a connection and `loop.cpp` for the
// threads. `router.h` finds handlers, `multipart_reader.h` is for handlers that take uploads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/router.h"
#include "http/types.h"

namespace kinodex::http {

/// One answered request, for logs and counters. The views are valid during the call. There is no
/// query and no key in it.
struct Access {
    std::string_view method;
    std::string_view route;  // Route::name, empty when none was found
    unsigned status = 0;
    std::chrono::nanoseconds
        duration{};              // from the first byte of the head to the last of the answer
    std::uint64_t bytes_in = 0;  // with the heads
    std::uint64_t bytes_out = 0;
    std::string_view request_id;
};

struct ServerLimits {
    std::size_t header_bytes = 16 * 1024;  // 431 beyond; also the target with the query
    std::size_t target_bytes = 8 * 1024;   // 414 beyond
    std::size_t connections = 10'000;      // 503 beyond
    std::size_t streamed_bodies = 512;     // at once; 503 beyond
    /// What is read of a body nobody wanted, to keep its connection.
    std::uint64_t drain_bytes = 1024 * 1024;
    /// Each period of body_timeout or write_timeout must move this much, or the peer is too slow.
    std::uint64_t progress_bytes = 4 * 1024;
    std::size_t source_buffer_bytes = 256 * 1024;  // for a body from a BodySource

    std::chrono::milliseconds header_timeout = std::chrono::seconds(10);  // whole head, absolute
    std::chrono::milliseconds idle_timeout = std::chrono::seconds(75);
    std::chrono::milliseconds body_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds write_timeout = std::chrono::seconds(30);
    /// How long a refused client may go on sending while it reads the refusal.
    std::chrono::milliseconds linger_timeout = std::chrono::seconds(10);
    /// How often deadlines are looked at; they are late by at most this.
    std::chrono::milliseconds sweep_interval = std::chrono::milliseconds(250);
};

struct ServerOptions {
    std::string host = "127.0.0.1";  // a numeric address or "localhost"
    std::uint16_t port = 0;          // 0: any free one, see Server::port
    std::size_t threads = 1;         // each runs its own connections
    std::vector<std::pair<std::string, std::string>> fixed_headers;  // on every answer
    ErrorRenderer render_error;  // required; called on I/O threads
    Handler options_handler;     // OPTIONS without a route of its own; may be empty
    std::function<void(const Access&)> on_access;  // called on I/O threads; may be empty
    ServerLimits limits;
};

class Server {
  public:
    /// Listens and serves from here on. Errors: internal with a detail that says what to change.
    static base::Result<std::unique_ptr<Server>> start(Router router, ServerOptions options);

    /// Ends what still runs, as `wait` at its deadline does, then joins the threads. Handlers that
    /// await a lane at that moment are abandoned: stop such lanes first, or have `wait` say true.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;
    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::size_t streamed_bodies() const;

    /// Closes the listener and idle connections; requests that run are answered, with
    /// `Connection: close`. Returns at once; safe twice and from any thread.
    void begin_stop();
    /// Blocks until all connections are gone. At `deadline` it closes those that are left and gives
    /// their handlers `kAbortGrace` to notice. True when nothing runs any more.
    bool wait(std::chrono::steady_clock::time_point deadline);

    static constexpr std::chrono::milliseconds kAbortGrace{500};

  private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::http
