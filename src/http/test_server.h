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

#include "http/multipart_reader.h"
#include "http/server.h"
#include "http/test_client.h"

namespace kinodex::http::testing {

using namespace std::chrono_literals;

inline Response text_response(std::string text, unsigned status = 200) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = std::move(text);
    return response;
}

inline unsigned status_of(base::Errc code) {
    switch (code) {
        case base::Errc::endpoint_not_exists:
            return 404;
        case base::Errc::method_not_allowed:
            return 405;
        case base::Errc::request_timed_out:
            return 408;
        case base::Errc::body_too_large:
            return 413;
        case base::Errc::uri_too_long:
            return 414;
        case base::Errc::header_too_large:
            return 431;
        case base::Errc::overloaded:
            return 503;
        case base::Errc::internal:
            return 500;
        default:
            return 400;
    }
}

inline Response render(const base::Error& error) {
    return text_response("error", status_of(error.code));
}

/// A body whose byte at offset n is n mod 251, so that a shift by any power of two is seen.
class Pattern final : public BodySource {
  public:
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        for (std::size_t i = 0; i < into.size(); ++i) {
            into[i] = static_cast<std::byte>((offset + i) % 251);
        }
        co_return base::Status{};
    }
};

inline Task<Response> echo(Request& request) {
    co_return text_response(request.body);
}

inline Task<Response> count_bytes(Request& request) {
    std::vector<std::byte> buffer(64 * 1024);
    std::uint64_t total = 0;
    while (true) {
        auto count = co_await request.body_reader->read(buffer);
        if (!count) {
            co_return render(count.error());
        }
        if (*count == 0) {
            co_return text_response(std::to_string(total));
        }
        total += *count;
    }
}

inline Task<Response> list_parts(Request& request) {
    auto boundary = multipart_boundary(request.content_type);
    if (!boundary) {
        co_return render(boundary.error());
    }
    MultipartReader parts(*boundary, *request.body_reader, 16 * 1024);
    std::string seen;
    while (true) {
        auto head = co_await parts.next_part();
        if (!head) {
            co_return render(head.error());
        }
        if (!*head) {
            co_return text_response(seen);
        }
        auto text = co_await parts.read_text(1024 * 1024);
        if (!text) {
            co_return render(text.error());
        }
        seen += (*head)->name + "=" + std::to_string(text->size()) + ";";
    }
}

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

/// Fails at the second piece, as a disk may.
class BrokenSource final : public BodySource {
  public:
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        std::ranges::fill(into, std::byte{'x'});
        co_return offset == 0 ? base::Status{}
                              : base::fail(base::Errc::internal, {}, "the disk is broken");
    }
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
