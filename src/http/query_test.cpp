#include "http/query.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace kinodex::http {
namespace {

TEST(Query, reads_what_the_clients_send) {
    const auto pairs = parse_query(
        "status=ready&status=failed&filename=01%20a.mp4&name=01+a.mp4&duration%5Bgte%5D=10&"
        "duration[lte]=20.5&user_metadata=%7B%22a%22%3A5%7D&&flag&empty=&=x&eq=a=b&u=%C3%A9");
    ASSERT_TRUE(pairs.has_value());
    const QueryPairs expected = {
        {"status", "ready"},
        {"status", "failed"},
        {"filename", "01 a.mp4"},
        {"name", "01 a.mp4"},
        {"duration[gte]", "10"},
        {"duration[lte]", "20.5"},
        {"user_metadata", "{\"a\":5}"},
        {"flag", ""},
        {"empty", ""},
        {"", "x"},
        {"eq", "a=b"},
        {"u", "\xc3\xa9"},
    };
    EXPECT_EQ(*pairs, expected);
}

TEST(Query, refuses_malformed_text_and_names_the_parameter) {
    const struct {
        std::string raw;
        std::string parameter;
    } rows[] = {
        {"a=1&page=%", "page"},        {"page=%4", "page"},        {"page=%4x", "page"},
        {"page=%zz", "page"},          {"%zz=1", "query"},         {"page=%ff", "page"},
        {"page=%c0%80", "page"},       {"page=%ed%a0%80", "page"},  // overlong; surrogate
        {"page=%f4%90%80%80", "page"},                              // past U+10FFFF
    };
    for (const auto& row : rows) {
        const auto pairs = parse_query(row.raw);
        ASSERT_FALSE(pairs.has_value()) << row.raw;
        EXPECT_EQ(pairs.error().code, base::Errc::parameter_invalid) << row.raw;
        EXPECT_EQ(pairs.error().value("parameter"), row.parameter) << row.raw;
    }
}

TEST(Query, holds_its_bounds) {
    std::string many = "a=1";
    for (std::size_t i = 1; i < kQueryPairsMax; ++i) {
        many += "&a=1";
    }
    EXPECT_EQ(parse_query(many)->size(), kQueryPairsMax);
    EXPECT_FALSE(parse_query(many + "&a=1").has_value());
    EXPECT_TRUE(parse_query(std::string(kQueryBytesMax, 'a')).has_value());
    EXPECT_FALSE(parse_query(std::string(kQueryBytesMax + 1, 'a')).has_value());
}

TEST(PercentDecode, keeps_plus_in_paths) {
    EXPECT_EQ(percent_decode("a+b%2Fc"), "a+b/c");
    EXPECT_EQ(percent_decode("a+b", PlusSign::space), "a b");
    EXPECT_EQ(percent_decode("%"), std::nullopt);
    EXPECT_EQ(percent_decode("%41%"), std::nullopt);
}

TEST(Utf8, repairs_byte_by_byte) {
    EXPECT_EQ(base::repaired_utf8("a\xff z\xc3"), "a\xef\xbf\xbd z\xef\xbf\xbd");
    EXPECT_EQ(base::repaired_utf8("\xf0\x9f\x8e\xac"), "\xf0\x9f\x8e\xac");
    EXPECT_TRUE(base::is_utf8(base::repaired_utf8("\xed\xa0\x80\xf5\x80")));
}

}  // namespace
}  // namespace kinodex::http
