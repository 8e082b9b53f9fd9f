// The real server on a free port, talked to over raw sockets, so that every byte is seen.
#include "http/test_server.h"

namespace kinodex::http {
namespace {

using namespace testing;
using ServerAnswers = testing::ServerTest;

TEST_F(ServerAnswers, answers_with_the_headers_of_every_answer_and_keeps_the_connection) {
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

TEST_F(ServerAnswers, makes_a_request_id_where_the_incoming_one_is_not_sane) {
    start();
    auto client = connect();
    client.send(get("/hello", "X-Request-Id: a b;c\r\n"));
    EXPECT_EQ(client.read_answer().header("x-request-id").size(), 24U);
}

TEST_F(ServerAnswers, answers_pipelined_requests_in_order) {
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

TEST_F(ServerAnswers, starts_anew_after_pipelined_requests) {
    start();
    auto client = connect();
    for (int i = 0; i < 3; ++i) {
        client.send(get("/hello") + get("/shared"));
        EXPECT_EQ(client.read_answer().body, "hi");
        EXPECT_EQ(client.read_answer().body, "234");
    }
}

TEST_F(ServerAnswers, reads_a_head_that_comes_byte_by_byte) {
    start();
    auto client = connect();
    for (const char c : post("/echo", "slow")) {
        client.send(std::string(1, c));
    }
    EXPECT_EQ(client.read_answer().body, "slow");
}

TEST_F(ServerAnswers, head_has_the_length_and_no_body) {
    start();
    auto client = connect();
    client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello"));
    const auto answer = client.read_answer(Client::Expect::no_body);
    EXPECT_EQ(answer.header("content-length"), "2");
    EXPECT_EQ(client.read_answer().body, "hi");
}

TEST_F(ServerAnswers, refuses_what_it_does_not_have) {
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

TEST_F(ServerAnswers, refuses_broken_heads_and_closes) {
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

TEST_F(ServerAnswers, takes_the_absolute_form_and_http_1_0) {
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

TEST_F(ServerAnswers, bounds_whole_bodies_however_they_are_framed) {
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

TEST_F(ServerAnswers, streams_large_bodies_of_both_framings) {
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

TEST_F(ServerAnswers, reads_multipart_forms_from_the_stream) {
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

TEST_F(ServerAnswers, says_continue_only_when_the_body_is_wanted) {
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

TEST_F(ServerAnswers, a_client_that_sends_on_reads_its_refusal) {
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

TEST_F(ServerAnswers, sends_sourced_bodies_whole) {
    start();
    auto client = connect();
    client.send(get("/pattern"));
    const auto answer = client.read_answer();
    ASSERT_EQ(answer.body.size(), 1'000'000U);
    for (std::size_t i = 0; i < answer.body.size(); ++i) {
        ASSERT_EQ(static_cast<unsigned char>(answer.body[i]), (i + 7) % 251) << i;
    }
}

TEST_F(ServerAnswers, reports_each_request_once_and_without_its_query) {
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

TEST_F(ServerAnswers, a_chunked_upload_leaves_the_connection_usable) {
    start();
    auto client = connect();
    // The last chunk comes late, after the form's last boundary, as it does from Node.
    client.send(
        "POST /parts HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n47\r\n"
        "--b\r\nContent-Disposition: form-data; "
        "name=\"method\"\r\n\r\ndirect\r\n--b--\r\n\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return server_->streamed_bodies() == 1; }));
    client.send("0\r\n\r\n" + get("/hello"));
    EXPECT_EQ(client.read_answer().body, "method=6;");
    EXPECT_EQ(client.read_answer().body, "hi");
}

TEST_F(ServerAnswers, sends_a_part_of_shared_bytes) {
    start();
    auto client = connect();
    client.send(get("/shared"));
    EXPECT_EQ(client.read_answer().body, "234");
}

TEST_F(ServerAnswers, sends_no_body_where_there_is_never_one) {
    start();
    auto client = connect();
    for (const auto* status : {"204", "304"}) {
        client.send(get(std::string("/status/") + status) + get("/hello"));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, std::stoul(status));
        EXPECT_EQ(answer.header("content-length"), "");
        EXPECT_EQ(client.read_answer().body, "hi");
    }
}

TEST_F(ServerAnswers, cuts_an_answer_whose_source_fails) {
    start();
    auto client = connect();
    client.send(get("/broken"));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.header("content-length"), "1000000");
    EXPECT_LT(answer.body.size(), 1'000'000U);
    EXPECT_TRUE(client.is_at_end());
}

TEST_F(ServerAnswers, options_go_to_their_hook_for_every_path) {
    options_.options_handler = [](Request& request) -> Task<Response> {
        co_return text_response("options " + request.path);
    };
    start();
    auto client = connect();
    client.send("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "options /hello");
    EXPECT_EQ(client.read_answer().body, "options *");
}

}  // namespace
}  // namespace kinodex::http
