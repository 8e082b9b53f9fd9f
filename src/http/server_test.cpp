// The real server on a free port, talked to over raw sockets, so that every byte is seen.
#include "http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <mutex>

#include "http/multipart_reader.h"
#include "http/test_client.h"

namespace kinodex::http {
namespace {

using testing::Client;
using namespace std::chrono_literals;

Response text_response(std::string text, unsigned status = 200) {
    Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "text/plain");
    response.body = std::move(text);
    return response;
}

unsigned status_of(base::Errc code) {
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

Response render(const base::Error& error) {
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

Task<Response> echo(Request& request) {
    co_return text_response(request.body);
}

Task<Response> count_bytes(Request& request) {
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

Task<Response> list_parts(Request& request) {
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

std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
}

std::string post(const std::string& path, const std::string& body,
                 const std::string& headers = "") {
    return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST_F(ServerTest, answers_with_the_headers_of_every_answer_and_keeps_the_connection) {
    start();
    auto client = connect();
    for (int i = 0; i < 3; ++i) {
        client.send(get("/hello", "X-Request-Id: abc-1\r\n"));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.body, "hi");
        EXPECT_EQ(answer.header("content-length"), "2");
        EXPECT_EQ(answer.header("x-api-version"), "v1.3");
        EXPECT_EQ(answer.header("x-request-id"), "abc-1");
        EXPECT_EQ(answer.header("server"), "kinodex/" KN_VERSION);
        EXPECT_TRUE(answer.header("date").ends_with(" GMT"));
        EXPECT_EQ(answer.header("connection"), "");
    }
    EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(ServerTest, makes_a_request_id_where_the_incoming_one_is_not_sane) {
    start();
    auto client = connect();
    client.send(get("/hello", "X-Request-Id: a b;c\r\n"));
    EXPECT_EQ(client.read_answer().header("x-request-id").size(), 24U);
}

TEST_F(ServerTest, answers_pipelined_requests_in_order) {
    start();
    auto client = connect();
    client.send(post("/echo", "one") + post("/echo", "two") + get("/hello") + "\r\n" +
                get("/nowhere") + get("/hello"));
    EXPECT_EQ(client.read_answer().body, "one");
    EXPECT_EQ(client.read_answer().body, "two");
    EXPECT_EQ(client.read_answer().body, "hi");
    EXPECT_EQ(client.read_answer().status, 404U);
    EXPECT_EQ(client.read_answer().body, "hi");
}

TEST_F(ServerTest, reads_a_head_that_comes_byte_by_byte) {
    start();
    auto client = connect();
    for (const char c : post("/echo", "slow")) {
        client.send(std::string(1, c));
    }
    EXPECT_EQ(client.read_answer().body, "slow");
}

TEST_F(ServerTest, head_has_the_length_and_no_body) {
    start();
    auto client = connect();
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
    const auto answer = client.read_answer(Client::Expect::no_body);
    EXPECT_EQ(answer.header("content-length"), "2");
    EXPECT_EQ(client.read_answer().body, "hi");
}

TEST_F(ServerTest, refuses_what_it_does_not_have) {
    start();
    auto client = connect();
    client.send("DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 405U);
    EXPECT_EQ(answer.header("allow"), "POST");
    client.send(get("/hello?a=%zz"));
    EXPECT_EQ(client.read_answer().status, 400U);
    client.send(get("/throw"));
    EXPECT_EQ(client.read_answer().status, 500U);
    client.send(get("/hello"));
    EXPECT_EQ(client.read_answer().status, 200U);
}

TEST_F(ServerTest, refuses_broken_heads_and_closes) {
    const struct {
        std::string bytes;
        unsigned status;
        const char* why;
    } rows[] = {
        {"NONSENSE\r\n\r\n", 400, "not HTTP"},
        {"GET /hello HTTP/1.1\r\n\r\n", 400, "1.1 needs Host"},
        {"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "two hosts"},
        {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 400, "another version"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         400, "two framings are how requests are smuggled"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400,
         "coding"},
        {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "negative"},
        {get("/hello", "X-Long: " + std::string(17 * 1024, 'x') + "\r\n"), 431, "over 16 KiB"},
        {get("/" + std::string(9 * 1024, 'x')), 414, "over 8 KiB, whole head seen"},
        {get("/" + std::string(20 * 1024, 'x')), 414, "over the head's limit too"},
    };
    start();
    for (const auto& row : rows) {
        auto client = connect();
        client.send(row.bytes);
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, row.status) << row.why;
        EXPECT_EQ(answer.header("connection"), "close") << row.why;
        EXPECT_TRUE(client.is_at_end()) << row.why;
    }
}

TEST_F(ServerTest, takes_the_absolute_form_and_http_1_0) {
    start();
    auto client = connect();
    client.send("GET http://a:80/hello?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "hi");
    client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(client.read_answer().header("connection"), "keep-alive");
    client.send("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read_answer().header("connection"), "close");
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, bounds_whole_bodies_however_they_are_framed) {
    start();
    auto client = connect();
    client.send(post("/echo", std::string(1000, 'a')));
    EXPECT_EQ(client.read_answer().body.size(), 1000U);
    client.send(post("/echo", std::string(1001, 'a')));
    EXPECT_EQ(client.read_answer().status, 413U);
    // The small rest was read away, so the connection goes on.
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "abcde");
    client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                std::string(1001, 'a') + "\r\n");
    EXPECT_EQ(client.read_answer().status, 413U);
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, streams_large_bodies_of_both_framings) {
    start();
    auto client = connect();
    const std::string large(20'000'000, 'v');
    client.send(post("/count", large));
    EXPECT_EQ(client.read_answer().body, "20000000");
    std::string chunked = "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 100; ++i) {
        chunked += "10000\r\n" + large.substr(0, 65536) + "\r\n";
    }
    client.send(chunked + "0\r\n\r\n" + get("/hello"));
    EXPECT_EQ(client.read_answer().body, "6553600");
    EXPECT_EQ(client.read_answer().body, "hi");
}

TEST_F(ServerTest, reads_multipart_forms_from_the_stream) {
    start();
    auto client = connect();
    const std::string file(300'000, 'f');
    const std::string body =
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n" + file +
        "\r\n--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\ndirect\r\n--b--\r\n\r\n";
    client.send(post("/parts", body, "Content-Type: multipart/form-data; boundary=b\r\n"));
    EXPECT_EQ(client.read_answer().body, "file=300000;method=6;");
    client.send(post("/parts", body.substr(0, body.size() - 8),
                     "Content-Type: multipart/form-data; boundary=b\r\n"));
    EXPECT_EQ(client.read_answer().status, 400U);
}

TEST_F(ServerTest, says_continue_only_when_the_body_is_wanted) {
    start();
    auto client = connect();
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 2\r\n\r\n");
    EXPECT_EQ(client.read_answer(Client::Expect::no_body).status, 100U);
    client.send("ok");
    EXPECT_EQ(client.read_answer().body, "ok");
    client.send(
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        "Content-Length: 2000\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 413U);
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, a_client_that_sends_on_reads_its_refusal) {
    start();
    auto client = connect();
    // Far more than the socket buffers hold: it only goes through if the server takes it.
    client.send("POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n");
    client.send(std::string(60'000'000, 'x'));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 400U);
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, sends_sourced_bodies_whole) {
    start();
    auto client = connect();
    client.send(get("/pattern"));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.body.size(), 1'000'000U);
    for (std::size_t i = 0; i < answer.body.size(); ++i) {
        ASSERT_EQ(static_cast<unsigned char>(answer.body[i]), (i + 7) % 251) << i;
    }
}

TEST_F(ServerTest, closes_slow_heads_at_an_absolute_deadline) {
    options_.limits.header_timeout = 50ms;
    start();
    auto client = connect();
    client.send("GET /hello HTTP/1.1\r\n");
    // Each further byte is progress, and none of it helps.
    ASSERT_TRUE(eventually([&] {
        client.try_send("X");
        return client.is_readable();
    }));
    EXPECT_EQ(client.read_answer().status, 408U);
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, closes_idle_connections_without_a_word) {
    options_.limits.idle_timeout = 30ms;
    start();
    auto fresh = connect();
    auto used = connect();
    used.send(get("/hello"));
    EXPECT_EQ(used.read_answer().status, 200U);
    EXPECT_TRUE(fresh.is_at_end());
    EXPECT_TRUE(used.is_at_end());
}

TEST_F(ServerTest, gives_up_on_bodies_that_stall_or_trickle) {
    options_.limits.body_timeout = 50ms;
    start();
    auto stalled = connect();
    stalled.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_EQ(stalled.read_answer().status, 408U);
    auto trickling = connect();
    trickling.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    ASSERT_TRUE(eventually([&] {
        trickling.try_send("x");
        return trickling.is_readable();
    }));
    EXPECT_EQ(trickling.read_answer().status, 408U);
}

TEST_F(ServerTest, drops_clients_that_do_not_read) {
    options_.limits.write_timeout = 50ms;
    start();
    auto client = connect();
    std::string many;
    for (int i = 0; i < 40; ++i) {
        many += get("/pattern");
    }
    client.send(many);
    EXPECT_TRUE(eventually([&] { return server_->connections() == 0; }));
}

TEST_F(ServerTest, refuses_connections_beyond_the_limit) {
    options_.limits.connections = 2;
    start();
    auto first = connect();
    auto second = connect();
    ASSERT_TRUE(eventually([&] { return server_->connections() == 2; }));
    auto third = connect();
    third.send(get("/hello"));
    const auto answer = third.read_answer();
    EXPECT_EQ(answer.status, 503U);
    EXPECT_EQ(answer.header("retry-after"), "1");
    EXPECT_TRUE(third.is_at_end());
    first.send(get("/hello"));
    EXPECT_EQ(first.read_answer().status, 200U);
}

TEST_F(ServerTest, bounds_the_bodies_that_stream_at_once) {
    options_.limits.streamed_bodies = 1;
    start();
    auto first = connect();
    first.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    ASSERT_TRUE(eventually([&] { return server_->streamed_bodies() == 1; }));
    auto second = connect();
    second.send(post("/count", "x"));
    EXPECT_EQ(second.read_answer().status, 503U);
    first.send("defghij");
    EXPECT_EQ(first.read_answer().body, "10");
    second.send(post("/count", "x"));
    EXPECT_EQ(second.read_answer().body, "1");
}

TEST_F(ServerTest, stops_gracefully_while_a_request_runs) {
    start();
    auto idle = connect();
    idle.send(get("/hello"));
    EXPECT_EQ(idle.read_answer().status, 200U);
    auto busy = connect();
    busy.send(get("/gate"));
    gate_.wait_for_entry();
    server_->begin_stop();
    EXPECT_TRUE(idle.is_at_end());
    EXPECT_TRUE(eventually([&] { return !Client::can_connect(server_->port()); }));
    gate_.open();
    const auto answer = busy.read_answer();
    EXPECT_EQ(answer.body, "passed");
    EXPECT_EQ(answer.header("connection"), "close");
    EXPECT_TRUE(server_->wait(std::chrono::steady_clock::now() + 10s));
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(ServerTest, cuts_off_what_does_not_end_by_the_deadline) {
    start();
    auto sender = connect();
    sender.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    ASSERT_TRUE(eventually([&] { return server_->streamed_bodies() == 1; }));
    server_->begin_stop();
    EXPECT_TRUE(server_->wait(std::chrono::steady_clock::now()));
}

TEST_F(ServerTest, can_be_destroyed_while_a_handler_waits) {
    start();
    auto client = connect();
    client.send(get("/gate"));
    gate_.wait_for_entry();
    server_.reset();
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerTest, reports_each_request_once_and_without_its_query) {
    start();
    auto client = connect();
    client.send(get("/hello?secret=1") + get("/nowhere?secret=2"));
    client.read_answer();
    client.read_answer();
    ASSERT_TRUE(eventually([&] {
        const std::lock_guard lock(mutex_);
        return accesses_.size() == 2;
    }));
    EXPECT_EQ(accesses_[0], "GET /hello 200");
    EXPECT_EQ(accesses_[1], "GET  404");
}

TEST_F(ServerTest, an_idle_connection_costs_kilobytes) {
    options_.threads = 2;
    start();
    constexpr std::size_t kClients = 2000;
    testing::allow_descriptors(2 * kClients + 200);
    std::vector<Client> clients;
    clients.push_back(connect());
    clients.back().send(get("/hello"));
    clients.back().read_answer();
    const auto before = testing::resident_bytes();
    for (std::size_t i = 1; i < kClients; ++i) {
        clients.push_back(connect());
        clients.back().send(get("/hello"));
        clients.back().read_answer();
    }
    ASSERT_TRUE(eventually([&] { return server_->connections() == kClients; }));
    const auto each = (testing::resident_bytes() - before) / kClients;
    RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
    std::printf("idle connection: %zu bytes\n", each);
    EXPECT_LT(each, 64U * 1024);
}

}  // namespace
}  // namespace kinodex::http
