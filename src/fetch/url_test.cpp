// What is a URL to fetch, where redirects lead, and what a file behind one is called.
#include "fetch/url.h"

#include <gtest/gtest.h>

namespace kinodex::fetch {
namespace {

TEST(Url, parts) {
    struct Row {
        const char* text;
        const char* whole;
        const char* host;
        std::uint16_t port;
    };
    constexpr Row kRows[] = {
        {"http://example.org", "http://example.org/", "example.org", 80},
        {"https://example.org/a?b#c", "https://example.org/a?b#c", "example.org", 443},
        {"HTTP://Example.org:8080/A", "http://Example.org:8080/A", "Example.org", 8080},
        {"http://[::1]:81/", "http://[::1]:81/", "::1", 81},
        {"http://h/a b.mp4", "http://h/a%20b.mp4", "h", 80},
        {"http://h/a/../b%2Fc", "http://h/a/../b%2Fc", "h", 80},  // signatures cover the path
    };
    for (const auto& row : kRows) {
        const auto url = parse_url(row.text);
        ASSERT_TRUE(url) << row.text;
        EXPECT_EQ(url->text, row.whole);
        EXPECT_EQ(url->host, row.host);
        EXPECT_EQ(url->port, row.port);
    }
}

TEST(Url, odd_spellings_of_numbers_are_addresses) {
    for (const char* text : {"http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
                             "http://127.1/", "http://0x7f.0.0.1/"}) {
        EXPECT_EQ(parse_url(text).value().host, "127.0.0.1") << text;
    }
}

TEST(Url, what_is_refused) {
    for (const std::string& text :
         {"", "example.org/a", "/a", "file:///etc/passwd", "ftp://h/a", "gopher://h/", "data:,x",
          "http://", "http:///a", "http://user@h/", "http://user:word@h/", "http://h:0/",
          "http://h:65536/", "http://h:x/", "http://[::1/", "http://h\r\nX: y/", "javascript:x"}) {
        const auto url = parse_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, base::Errc::parameter_invalid);
        EXPECT_EQ(url.error().value("parameter"), "url");
    }
    EXPECT_FALSE(parse_url(std::string_view("http://h/\0x", 11)));
}

TEST(Url, length_has_a_bound) {
    const std::string start = "http://h/";
    EXPECT_TRUE(parse_url(start + std::string(kUrlBytesMax - start.size(), 'a')));
    EXPECT_FALSE(parse_url(start + std::string(kUrlBytesMax - start.size() + 1, 'a')));
}

TEST(Url, redirects_are_relative_to_where_they_come_from) {
    const auto from = parse_url("https://h:8443/a/b?c").value();
    EXPECT_EQ(redirected(from, "d").value().text, "https://h:8443/a/d");
    EXPECT_EQ(redirected(from, "/d?e").value().text, "https://h:8443/d?e");
    EXPECT_EQ(redirected(from, "//other/d").value().text, "https://other/d");
    EXPECT_EQ(redirected(from, "http://other/").value().port, 80);
    for (const char* location :
         {"file:///etc/passwd", "ftp://h/", "http://user@h/", "gopher://h/"}) {
        EXPECT_FALSE(redirected(from, location)) << location;
    }
}

TEST(Url, last_segment_is_decoded) {
    const auto name = [](const char* text) { return last_segment(parse_url(text).value()); };
    EXPECT_EQ(name("http://h/a/b%20c.mp4?x=y/z"), "b c.mp4");
    EXPECT_EQ(name("http://h/%E2%82%AC.mp4"), "\xE2\x82\xAC.mp4");
    EXPECT_EQ(name("http://h/a/"), "");
    EXPECT_EQ(name("http://h"), "");
}

}  // namespace
}  // namespace kinodex::fetch
