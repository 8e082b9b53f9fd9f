// The rules by which a broken download goes on, and how heads of answers are read.
#include "fetch/resume.h"

#include <gtest/gtest.h>

#include "fetch/head_reader.h"

namespace kinodex::fetch {
namespace {

using Lines = std::vector<std::string>;

TEST(Resume, asks_only_with_a_validator) {
    Head first;
    EXPECT_TRUE(resume_headers(first, 10).empty());
    first.last_modified = "Mon, 01 Jan 2024 00:00:00 GMT";
    EXPECT_EQ(resume_headers(first, 10),
              (Lines{"Range: bytes=10-", "If-Range: Mon, 01 Jan 2024 00:00:00 GMT"}));
    first.etag = "W/\"weak\"";
    EXPECT_EQ(resume_headers(first, 10)[1], "If-Range: Mon, 01 Jan 2024 00:00:00 GMT");
    first.etag = "\"strong\"";
    EXPECT_EQ(resume_headers(first, 10)[1], "If-Range: \"strong\"");
    EXPECT_TRUE(resume_headers(first, 0).empty());
}

TEST(Resume, content_range) {
    const auto range = parse_content_range("bytes 10-99/100");
    ASSERT_TRUE(range);
    EXPECT_EQ(range->first, 10U);
    EXPECT_EQ(range->last, 99U);
    EXPECT_EQ(range->size, 100U);
    EXPECT_EQ(parse_content_range("bytes 0-0/*")->size, std::nullopt);
    for (const char* text : {"", "bytes", "bytes */100", "bytes 9-8/100", "bytes -9/100",
                             "bytes 1-/100", "items 1-2/3", "bytes 1-2", "bytes 1-2/x"}) {
        EXPECT_FALSE(parse_content_range(text)) << text;
    }
}

TEST(Resume, verdicts) {
    Head first;
    first.content_length = 100;
    first.etag = "\"a\"";
    struct Row {
        unsigned status;
        const char* range;
        const char* etag;
        Resumption verdict;
    };
    constexpr Row kRows[] = {
        {206, "bytes 10-99/100", "\"a\"", Resumption::goes_on},
        {206, "bytes 10-99/100", "", Resumption::goes_on},
        {206, "bytes 10-99/*", "\"a\"", Resumption::goes_on},
        {206, "bytes 10-99/100", "\"b\"", Resumption::has_to_ask},
        {206, "bytes 11-99/100", "\"a\"", Resumption::has_to_ask},
        {206, "bytes 0-99/100", "\"a\"", Resumption::has_to_ask},
        {206, "bytes 10-199/200", "\"a\"", Resumption::has_to_ask},
        {206, "", "\"a\"", Resumption::has_to_ask},
        {200, "", "\"b\"", Resumption::begins_anew},
        {416, "bytes */5", "", Resumption::has_to_ask},
        {404, "", "", Resumption::failed},
        {503, "", "", Resumption::failed},
    };
    for (const auto& row : kRows) {
        Head answer;
        answer.status = row.status;
        answer.content_range = row.range;
        answer.etag = row.etag;
        EXPECT_EQ(judge_resumption(first, 10, answer), row.verdict)
            << row.status << " " << row.range << " " << row.etag;
    }
}

HeadReader read(const Lines& lines) {
    HeadReader reader;
    for (const auto& line : lines) {
        reader.add_line(line + "\r\n");
    }
    return reader;
}

TEST(HeadReader, fields_whatever_their_case) {
    const auto head = read({"HTTP/1.1 200 OK", "CONTENT-LENGTH: 12", "content-Type:  video/mp4 ",
                            "ETag: \"x\"", "Location: /a", "X-Other: y", ""})
                          .head();
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_EQ(head.content_type, "video/mp4");
    EXPECT_EQ(head.etag, "\"x\"");
    EXPECT_EQ(head.location, "/a");
    EXPECT_FALSE(head.is_radio);
}

TEST(HeadReader, interim_answers_are_passed_over) {
    HeadReader reader;
    for (const char* line : {"HTTP/1.1 103 Early Hints", "Content-Length: 1", ""}) {
        EXPECT_EQ(reader.add_line(line), HeadReader::State::reading);
    }
    reader.add_line("HTTP/1.1 200 OK");
    EXPECT_EQ(reader.add_line(""), HeadReader::State::complete);
    EXPECT_EQ(reader.head().content_length, std::nullopt);
}

TEST(HeadReader, chunked_bodies_have_no_length) {
    for (const Lines& lines :
         {Lines{"HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked", ""},
          Lines{"HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 5", ""}}) {
        EXPECT_EQ(read(lines).head().content_length, std::nullopt);
    }
}

TEST(HeadReader, radio_is_known) {
    EXPECT_TRUE(read({"ICY 200 OK", ""}).head().is_radio);
    EXPECT_TRUE(read({"HTTP/1.1 200 OK", "icy-name: x", ""}).head().is_radio);
}

TEST(HeadReader, codings_and_size_are_refused) {
    HeadReader reader;
    reader.add_line("HTTP/1.1 200 OK");
    EXPECT_EQ(reader.add_line("Transfer-Encoding: gzip, chunked"), HeadReader::State::refused);
    HeadReader long_one;
    long_one.add_line("HTTP/1.1 200 OK\r\n");
    const std::string line = "X: " + std::string(kHeadBytesMax - 20, 'x');
    EXPECT_EQ(long_one.add_line(line), HeadReader::State::reading);
    EXPECT_EQ(long_one.add_line("Y: 123"), HeadReader::State::refused);
}

}  // namespace
}  // namespace kinodex::fetch
