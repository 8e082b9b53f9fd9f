#include "http/range.h"

#include <gtest/gtest.h>

namespace kinodex::http {
namespace {

using Range = std::optional<ByteRange>;

TEST(Range, gives_offset_and_length) {
    const struct {
        const char* header = nullptr;
        std::uint64_t size = 0;
        Range expected;
    } rows[] = {
        {"bytes=0-0", 10, ByteRange{0, 1}},
        {"bytes=0-", 10, ByteRange{0, 10}},
        {"bytes=9-", 10, ByteRange{9, 1}},
        {"bytes=2-5", 10, ByteRange{2, 4}},
        {"bytes=2-99", 10, ByteRange{2, 8}},
        {"Bytes = 2 - 5 ", 10, ByteRange{2, 4}},
        {"bytes=-3", 10, ByteRange{7, 3}},
        {"bytes=-30", 10, ByteRange{0, 10}},
        {"bytes=0-99999999999999999999999", 10, ByteRange{0, 10}},  // past 64 bits
        // What is not understood asks for everything.
        {"", 10, Range{}},
        {"bytes", 10, Range{}},
        {"bytes=", 10, Range{}},
        {"bytes=-", 10, Range{}},
        {"bytes=5-2", 10, Range{}},
        {"bytes=a-b", 10, Range{}},
        {"bytes=1-2-3", 10, Range{}},
        {"bytes=+1-2", 10, Range{}},
        {"seconds=1-2", 10, Range{}},
        {"bytes=0-1,3-4", 10, Range{}},
    };
    for (const auto& row : rows) {
        const auto range = evaluate_range(row.header, row.size);
        ASSERT_TRUE(range.has_value()) << row.header;
        EXPECT_EQ(*range, row.expected) << row.header;
    }
}

TEST(Range, refuses_what_lies_outside) {
    for (const auto& [header, size] : {std::pair{"bytes=10-", 10},
                                       {"bytes=10-12", 10},
                                       {"bytes=-0", 10},
                                       {"bytes=0-", 0},
                                       {"bytes=-1", 0},
                                       {"bytes=99999999999999999999999-", 10}}) {
        const auto range = evaluate_range(header, static_cast<std::uint64_t>(size));
        ASSERT_FALSE(range.has_value()) << header;
        EXPECT_EQ(range.error().code, base::Errc::range_not_satisfiable);
    }
}

TEST(Range, if_range_takes_only_the_same_strong_tag) {
    const ByteRange first{0, 1};
    EXPECT_EQ(*evaluate_range("bytes=0-0", 10, "", "\"a\""), first);
    EXPECT_EQ(*evaluate_range("bytes=0-0", 10, " \"a\" ", "\"a\""), first);
    EXPECT_EQ(*evaluate_range("bytes=0-0", 10, "\"b\"", "\"a\""), Range{});
    EXPECT_EQ(*evaluate_range("bytes=0-0", 10, "W/\"a\"", "W/\"a\""), Range{});
    EXPECT_EQ(*evaluate_range("bytes=0-0", 10, "Sun, 06 Nov 1994 08:49:37 GMT", "\"a\""), Range{});
    EXPECT_TRUE(evaluate_range("bytes=99-", 10, "\"b\"", "\"a\"").has_value());
}

TEST(Range, writes_content_range) {
    EXPECT_EQ(content_range({2, 4}, 10), "bytes 2-5/10");
    EXPECT_EQ(content_range_unsatisfied(10), "bytes */10");
}

TEST(EntityTag, is_found_in_lists) {
    EXPECT_TRUE(etag_listed("*", "\"a\""));
    EXPECT_TRUE(etag_listed("\"a\"", "\"a\""));
    EXPECT_TRUE(etag_listed("\"x,y\", W/\"a\"", "\"a\""));
    EXPECT_TRUE(etag_listed("\"a\"", "W/\"a\""));
    EXPECT_FALSE(etag_listed("", "\"a\""));
    EXPECT_FALSE(etag_listed("\"b\", \"aa\"", "\"a\""));
    EXPECT_FALSE(etag_listed("\"a", "\"a\""));
    EXPECT_FALSE(etag_listed("a", "\"a\""));
}

}  // namespace
}  // namespace kinodex::http
