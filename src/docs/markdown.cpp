#include "docs/markdown.h"

#include <md4c-html.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace kinodex::docs {
namespace {

std::string rendered(std::string_view markdown) {
    std::string out;
    const auto append = [](const MD_CHAR* text, MD_SIZE size, void* to) {
        static_cast<std::string*>(to)->append(text, size);
    };
    const int failed = md_html(markdown.data(), static_cast<MD_SIZE>(markdown.size()), append, &out,
                               MD_DIALECT_GITHUB | MD_FLAG_NOHTML, 0);
    KN_CHECK(failed == 0, "our own Markdown renders");
    return out;
}

/// Without tags, entities resolved.
std::string plain(std::string_view html) {
    std::string text;
    for (std::size_t i = 0; i < html.size(); ++i) {
        if (html[i] == '<') {
            i = html.find('>', i);
        } else {
            text += html[i];
        }
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kEntities{
        {{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}}};
    for (const auto& [entity, meaning] : kEntities) {
        for (auto at = text.find(entity); at != std::string::npos;
             at = text.find(entity, at + meaning.size())) {
            text.replace(at, entity.size(), meaning);
        }
    }
    return text;
}

/// What begins at the front of `html`, read as far as is needed to mark it up further.
class Marker {
  public:
    Marker(std::string_view html, const std::function<std::string(std::string_view)>& lead)
        : rest_(html), lead_(lead) {}

    Html run() && {
        while (!rest_.empty()) {
            if (!heading() && !table() && !endpoint() && !link()) {
                take(std::max<std::size_t>(1, std::min(rest_.find('<', 1), rest_.size())));
            }
        }
        return std::move(html_);
    }

  private:
    void take(std::size_t size) {
        html_.text += rest_.substr(0, size);
        rest_.remove_prefix(size);
    }

    bool heading() {
        if (rest_.size() < 4 || !rest_.starts_with("<h") || rest_[2] < '1' || rest_[2] > '6' ||
            rest_[3] != '>') {
            return false;
        }
        const int level = rest_[2] - '0';
        const auto end = rest_.find("</h");
        const auto inner = rest_.substr(4, end - 4);
        Heading found{level, unique(anchor_of(plain(inner))), plain(inner)};
        html_.text += "<h" + std::to_string(level) + " id=\"" + found.id + "\"><a href=\"#" +
                      found.id + "\">";
        html_.text += inner;
        html_.text += "</a>";
        html_.headings.push_back(std::move(found));
        rest_.remove_prefix(end);
        return true;
    }

    std::string unique(const std::string& id) const {
        const auto is_taken = [this](const std::string& wanted) {
            return std::ranges::find(html_.headings, wanted, &Heading::id) != html_.headings.end();
        };
        auto made = id;
        for (int n = 2; is_taken(made); ++n) {
            made = id + "-" + std::to_string(n);
        }
        return made;
    }

    bool table() {
        constexpr std::string_view kOpen = "<table>";
        constexpr std::string_view kClose = "</table>";
        if (rest_.starts_with(kOpen)) {
            html_.text += "<div class=\"table\" tabindex=\"0\">";
            take(kOpen.size());
            return true;
        }
        if (rest_.starts_with(kClose)) {
            take(kClose.size());
            html_.text += "</div>";
            return true;
        }
        return false;
    }

    bool endpoint() {
        return endpoint_in("<p>", "</p>", "<p class=\"endpoint\">") ||
               endpoint_in("<td>", "</td>", "<td>");
    }

    bool endpoint_in(std::string_view open, std::string_view close, std::string_view as) {
        const auto whole_open = std::string(open) + "<code>";
        if (!rest_.starts_with(whole_open)) {
            return false;
        }
        const auto end = rest_.find('<', whole_open.size());
        const auto inner = rest_.substr(whole_open.size(), end - whole_open.size());
        const auto space = inner.find(" /");
        const auto method = std::string(inner.substr(0, space));
        const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
        const auto whole_close = "</code>" + std::string(close);
        if (space == std::string_view::npos || !std::ranges::all_of(method, is_upper) ||
            !rest_.substr(end).starts_with(whole_close)) {
            return false;
        }
        html_.text += as;
        html_.text += "<span class=\"method " + method + "\">" + method + "</span> <code>";
        html_.text += inner.substr(space + 1);
        html_.text += whole_close;
        rest_.remove_prefix(end + whole_close.size());
        return true;
    }

    bool link() {
        constexpr std::string_view kOpen = "<a href=\"";
        if (!rest_.starts_with(kOpen)) {
            return false;
        }
        take(kOpen.size());
        const auto target = rest_.substr(0, rest_.find_first_of("\"#"));
        if (target.ends_with(".md") && !target.contains("://")) {
            html_.text += lead_(target);
            rest_.remove_prefix(target.size());
        }
        return true;
    }

    std::string_view rest_;
    const std::function<std::string(std::string_view)>& lead_;
    Html html_;
};

/// Where the code that opens at `at` ends: behind the same run of back quotes, or `at` when it does
/// not close.
std::size_t end_of_code(std::string_view text, std::size_t at) {
    const auto run = std::min(text.find_first_not_of('`', at), text.size()) - at;
    const std::string fence(run, '`');
    auto close = text.find(fence, at + run);
    while (close != std::string_view::npos && close + run < text.size() &&
           text[close + run] == '`') {
        close = text.find(fence, std::min(text.find_first_not_of('`', close), text.size()));
    }
    return close == std::string_view::npos ? at : close + run;
}

}  // namespace

Html html_of(std::string_view markdown, const std::function<std::string(std::string_view)>& lead) {
    const auto html = rendered(markdown);
    return Marker(html, lead).run();
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string anchor_of(std::string_view heading) {
    std::string anchor;
    for (const char c : heading) {
        if (c >= 'A' && c <= 'Z') {
            anchor += static_cast<char>(c - 'A' + 'a');
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
            anchor += c;
        } else if ((c == ' ' || c == '-') && !anchor.empty() && anchor.back() != '-') {
            anchor += '-';
        }
    }
    return anchor.empty() ? "section" : anchor;
}

std::string with_links(std::string_view markdown,
                       const std::function<std::string(std::string_view)>& lead) {
    std::string out;
    std::size_t opened = std::string::npos;  // where in `out` the text of a link may have begun
    for (std::size_t at = 0; at < markdown.size();) {
        if (markdown[at] == '`') {
            const auto end = std::max(end_of_code(markdown, at), at + 1);
            out += markdown.substr(at, end - at);
            at = end;
            continue;
        }
        if (markdown[at] == '[') {
            opened = out.size();
        }
        const auto close =
            markdown.substr(at).starts_with("](") ? markdown.find(')', at) : std::string_view::npos;
        if (close == std::string_view::npos || opened == std::string::npos) {
            out += markdown[at++];
            continue;
        }
        const auto target = lead(markdown.substr(at + 2, close - at - 2));
        if (target.empty()) {
            out.erase(opened, 1);
        } else {
            out += "](" + target + ")";
        }
        opened = std::string::npos;
        at = close + 1;
    }
    return out;
}

}  // namespace kinodex::docs
