// Markdown as our pages need it: anchors, tables, endpoints, links; and nothing of raw HTML.
#include "docs/markdown.h"

#include <gtest/gtest.h>

namespace kinodex::docs {
namespace {

std::string html(std::string_view markdown) {
    return html_of(markdown,
                   [](std::string_view target) { return "<" + std::string(target) + ">"; })
        .text;
}

TEST(Markdown, headings_get_anchors_that_are_unique) {
    const auto made = html_of("# A `b` & c\n\n## Errors\n\n## Errors\n", {});
    ASSERT_EQ(made.headings.size(), 3U);
    EXPECT_EQ(made.headings[0].text, "A b & c");
    EXPECT_EQ(made.headings[0].id, "a-b-c");
    EXPECT_EQ(made.headings[1].id, "errors");
    EXPECT_EQ(made.headings[2].id, "errors-2");
    EXPECT_TRUE(made.text.contains("<h2 id=\"errors-2\"><a href=\"#errors-2\">Errors</a></h2>"));
}

TEST(Markdown, raw_html_is_text) {
    for (const auto* attempt : {"<script>alert(1)</script>", "a <b onclick=x>b</b>",
                                "[x](javascript:alert(1))\n\n<img src=x onerror=y>"}) {
        const auto made = html(attempt);
        EXPECT_FALSE(made.contains("<script")) << made;
        EXPECT_FALSE(made.contains("<b ")) << made;
        EXPECT_FALSE(made.contains("<img")) << made;
    }
}

TEST(Markdown, a_code_span_alone_that_is_a_method_and_a_path_is_an_endpoint) {
    EXPECT_EQ(html("`GET /v1.3/assets`"),
              "<p class=\"endpoint\"><span class=\"method GET\">GET</span> "
              "<code>/v1.3/assets</code></p>\n");
    EXPECT_TRUE(
        html("| a |\n| --- |\n| `DELETE /x` |\n")
            .contains("<td><span class=\"method DELETE\">DELETE</span> <code>/x</code></td>"));
    for (const auto* other : {"`get /x`", "`GET x`", "`GET /x` and more", "`GET`"}) {
        EXPECT_FALSE(html(other).contains("method")) << other;
    }
}

TEST(Markdown, tables_scroll_by_themselves) {
    const auto made = html("| a |\n| --- |\n| b |\n");
    EXPECT_TRUE(made.starts_with("<div class=\"table\" tabindex=\"0\"><table>"));
    EXPECT_TRUE(made.contains("</table></div>"));
}

TEST(Markdown, only_relative_links_to_markdown_are_led_elsewhere) {
    EXPECT_TRUE(html("[a](b.md)").contains("href=\"<b.md>\""));
    EXPECT_TRUE(html("[a](b.md#c)").contains("href=\"<b.md>#c\""));
    EXPECT_TRUE(html("[a](https://x/b.md)").contains("href=\"https://x/b.md\""));
    EXPECT_TRUE(html("[a](#c)").contains("href=\"#c\""));
}

TEST(Markdown, with_links_changes_targets_outside_code_and_drops_dead_ones) {
    const auto lead = [](std::string_view target) {
        return target == "gone" ? std::string() : "to/" + std::string(target);
    };
    struct Case {
        const char* markdown;
        const char* wanted;
    };
    const std::vector<Case> cases{
        {"see [a](b) and [c](d).", "see [a](to/b) and [c](to/d)."},
        {"see [a](gone).", "see a."},
        {"`[a](b)` [a](b)", "`[a](b)` [a](to/b)"},
        {"```\n[a](b)\n```\n[`c`](d)", "```\n[a](b)\n```\n[`c`](to/d)"},
        {"a ` alone [a](b)", "a ` alone [a](to/b)"},
        {"no](b) link, x[0]", "no](b) link, x[0]"},
        {"[a](b", "[a](b"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(with_links(each.markdown, lead), each.wanted);
    }
}

}  // namespace
}  // namespace kinodex::docs
