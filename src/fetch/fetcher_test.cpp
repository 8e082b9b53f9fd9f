// The fetcher against servers that misbehave: where it does not go, what it does not take, and that
// every wait ends.
#include "fetch/fetcher.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <semaphore>

#include "fetch/download.h"
#include "fetch/test_peer.h"
#include "runtime/test_await.h"

namespace kinodex::fetch {
namespace {

using base::Errc;
using runtime::await;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Talk = TestPeer::Talk;

std::shared_ptr<const AddressRules> rules(std::string_view allowed = "127.0.0.1") {
    return std::make_shared<const AddressRules>(AddressRules::parse(allowed).value());
}

std::string ok(std::string_view body, std::string_view more = "") {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(more) + "\r\n" + std::string(body);
}

std::string redirect(std::string_view to) {
    return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + std::string(to) + "\r\n\r\n";
}

GetRequest get_of(const std::string& url, std::string_view allowed = "127.0.0.1") {
    GetRequest request;
    request.url = url;
    request.rules = rules(allowed);
    request.patience.stall = seconds(20);
    return request;
}

runtime::Asked<std::string> fetch_text(Fetcher& fetcher, GetRequest request) {
    KN_CO_TRY(answer, co_await fetcher.get(std::move(request)));
    std::string text = std::to_string(answer->head().status) + " ";
    while (true) {
        KN_CO_TRY(piece, co_await answer->read());
        if (piece.kind == Piece::Kind::end) {
            co_return text;
        }
        text.append(reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
    }
}

base::Result<std::string> fetched(GetRequest request) {
    Fetcher fetcher({});
    return await(fetch_text(fetcher, std::move(request)));
}

Errc code_of(const auto& result) {
    return result ? Errc::internal : result.error().code;
}

std::string numbered(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<char>((i * 2654435761U) >> 13);
    }
    return bytes;
}

TEST(Fetcher, bodies_arrive_whole) {
    const auto body = numbered(20'000'000);
    TestPeer peer([&](const Talk& talk) {
        talk.say(ok(body));
        talk.wait();  // as kept connections do: the length alone says that it is over
    });
    EXPECT_EQ(fetched(get_of(peer.url())).value(), "200 " + body);
}

TEST(Fetcher, chunked_and_unannounced_bodies_arrive_whole) {
    TestPeer chunked([](const Talk& talk) {
        talk.say(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n");
    });
    EXPECT_EQ(fetched(get_of(chunked.url())).value(), "200 abc");
    TestPeer open_ended([](const Talk& talk) { talk.say("HTTP/1.0 200 OK\r\n\r\nabc"); });
    EXPECT_EQ(fetched(get_of(open_ended.url())).value(), "200 abc");
}

TEST(Fetcher, addresses_within_are_refused_however_they_are_spelled) {
    TestPeer peer([](const Talk& talk) { talk.say(ok("secret")); });
    for (const char* host :
         {"127.0.0.1", "localhost", "LOCALHOST", "localhost.", "127.1", "2130706433", "0x7f000001",
          "0177.0.0.1", "0x7f.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
          "[0:0:0:0:0:ffff:7f00:1]", "ip6-localhost", "\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.1"}) {
        const auto url = "http://" + std::string(host) + ":" + peer.port() + "/";
        const auto got = fetched(get_of(url, ""));
        ASSERT_FALSE(got) << host;
        EXPECT_TRUE(got.error().code == Errc::media_url_not_accessible ||
                    got.error().code == Errc::media_url_unreachable ||  // a name nobody knows
                    got.error().code == Errc::parameter_invalid)
            << host;
    }
    EXPECT_EQ(peer.connections(), 0);
}

TEST(Fetcher, each_hop_is_checked) {
    TestPeer inside([](const Talk& talk) { talk.say(ok("secret")); });
    for (const auto& to :
         {inside.url(), "http://localhost:" + inside.port() + "/",
          "http://[::ffff:127.0.0.1]:" + inside.port() + "/", std::string("file:///etc/passwd"),
          std::string("ftp://127.0.0.1/x"), std::string("gopher://127.0.0.1/x"),
          "http://user:word@" + inside.host_port() + "/"}) {
        TestPeer outside([&](const Talk& talk) { talk.say(redirect(to)); });
        const auto got = fetched(get_of(outside.url(), outside.host_port()));
        ASSERT_FALSE(got) << to;
        EXPECT_EQ(got.error().code, Errc::media_url_not_accessible) << to;
        EXPECT_EQ(got.error().value("url"), outside.url()) << "names what was asked, no more";
    }
    EXPECT_EQ(inside.connections(), 0);
}

TEST(Fetcher, redirects_are_followed_up_to_a_bound) {
    TestPeer peer([](const Talk& talk) {
        talk.say(talk.number <= kRedirectsMax ? redirect("next") : ok("there"));
    });
    EXPECT_EQ(fetched(get_of(peer.url("/a/b"))).value(), "200 there");
    EXPECT_EQ(peer.connections(), kRedirectsMax + 1);
    TestPeer circle([](const Talk& talk) { talk.say(redirect("/")); });
    EXPECT_EQ(code_of(fetched(get_of(circle.url()))), Errc::media_url_not_accessible);
    EXPECT_EQ(circle.connections(), kRedirectsMax + 1);
}

TEST(Fetcher, each_hop_has_to_answer_in_time) {
    for (const int silent : {1, kRedirectsMax + 1}) {
        TestPeer peer([&](const Talk& talk) {
            if (talk.number < silent) {
                talk.say(redirect("next"));
            } else {
                talk.wait();
            }
        });
        auto request = get_of(peer.url());
        request.patience.stall = seconds(1);
        EXPECT_EQ(code_of(fetched(std::move(request))), Errc::media_url_unreachable);
        EXPECT_LE(peer.connections(), silent);
    }
}

TEST(Fetcher, proxies_and_codings_are_not_asked_for) {
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    std::string head;
    TestPeer peer([&](const Talk& talk) {
        head = talk.head;
        talk.say(ok("x"));
    });
    EXPECT_TRUE(fetched(get_of(peer.url("/a?b"))));
    ::unsetenv("http_proxy");
    ::unsetenv("ALL_PROXY");
    EXPECT_NE(head.find("GET /a?b HTTP/1.1\r\n"), std::string::npos);
    EXPECT_NE(head.find("Accept-Encoding: identity\r\n"), std::string::npos);
    EXPECT_EQ(head.find("Authorization"), std::string::npos);
    EXPECT_EQ(head.find("Cookie"), std::string::npos);
}

TEST(Fetcher, odd_answers_are_errors) {
    struct Row {
        const char* answer;
        Errc code;
    };
    const std::string long_head = "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n";
    const Row rows[] = {
        {"", Errc::media_url_unreachable},
        {"hello", Errc::media_url_not_accessible},
        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Errc::media_url_unreachable},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         Errc::media_url_not_accessible},
        {long_head.c_str(), Errc::media_url_not_accessible},
    };
    for (const auto& row : rows) {
        TestPeer peer([&](const Talk& talk) { talk.say(row.answer); });
        EXPECT_EQ(code_of(fetched(get_of(peer.url()))), row.code)
            << std::string_view(row.answer).substr(0, 60);
    }
}

TEST(Fetcher, silence_is_not_waited_out) {
    TestPeer peer([](const Talk& talk) { talk.wait(); });
    auto request = get_of(peer.url());
    request.patience.stall = seconds(1);
    EXPECT_EQ(code_of(fetched(std::move(request))), Errc::media_url_unreachable);
    TestPeer trickle([](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        talk.wait();
    });
    request = get_of(trickle.url());
    request.patience.total = milliseconds(300);
    EXPECT_EQ(code_of(fetched(std::move(request))), Errc::media_url_unreachable);
}

TEST(Fetcher, nobody_there_may_be_passing) {
    std::string url;
    {
        const TestPeer gone([](const Talk&) {});
        url = gone.url();
    }
    EXPECT_EQ(code_of(fetched(get_of(url))), Errc::media_url_unreachable);
}

TEST(Fetcher, too_many_at_once_are_refused) {
    TestPeer peer([](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        talk.wait();
    });
    Fetcher fetcher({.transfers_max = 1, .ca_file = ""});
    {
        const auto first = await(fetcher.get(get_of(peer.url())));
        ASSERT_TRUE(first);
        EXPECT_EQ(fetcher.transfers(), 1U);
        EXPECT_EQ(code_of(await(fetcher.get(get_of(peer.url())))), Errc::overloaded);
    }
    // The first was dropped, so there is room, and its connection is closed.
    while (fetcher.transfers() > 0) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(await(fetcher.get(get_of(peer.url()))));
}

TEST(Fetcher, a_stop_ends_what_runs) {
    std::binary_semaphore reached(0);
    TestPeer peer([&](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        reached.release();
        talk.wait();
    });
    Fetcher fetcher({});
    std::thread stopper([&] {
        reached.acquire();
        fetcher.stop();
    });
    EXPECT_EQ(code_of(await(fetch_text(fetcher, get_of(peer.url())))), Errc::shutting_down);
    stopper.join();
    EXPECT_EQ(code_of(await(fetcher.get(get_of(peer.url())))), Errc::shutting_down);
}

TEST(Fetcher, a_reader_that_waits_holds_back_the_sender) {
    std::binary_semaphore is_stuck(0);
    std::size_t stuck_after = 0;
    const std::string block(64 * 1024, 'x');
    TestPeer peer([&](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        // A send that does not end within this time is one that nobody reads.
        const timeval patience{.tv_sec = 0, .tv_usec = 500'000};
        ::setsockopt(talk.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        while (::send(talk.fd, block.data(), block.size(), MSG_NOSIGNAL) > 0) {
            stuck_after += block.size();
        }
        is_stuck.release();
        const timeval none{};
        ::setsockopt(talk.fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
        while (talk.say(block)) {
        }
    });
    Fetcher fetcher({});
    auto answer = await(fetcher.get(get_of(peer.url()))).value();
    is_stuck.acquire();
    // The blocks, and what the two sockets hold.
    EXPECT_LT(stuck_after, 32U * 1024 * 1024);
    for (std::size_t got = 0; got < 100'000'000;) {
        got += await(answer->read()).value().bytes.size();
    }
}

TEST(Fetcher, posts_and_takes_the_head_of_the_answer) {
    std::string head;
    TestPeer peer([&](const Talk& talk) {
        head = talk.head;
        talk.say(ok(std::string(1000, 'y')));
    });
    Fetcher fetcher({});
    PostRequest request;
    request.url = peer.url("/hook");
    request.rules = rules();
    request.headers = {"Content-Type: application/json", "TL-Signature: t=1,v1=2"};
    request.body = "{\"a\":1}";
    const auto answer = await(fetcher.post(request));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_NE(head.find("POST /hook HTTP/1.1"), std::string::npos);
    EXPECT_NE(head.find("TL-Signature: t=1,v1=2\r\n"), std::string::npos);
    EXPECT_NE(head.find("\r\nContent-Length: 7\r\n"), std::string::npos);
    EXPECT_TRUE(head.ends_with("{\"a\":1}")) << head;
}

TEST(Fetcher, posts_follow_no_redirect) {
    TestPeer peer([](const Talk& talk) { talk.say(redirect("/elsewhere")); });
    Fetcher fetcher({});
    PostRequest request;
    request.url = peer.url();
    request.rules = rules();
    EXPECT_EQ(await(fetcher.post(request)).value().status, 302U);
    EXPECT_EQ(peer.connections(), 1);
}

TEST(Fetcher, post_is_answered_by_the_head_whatever_comes_of_the_body) {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    TestPeer short_one([&](const Talk& talk) { talk.say(head + "x"); });
    TestPeer silent([&](const Talk& talk) {
        talk.say(head);
        talk.wait();
    });
    Fetcher fetcher({});
    for (const auto* peer : {&short_one, &silent}) {
        PostRequest request;
        request.url = peer->url();
        request.rules = rules();
        request.patience.total = seconds(60);
        const auto answer = await(fetcher.post(request));
        ASSERT_TRUE(answer) << answer.error().detail;
        EXPECT_EQ(answer->status, 200U);
    }
}

}  // namespace
}  // namespace kinodex::fetch
