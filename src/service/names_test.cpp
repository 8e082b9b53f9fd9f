// Names and texts at their bounds, counted in characters and not in bytes.
#include "service/names.h"

#include <gtest/gtest.h>

#include <string>

namespace kinodex::service {
namespace {

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) {
        out += text;
    }
    return out;
}

TEST(Names, a_line_has_one_to_so_many_characters) {
    EXPECT_TRUE(check_line("name", "a", 3));
    EXPECT_TRUE(check_line("name", repeated("ł", 3), 3));
    EXPECT_TRUE(check_line("name", "a\u00a0b", 3));
    for (const auto& bad : {std::string(), repeated("ł", 4), std::string("a\nb"),
                            std::string("a\x7f"), std::string("\u009b1m"), std::string("\xff")}) {
        const auto status = check_line("name", bad, 3);
        ASSERT_FALSE(status) << bad;
        EXPECT_EQ(status.error().value("parameter"), "name");
    }
}

TEST(Names, a_refusal_says_what_is_wrong) {
    const auto reason = [](std::string_view text) {
        return std::string(check_line("name", text, 3).error().value("reason"));
    };
    EXPECT_EQ(reason(""), "It must have 1 to 3 characters.");
    EXPECT_EQ(reason("abcd"), "It must have 1 to 3 characters.");
    EXPECT_NE(reason("a\nb").find("control characters"), std::string::npos);
    EXPECT_NE(reason("\xff").find("UTF-8"), std::string::npos);
    const auto null = check_text("description", std::string_view("\0", 1), 3);
    EXPECT_NE(null.error().value("reason").find("null character"), std::string_view::npos);
}

TEST(Names, a_text_may_be_empty_and_have_lines) {
    EXPECT_TRUE(check_text("description", "", 3));
    EXPECT_TRUE(check_text("description", "a\nb", 3));
    EXPECT_TRUE(check_text("description", repeated("亀", 3), 3));
    EXPECT_FALSE(check_text("description", repeated("亀", 4), 3));
    EXPECT_FALSE(check_text("description", "\xff", 3));
    EXPECT_FALSE(check_text("description", std::string_view("\0", 1), 3));
}

}  // namespace
}  // namespace kinodex::service
