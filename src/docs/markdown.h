// Markdown to HTML, for our own pages: GitHub's dialect without raw HTML.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kinodex::docs {

struct Heading {
    int level = 1;
    std::string id;    // its anchor, unique on the page
    std::string text;  // plain
};

struct Html {
    std::string text;
    std::vector<Heading> headings;
};

/// Headings get anchors, tables scroll by themselves, and a paragraph or a cell that is one code
/// span such as `GET /v1.3/assets` is marked as an endpoint. A relative link to a Markdown file
/// becomes what `lead(file)` gives.
Html html_of(std::string_view markdown, const std::function<std::string(std::string_view)>& lead);

/// `text` with &, <, > and " as entities.
std::string escaped(std::string_view text);

/// The anchor that a heading gets: lower case, words joined by hyphens.
std::string anchor_of(std::string_view heading);

/// The Markdown with every link target outside code replaced by what `lead(target)` gives; where
/// that is empty the link's text stays alone.
std::string with_links(std::string_view markdown,
                       const std::function<std::string(std::string_view)>& lead);

}  // namespace kinodex::docs
