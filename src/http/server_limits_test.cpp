// Time-outs, caps, memory and the stop of the real server; time-outs are options, so tests are
// short.
#include "http/test_server.h"

namespace kinodex::http {
namespace {

using namespace testing;
using ServerBounds = testing::ServerTest;

TEST_F(ServerBounds, closes_slow_heads_at_an_absolute_deadline) {
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

TEST_F(ServerBounds, closes_idle_connections_without_a_word) {
    options_.limits.idle_timeout = 30ms;
    start();
    auto fresh = connect();
    auto used = connect();
    used.send(get("/hello"));
    EXPECT_EQ(used.read_answer().status, 200U);
    EXPECT_TRUE(fresh.is_at_end());
    EXPECT_TRUE(used.is_at_end());
}

TEST_F(ServerBounds, gives_up_on_bodies_that_stall_or_trickle) {
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

TEST_F(ServerBounds, takes_less_than_a_batch_for_progress) {
    // Large bodies are waited for in batches; a client that sends less than one in a whole period
    // is slow, and no slower than it may be.
    options_.limits.body_timeout = 1s;
    options_.limits.progress_bytes = 1;
    start();
    auto client = connect();
    const std::string body(1'000'000, 'x');
    client.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    std::size_t sent = 0;
    const auto until = std::chrono::steady_clock::now() + 1300ms;
    while (std::chrono::steady_clock::now() < until && !client.is_readable()) {
        client.send(body.substr(sent++, 1));
    }
    client.send(body.substr(sent));
    EXPECT_EQ(client.read_answer().body, "1000000");
    client.send(get("/hello"));
    EXPECT_EQ(client.read_answer().body, "hi") << "small requests are heard again";
}

TEST_F(ServerBounds, drops_clients_that_do_not_read) {
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

TEST_F(ServerBounds, refuses_connections_beyond_the_limit) {
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

TEST_F(ServerBounds, bounds_the_bodies_that_stream_at_once) {
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

TEST_F(ServerBounds, stops_gracefully_while_a_request_runs) {
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

TEST_F(ServerBounds, cuts_off_what_does_not_end_by_the_deadline) {
    start();
    auto sender = connect();
    sender.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    ASSERT_TRUE(eventually([&] { return server_->streamed_bodies() == 1; }));
    server_->begin_stop();
    EXPECT_TRUE(server_->wait(std::chrono::steady_clock::now()));
}

TEST_F(ServerBounds, can_be_destroyed_while_a_handler_waits) {
    start();
    auto client = connect();
    client.send(get("/gate"));
    gate_.wait_for_entry();
    server_.reset();
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerBounds, an_idle_connection_costs_kilobytes) {
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
