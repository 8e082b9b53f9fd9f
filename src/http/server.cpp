#include "http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.h"
#include "http/loop.h"
#include "http/response_head.h"
#include "observe/log.h"

namespace kinodex::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto kAsValue = asio::as_tuple(asio::use_awaitable);

/// Connections beyond the limit that are told so; still more are closed without a word.
constexpr std::size_t kRefusedAtOnce = 256;
/// When descriptors run out, accepting waits for some to be closed.
constexpr std::chrono::milliseconds kAcceptPause{50};

base::Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
    const auto host = options.host == "localhost" ? std::string("127.0.0.1") : options.host;
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) {
        return base::fail(base::Errc::internal, {},
                          fmt::format("cannot listen on '{}': give a numeric address", host));
    }
    return tcp::endpoint(address, options.port);
}

}  // namespace

struct Server::State {
    ~State() {
        // No thread may touch the acceptor, or another loop, while these are destroyed.
        for (auto& loop : loops) {
            loop->halt();
        }
    }

    Shared shared;
    std::vector<std::unique_ptr<Loop>> loops;
    std::uint16_t port = 0;
    std::optional<tcp::acceptor> acceptor;  // of the first loop, and used on its thread

    base::Status listen();
    Task<void> accept_all();
    Loop& least_loaded();
    void admit(Loop& loop, Loop::Socket socket);
    bool is_quiet() const { return shared.connections.load() == 0 && !shared.accepting; }
};

base::Status Server::State::listen() {
    KN_TRY(endpoint, endpoint_of(shared.options));
    acceptor.emplace(loops.front()->context());
    boost::system::error_code error;
    acceptor->open(endpoint.protocol(), error);
    if (!error) {
        acceptor->set_option(tcp::acceptor::reuse_address(true), error);
    }
    if (!error) {
        acceptor->bind(endpoint, error);
    }
    if (!error) {
        acceptor->listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        return base::fail(base::Errc::internal, {},
                          fmt::format("cannot listen on {}:{}: {}", shared.options.host,
                                      shared.options.port, error.message()));
    }
    port = acceptor->local_endpoint().port();
    return {};
}

Task<void> Server::State::accept_all() {
    asio::steady_timer pause(loops.front()->context());
    bool was_failing = false;
    while (!shared.stopping.load()) {
        Loop& loop = least_loaded();
        Loop::Socket socket(loop.context());
        const auto [error] = co_await acceptor->async_accept(socket, kAsValue);
        if (shared.stopping.load() || error == asio::error::operation_aborted) {
            break;
        }
        if (!error) {
            was_failing = false;
            admit(loop, std::move(socket));
            continue;
        }
        if (error != asio::error::connection_aborted) {
            if (!was_failing) {
                observe::log_warn("http.accept_failed", {{"reason", error.message()}});
            }
            was_failing = true;
            pause.expires_after(kAcceptPause);
            co_await pause.async_wait(kAsValue);
        }
    }
    const std::lock_guard lock(shared.mutex);
    shared.accepting = false;
    shared.all_gone.notify_all();
}

Loop& Server::State::least_loaded() {
    return **std::ranges::min_element(loops, {}, [](const auto& loop) { return loop->load(); });
}

void Server::State::admit(Loop& loop, Loop::Socket socket) {
    const auto open = shared.connections.load();
    const auto limit = shared.options.limits.connections;
    if (open < limit) {
        loop.adopt(std::move(socket), Loop::Admission::serve);
    } else if (open < limit + kRefusedAtOnce) {
        loop.adopt(std::move(socket), Loop::Admission::refuse);
    }
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

base::Result<std::unique_ptr<Server>> Server::start(Router router, ServerOptions options) {
    KN_CHECK(options.render_error != nullptr, "errors can be rendered");
    KN_CHECK(options.threads > 0, "there is an I/O thread");
    auto state = std::make_unique<State>();
    state->shared.router = std::move(router);
    options.fixed_headers.emplace_back("Server", "kinodex/" KN_VERSION);
    state->shared.fixed_lines = header_lines(options.fixed_headers);
    state->shared.options = std::move(options);
    for (std::size_t i = 0; i < state->shared.options.threads; ++i) {
        state->loops.push_back(std::make_unique<Loop>(state->shared, i));
    }
    KN_PASS(state->listen());
    state->shared.accepting = true;
    // Joined by `wait`, which looks at `accepting`.
    asio::co_spawn(state->loops.front()->context(), state->accept_all(), asio::detached);
    for (auto& loop : state->loops) {
        loop->run();
    }
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() {
    begin_stop();
    wait(std::chrono::steady_clock::now());
}

std::uint16_t Server::port() const {
    return state_->port;
}

std::size_t Server::connections() const {
    return state_->shared.connections.load();
}

std::size_t Server::streamed_bodies() const {
    return state_->shared.streamed_bodies.load();
}

void Server::begin_stop() {
    if (state_->shared.stopping.exchange(true)) {
        return;
    }
    asio::post(state_->loops.front()->context(), [state = state_.get()] {
        boost::system::error_code ignored;
        state->acceptor->close(ignored);
    });
    for (auto& loop : state_->loops) {
        loop->begin_stop();
    }
}

bool Server::wait(std::chrono::steady_clock::time_point deadline) {
    auto& shared = state_->shared;
    const auto quiet = [this] { return state_->is_quiet(); };
    {
        std::unique_lock lock(shared.mutex);
        if (shared.all_gone.wait_until(lock, deadline, quiet)) {
            return true;
        }
    }
    for (auto& loop : state_->loops) {
        loop->abort_all();
    }
    std::unique_lock lock(shared.mutex);
    return shared.all_gone.wait_for(lock, kAbortGrace, quiet);
}

}  // namespace kinodex::http
