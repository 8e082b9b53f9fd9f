// For tests: the real server on a free port with a few routes, and clients for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "http/server.h"
#include "http/test_client.h"
#include "http/test_routes.h"

namespace kinodex::http::testing {

using namespace std::chrono_literals;

/// Holds requests inside a handler until the test lets them go.
class Gate {
  public:
    Task<Response> pass() {
        entered_.set_value();
        boost::asio::steady_timer poll(co_await boost::asio::this_coro::executor);
        while (!open_.load()) {
            poll.expires_after(1ms);
            co_await poll.async_wait(boost::asio::use_awaitable);
        }
        co_return text_response("passed");
    }
    void wait_for_entry() { entered_.get_future().wait(); }
    void open() { open_ = true; }

  private:
    std::promise<void> entered_;
    std::atomic<bool> open_{false};
};

class ServerTest : public ::testing::Test {
  protected:
    void add(Method method, std::string pattern, Handler handler, BodyMode body = BodyMode::none,
             std::size_t limit = 0) {
        Route route;
        route.method = method;
        route.name = pattern;
        route.pattern = std::move(pattern);
        route.handler = std::move(handler);
        route.body = body;
        route.body_limit_bytes = limit;
        router_.add(std::move(route));
    }

    void start() {
        add(Method::get, "/hello",
            [](Request&) -> Task<Response> { co_return text_response("hi"); });
        add(Method::post, "/echo", echo, BodyMode::whole, 1000);
        add(Method::post, "/count", count_bytes, BodyMode::streamed);
        add(Method::post, "/parts", list_parts, BodyMode::streamed);
        add(
            Method::post, "/refuse",
            [](Request&) -> Task<Response> { co_return text_response("no", 400); },
            BodyMode::streamed);
        add(Method::get, "/throw", [](Request&) -> Task<Response> {
            throw std::runtime_error("unexpected");
            co_return text_response("");
        });
        add(Method::get, "/gate", [this](Request&) { return gate_.pass(); });
        add(Method::get, "/pattern", [](Request&) -> Task<Response> {
            Response response;
            response.body = SourcedBytes{std::make_unique<Pattern>(), 7, 1'000'000};
            co_return response;
        });
        add(Method::get, "/broken", [](Request&) -> Task<Response> {
            Response response;
            response.body = SourcedBytes{std::make_unique<BrokenSource>(), 0, 1'000'000};
            co_return response;
        });
        add(Method::get, "/shared", [](Request&) -> Task<Response> {
            Response response;
            response.body = SharedBytes{std::make_shared<std::string>("0123456789"), 2, 3};
            co_return response;
        });
        add(Method::get, "/status/{status}", [](Request& request) -> Task<Response> {
            co_return text_response("text",
                                    static_cast<unsigned>(std::stoul(request.path_values[0])));
        });
        options_.render_error = render;
        options_.fixed_headers = {{"X-Api-Version", "v1.3"}};
        options_.limits.sweep_interval = 5ms;
        options_.on_access = [this](const Access& access) {
            const std::lock_guard lock(mutex_);
            accesses_.push_back(std::string(access.method) + " " + std::string(access.route) + " " +
                                std::to_string(access.status));
        };
        auto server = Server::start(std::move(router_), options_);
        ASSERT_TRUE(server.has_value()) << server.error().detail;
        server_ = std::move(*server);
    }

    Client connect() { return Client(server_->port()); }
    /// Waits for a condition that another thread brings about.
    template <class Condition>
    static bool eventually(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (!condition() && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        return condition();
    }

    Router router_;
    ServerOptions options_;
    Gate gate_;
    std::mutex mutex_;
    std::vector<std::string> accesses_;
    std::unique_ptr<Server> server_;
};

inline std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

inline std::string post(const std::string& path, const std::string& body,
                        const std::string& headers = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace kinodex::http::testing
