// Search in file names is blind to case in the alphabets it knows and byte-exact elsewhere.
#include "store/sqlite/text_fold.h"

#include <gtest/gtest.h>

namespace kinodex::store::sqlite {
namespace {

TEST(TextFold, upper_and_lower_case_meet) {
    struct Case {
        const char* upper;
        const char* lower;
    };
    for (const auto& [upper, lower] :
         {Case{"ABC xyz", "abc XYZ"}, Case{"ÄÖÜÉØÞ", "äöüéøþ"}, Case{"ĀĶŁŽŸ", "āķłžÿ"},
          Case{"ΑΣΩ", "ασω"}, Case{"ЁЖЯ", "ёжя"}}) {
        EXPECT_EQ(fold(upper), fold(lower)) << upper;
        EXPECT_TRUE(contains_folded(std::string("x") + upper + "y", fold(lower))) << upper;
    }
}

TEST(TextFold, signs_and_broken_text_stay) {
    for (const char* text : {"×÷", "日本", "\xC3", "\xC3(", "\xFF\xFE", "\xF0\x9F\x8E\xAC"}) {
        EXPECT_EQ(fold(text), text);
    }
}

TEST(TextFold, part_is_found_anywhere_or_nowhere) {
    EXPECT_TRUE(contains_folded("abc", ""));
    EXPECT_TRUE(contains_folded("", ""));
    EXPECT_TRUE(contains_folded("ABC", "c"));
    EXPECT_FALSE(contains_folded("abc", "abcd"));
    EXPECT_FALSE(contains_folded("a%c", "a_c"));
}

}  // namespace
}  // namespace kinodex::store::sqlite
