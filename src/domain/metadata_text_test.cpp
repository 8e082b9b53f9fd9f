// Text is scanned eight bytes at a time: every byte at every place, against one byte at a time.
#include "domain/metadata_text.h"

#include <gtest/gtest.h>

namespace kinodex::domain {
namespace {

std::string expected(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto at = std::string_view("\"\\\n\r\t").find(c);
        if (at != std::string_view::npos) {
            out += '\\';
            out += "\"\\nrt"[at];
        } else if (static_cast<unsigned char>(c) < 0x20) {
            char code[8];
            std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
            out += code;
        } else {
            out += c;
        }
    }
    return out + '"';
}

TEST(JsonText, escapes_what_must_be_escaped_and_nothing_else) {
    for (std::size_t size = 0; size <= 20; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'a');
                text[at] = static_cast<char>(byte);
                std::string out;
                append_json_text(out, text);
                ASSERT_EQ(out, expected(text)) << byte << " at " << at << " of " << size;
            }
        }
    }
}

TEST(JsonText, escapes_neighbours_and_keeps_what_was_there) {
    for (const std::string_view text : {"", "\"\"", "\\\\\\\\\\\\\\\\\\",
                                        "\x7f\x80\xff é \x1f\x20!", "ends with a quote: 12\""}) {
        std::string out = "before";
        append_json_text(out, text);
        EXPECT_EQ(out, "before" + expected(text));
    }
}

}  // namespace
}  // namespace kinodex::domain
