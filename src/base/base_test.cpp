// The words everybody speaks: ids keep order and refuse near-ids, times keep their text.
#include <gtest/gtest.h>

#include "base/id.h"
#include "base/result.h"
#include "base/time.h"
#include "base/utf8.h"

namespace kinodex::base {
namespace {

TEST(Id, later_ids_are_greater_even_within_a_millisecond) {
    auto last = next_id_bytes();
    for (int i = 0; i < 100'000; ++i) {
        const auto next = next_id_bytes();
        ASSERT_LT(last, next);
        last = next;
    }
}

TEST(Id, text_round_trips) {
    const auto bytes = next_id_bytes();
    EXPECT_EQ(parse_id_bytes(id_text(bytes)), bytes);
}

TEST(Id, only_24_lowercase_hex_digits_are_an_id) {
    EXPECT_TRUE(parse_id_bytes("6298d673f1090f1100476d4c"));
    for (const char* text :
         {"", "6298d673f1090f1100476d4", "6298d673f1090f1100476d4cc", "6298D673f1090f1100476d4c",
          "6298d673f1090f1100476d4g", " 298d673f1090f1100476d4c"}) {
        EXPECT_FALSE(parse_id_bytes(text)) << text;
    }
}

TEST(Time, accepted_forms_mean_the_same_instant) {
    const auto expected = parse_rfc3339("2024-08-16T16:53:59Z");
    ASSERT_TRUE(expected);
    for (const char* text :
         {"2024-08-16t16:53:59z", "2024-08-16T18:53:59+02:00", "2024-08-16T16:53:59.000Z",
          "2024-08-16T16:53:59.0004Z", "2024-08-16 11:23:59-05:30"}) {
        EXPECT_EQ(parse_rfc3339(text), expected) << text;
    }
    EXPECT_EQ(rfc3339_seconds(*expected), "2024-08-16T16:53:59Z");
    const auto with_millis = parse_rfc3339("2022-06-09T04:50:00.879Z");
    EXPECT_EQ(rfc3339_millis(*with_millis), "2022-06-09T04:50:00.879Z");
}

TEST(Time, refuses_what_is_not_a_date_time) {
    for (const char* text : {"", "2024-08-16", "2024-02-30T00:00:00Z", "2024-08-16T24:00:00Z",
                             "2024-08-16T16:53:59", "2024-08-16T16:53:59.Z", "yesterday",
                             "2024-08-16T16:53:59Zx", "2024-08-16T16:53:59+25:00"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Utf8, counts_code_points_and_refuses_what_is_malformed) {
    EXPECT_EQ(utf8_length(""), 0U);
    EXPECT_EQ(utf8_length("a\xc3\xa9\xf0\x9f\x8e\xac"), 3U);
    for (const char* text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
        EXPECT_FALSE(utf8_length(text)) << text;
        EXPECT_TRUE(is_utf8(repaired_utf8(text))) << text;
    }
}

TEST(Result, passes_the_error_onward) {
    const auto inner = []() -> Result<int> { return fail(Errc::storage_full); };
    const auto outer = [&]() -> Result<int> {
        KN_TRY(number, inner());
        return number + 1;
    };
    EXPECT_EQ(outer().error().code, Errc::storage_full);
}

}  // namespace
}  // namespace kinodex::base
