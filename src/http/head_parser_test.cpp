#include "http/head_parser.h"

#include <gtest/gtest.h>

namespace kinodex::http {
namespace {

struct Parsed {
    base::Result<std::size_t> consumed;
    Request request;
    RequestHead head;
};

Parsed parsed(std::string_view bytes, const HeadLimits& limits = {}) {
    Parsed result;
    result.consumed = parse_head(bytes, limits, result.request, result.head);
    return result;
}

TEST(RequestHead, keeps_the_fields_that_matter) {
    const std::string bytes =
        "PATCH /a/b%20c?x=1&y=?2 HTTP/1.1\r\nhOST: kinodex:80\r\nX-API-Key:  key \r\n"
        "Content-Type: application/json\r\nRange: bytes=0-1\r\nIf-Range: \"r\"\r\n"
        "If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\nContent-Length: 12\r\n"
        "Expect: 100-Continue\r\nX-Request-ID: r.1_2-3\r\nX-Other: ignored\r\n\r\n";
    const auto [consumed, request, head] = parsed(bytes + "body follows");
    ASSERT_TRUE(consumed.has_value());
    EXPECT_EQ(*consumed, bytes.size());
    EXPECT_EQ(request.method, Method::patch);
    EXPECT_EQ(request.method_text, "PATCH");
    EXPECT_EQ(request.path, "/a/b%20c");
    EXPECT_EQ(head.raw_query, "x=1&y=?2");
    EXPECT_EQ(request.host, "kinodex:80");
    EXPECT_EQ(request.api_key, "key");
    EXPECT_EQ(request.content_type, "application/json");
    EXPECT_EQ(request.range, "bytes=0-1");
    EXPECT_EQ(request.if_range, "\"r\"");
    EXPECT_EQ(request.if_none_match, "\"a\", \"b\"");
    EXPECT_EQ(request.request_id, "r.1_2-3");
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(head.chunked);
}

TEST(RequestHead, takes_no_request_id_that_could_harm_a_log) {
    for (const std::string id : {"a b", "a\"", "\xc3\xa9", ""}) {
        EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + id + "\r\n\r\n")
                      .request.request_id,
                  "")
            << id;
    }
    const auto with_length = [](std::size_t bytes) {
        return parsed("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + std::string(bytes, 'i') +
                      "\r\n\r\n")
            .request.request_id.size();
    };
    EXPECT_EQ(with_length(64), 64U);
    EXPECT_EQ(with_length(65), 0U);
}

TEST(RequestHead, splits_the_absolute_form) {
    const struct {
        const char* target;
        const char* path;
        const char* query;
    } rows[] = {
        {"http://a/b?c", "/b", "c"},
        {"https://a:1/", "/", ""},
        {"http://a", "/", ""},
        {"/http://a/b", "/http://a/b", ""},
        {"*", "*", ""},
    };
    for (const auto& row : rows) {
        const auto result =
            parsed("GET " + std::string(row.target) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        ASSERT_TRUE(result.consumed.has_value()) << row.target;
        EXPECT_EQ(result.request.path, row.path);
        EXPECT_EQ(result.head.raw_query, row.query);
    }
}

TEST(RequestHead, names_what_is_wrong) {
    const HeadLimits small{200, 50};
    const auto code_of = [&](const std::string& bytes) {
        return parsed(bytes, small).consumed.error().code;
    };
    EXPECT_EQ(code_of("GET /" + std::string(50, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
              base::Errc::uri_too_long);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(200, 'x') + "\r\n\r\n"),
              base::Errc::header_too_large);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n"),
              base::Errc::request_malformed);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n"),
              base::Errc::request_malformed);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\n\r\n"), base::Errc::request_malformed);
    EXPECT_EQ(code_of("GET / HTTP/1.1\r\nHost: a\r\n"), base::Errc::request_malformed);
}

TEST(RequestHead, ignores_expectations_of_http_1_0) {
    const auto result =
        parsed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    ASSERT_TRUE(result.consumed.has_value());
    EXPECT_FALSE(result.head.expects_continue);
    EXPECT_FALSE(result.head.keep_alive);
}

}  // namespace
}  // namespace kinodex::http
