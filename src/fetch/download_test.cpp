// Downloads whose connections break, whose servers lie, and whose bodies change meanwhile.
#include "fetch/download.h"

#include <gtest/gtest.h>

#include "fetch/test_peer.h"
#include "runtime/test_await.h"

namespace kinodex::fetch {
namespace {

using base::Errc;
using Talk = TestPeer::Talk;

struct Outcome {
    base::Result<std::string> text;
    int restarts = 0;
    int ticks = 0;
};

runtime::Asked<std::string> read_all(Fetcher& fetcher, DownloadRequest request, Outcome& outcome) {
    KN_CO_TRY(download, co_await Download::open(fetcher, std::move(request)));
    std::string text;
    while (true) {
        KN_CO_TRY(piece, co_await download->read());
        switch (piece.kind) {
            case Piece::Kind::bytes:
                text.append(reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
                break;
            case Piece::Kind::restart:
                text.clear();
                ++outcome.restarts;
                break;
            case Piece::Kind::tick:
                ++outcome.ticks;
                break;
            case Piece::Kind::end:
                co_return text;
        }
    }
}

DownloadRequest request_of(const TestPeer& peer, std::uint64_t bytes_max = 100'000'000) {
    DownloadRequest request;
    request.url = peer.url();
    request.rules = std::make_shared<const AddressRules>(AddressRules::parse("127.0.0.1").value());
    request.bytes_max = bytes_max;
    request.first_pause = std::chrono::milliseconds(1);
    request.patience.stall = std::chrono::seconds(1);
    return request;
}

Outcome download(DownloadRequest request) {
    Fetcher fetcher({});
    Outcome outcome;
    outcome.text = runtime::await(read_all(fetcher, std::move(request), outcome));
    return outcome;
}

Outcome download(const TestPeer& peer, std::uint64_t bytes_max = 100'000'000) {
    return download(request_of(peer, bytes_max));
}

Errc code_of(const Outcome& outcome) {
    return outcome.text ? Errc::internal : outcome.text.error().code;
}

std::string whole(std::string_view body, std::string_view etag, std::size_t cut) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\nETag: " + std::string(etag) + "\r\n\r\n" + std::string(body.substr(0, cut));
}

std::string part(std::string_view body, std::size_t from, std::string_view etag, std::size_t cut) {
    return "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(body.size() - from) +
           "\r\nContent-Range: bytes " + std::to_string(from) + "-" +
           std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) +
           "\r\nETag: " + std::string(etag) + "\r\n\r\n" + std::string(body.substr(from, cut));
}

/// Where the range that a request asks for begins; 0 without one.
std::size_t range_start(const Talk& talk) {
    const auto at = talk.head.find("Range: bytes=");
    return at == std::string::npos ? 0 : std::stoul(talk.head.substr(at + 13));
}

const std::string kBody = [] {
    std::string text;
    for (int i = 0; text.size() < 3'000'000; ++i) {
        text += std::to_string(i) + ",";
    }
    return text;
}();

TEST(Download, goes_on_where_it_broke) {
    TestPeer peer([](const Talk& talk) {
        const auto from = range_start(talk);
        if (talk.number == 1) {
            talk.say(whole(kBody, "\"a\"", 700'000));
        } else if (talk.has("If-Range: \"a\"") && from > 0) {
            talk.say(part(kBody, from, "\"a\"", 900'000));
        }
    });
    const auto outcome = download(peer);
    EXPECT_EQ(outcome.text.value(), kBody);
    EXPECT_EQ(outcome.restarts, 0);
    EXPECT_GE(peer.connections(), 4);
}

TEST(Download, keeps_what_came_while_others_have_every_transfer) {
    TestPeer peer([](const Talk& talk) {
        const auto from = range_start(talk);
        talk.say(from == 0 ? whole(kBody, "\"a\"", 700'000)
                           : part(kBody, from, "\"a\"", kBody.size()));
    });
    TestPeer endless([](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        talk.wait();
    });
    Fetcher fetcher({.transfers_max = 1, .ca_file = ""});
    auto download = runtime::await(Download::open(fetcher, request_of(peer))).value();
    GetRequest get;
    get.url = endless.url();
    get.rules = request_of(peer).rules;
    base::Result<std::unique_ptr<Answer>> other;
    std::string text;
    const int ticks_wanted = 2 * DownloadRequest{}.breaks_max;
    for (int ticks = 0;;) {
        const auto piece = runtime::await(download->read());
        ASSERT_TRUE(piece);
        if (piece->kind == Piece::Kind::end) {
            break;
        }
        text.append(reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size());
        if (piece->kind != Piece::Kind::tick) {
            continue;
        }
        if (++ticks == 1) {  // between the break and the next connection
            do {
                other = runtime::await(fetcher.get(get));
            } while (!other);
        } else if (ticks == ticks_wanted) {
            other->reset();
        }
    }
    EXPECT_EQ(text, kBody);
    EXPECT_EQ(peer.connections(), 2);
}

TEST(Download, begins_anew_when_it_changed) {
    const std::string other = "other " + kBody;
    TestPeer peer([&](const Talk& talk) {
        talk.say(talk.number == 1 ? whole(kBody, "\"a\"", 700'000)
                                  : whole(other, "\"b\"", other.size()));
    });
    const auto outcome = download(peer);
    EXPECT_EQ(outcome.text.value(), other);
    EXPECT_EQ(outcome.restarts, 1);
    EXPECT_EQ(peer.connections(), 2);
}

TEST(Download, begins_anew_when_the_part_is_another_or_gone) {
    for (const std::string& answer :
         {part(kBody, 5, "\"a\"", 100), part(kBody, 700'000, "\"b\"", 100),
          std::string("HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n")}) {
        TestPeer peer([&](const Talk& talk) {
            if (talk.number == 2) {
                talk.say(answer);
            } else {
                talk.say(whole(kBody, "\"a\"", talk.number == 1 ? 700'000 : kBody.size()));
            }
        });
        const auto outcome = download(peer);
        EXPECT_EQ(outcome.text.value(), kBody);
        EXPECT_EQ(outcome.restarts, 1);
        EXPECT_EQ(peer.connections(), 3);
    }
}

TEST(Download, without_a_validator_only_a_new_beginning_is_safe) {
    TestPeer peer([](const Talk& talk) {
        EXPECT_EQ(range_start(talk), 0U);
        talk.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" +
                 std::string(talk.number == 1 ? "abc" : "abcdef"));
    });
    const auto outcome = download(peer);
    EXPECT_EQ(outcome.text.value(), "abcdef");
    EXPECT_EQ(outcome.restarts, 1);
}

TEST(Download, gives_up_after_some_breaks_without_progress) {
    TestPeer peer([](const Talk& talk) {
        const auto from = range_start(talk);
        talk.say(from == 0 ? whole(kBody, "\"a\"", 100) : part(kBody, from, "\"a\"", 1));
    });
    EXPECT_EQ(code_of(download(peer)), Errc::media_url_unreachable);
    EXPECT_EQ(peer.connections(), 1 + DownloadRequest{}.breaks_max);
}

TEST(Download, gives_up_on_what_keeps_changing) {
    // Megabytes each time, so that the breaks alone would not end it.
    TestPeer peer([](const Talk& talk) {
        talk.say(whole(kBody, "\"" + std::to_string(talk.number) + "\"", 2'000'000));
    });
    EXPECT_EQ(code_of(download(peer)), Errc::media_url_unreachable);
    EXPECT_EQ(peer.connections(), 1 + kRestartsMax + 1);
}

TEST(Download, an_error_in_between_is_one_more_break) {
    TestPeer peer([](const Talk& talk) {
        if (talk.number == 2) {
            talk.say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        } else {
            const auto from = range_start(talk);
            talk.say(from == 0 ? whole(kBody, "\"a\"", 700'000)
                               : part(kBody, from, "\"a\"", kBody.size()));
        }
    });
    EXPECT_EQ(download(peer).text.value(), kBody);
    TestPeer gone([](const Talk& talk) {
        talk.say(talk.number == 1 ? whole(kBody, "\"a\"", 700'000)
                                  : "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    });
    EXPECT_EQ(code_of(download(gone)), Errc::media_url_not_accessible);
    EXPECT_EQ(gone.connections(), 2);
}

TEST(Download, statuses_are_told_apart) {
    for (const unsigned status : {204U, 206U, 304U, 400U, 401U, 404U, 410U}) {
        TestPeer peer([&](const Talk& talk) {
            talk.say("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
        });
        EXPECT_EQ(code_of(download(peer)), Errc::media_url_not_accessible) << status;
    }
    for (const unsigned status : {408U, 425U, 429U, 500U, 503U}) {
        TestPeer peer([&](const Talk& talk) {
            talk.say("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
        });
        EXPECT_EQ(code_of(download(peer)), Errc::media_url_unreachable) << status;
    }
}

TEST(Download, size_is_bounded_by_what_is_announced_and_by_what_comes) {
    const std::string body(1000, 'x');
    TestPeer announced([&](const Talk& talk) { talk.say(whole(body, "\"a\"", body.size())); });
    EXPECT_EQ(download(announced, 1000).text.value().size(), 1000U);
    const auto refused = download(announced, 999);
    ASSERT_EQ(code_of(refused), Errc::body_too_large);
    EXPECT_EQ(refused.text.error().value("current_size"), "1000");
    TestPeer endless([&](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\n\r\n");
        while (talk.say(body)) {
        }
    });
    EXPECT_EQ(code_of(download(endless, 5'000'000)), Errc::body_too_large);
}

TEST(Download, encoded_bodies_are_refused) {
    TestPeer peer([](const Talk& talk) {
        talk.say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
    });
    const auto outcome = download(peer);
    ASSERT_EQ(code_of(outcome), Errc::media_url_unsupported_format);
    EXPECT_EQ(outcome.text.error().value("detected_format"), "gzip");
}

TEST(Download, a_slow_body_ticks_and_a_still_one_is_asked_for_again) {
    TestPeer peer([](const Talk& talk) {
        const auto from = range_start(talk);
        if (from == 0) {
            talk.say(whole(kBody, "\"a\"", 1000));
            talk.wait();  // until the other side has lost patience
        } else {
            talk.say(part(kBody, from, "\"a\"", kBody.size()));
        }
    });
    const auto outcome = download(peer);
    EXPECT_EQ(outcome.text.value(), kBody);
    EXPECT_GE(outcome.ticks, 1);
    EXPECT_EQ(peer.connections(), 2);
}

/// Neither patience nor the count of breaks would ever end these two.
TEST(Download, its_time_is_bounded_within_a_connection_and_over_all_of_them) {
    TestPeer silent([](const Talk& talk) {
        talk.say(whole(kBody, "\"a\"", 1000));
        talk.wait();
    });
    auto request = request_of(silent);
    request.patience.stall = std::chrono::hours(1);
    request.total = std::chrono::seconds(1);
    auto outcome = download(request);
    ASSERT_EQ(code_of(outcome), Errc::media_url_unreachable);
    EXPECT_EQ(outcome.text.error().detail, "it took too long");
    EXPECT_EQ(silent.connections(), 1);

    const std::string piece(2 * kProgressBytes, 'x');
    TestPeer endless([&](const Talk& talk) {
        const std::string size = "1000000000000";
        const auto from = range_start(talk);
        talk.say(from == 0 ? "HTTP/1.1 200 OK\r\n"
                           : "HTTP/1.1 206 Part\r\nContent-Range: bytes " + std::to_string(from) +
                                 "-999999999999/" + size + "\r\n");
        talk.say("Content-Length: " + std::to_string(std::stoull(size) - from) +
                 "\r\nETag: \"a\"\r\n\r\n" + piece);
    });
    request = request_of(endless, 2'000'000'000'000);
    request.first_pause = std::chrono::milliseconds(100);  // or it would be very many bytes
    request.total = std::chrono::seconds(1);
    outcome = download(request);
    ASSERT_EQ(code_of(outcome), Errc::media_url_unreachable);
    EXPECT_EQ(outcome.text.error().detail, "it took too long");
}

}  // namespace
}  // namespace kinodex::fetch
