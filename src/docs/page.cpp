#include "docs/page.h"

#include <algorithm>

namespace kinodex::docs {
namespace {

/// What leads from a page to /docs/: the front page is at /docs itself.
std::string root_from(std::string_view page) {
    if (page.empty()) {
        return "docs/";
    }
    std::string root;
    for (auto slashes = std::ranges::count(page, '/'); slashes > 0; --slashes) {
        root += "../";
    }
    return root;
}

void append_navigation(std::string& out, const std::vector<Page>& pages, const Page& current) {
    std::string_view section;
    for (const auto& page : pages) {
        if (page.section != section) {
            out += section.empty() ? "" : "</ul>";
            out += "<h2>" + escaped(page.section) + "</h2><ul>";
            section = page.section;
        }
        const bool is_here = page.path == current.path;
        out += "<li><a href=\"" + link_to(page.path, current.path) + "\"";
        out += is_here ? " aria-current=\"page\">" : ">";
        out += escaped(page.title) + "</a></li>";
    }
    out += "</ul>";
}

void append_contents(std::string& out, const std::vector<Heading>& headings) {
    const auto is_listed = [](const Heading& heading) { return heading.level == 2; };
    if (std::ranges::count_if(headings, is_listed) < 2) {
        return;
    }
    out += "<nav class=\"contents\" aria-label=\"On this page\"><h2>On this page</h2><ul>";
    for (const auto& heading : headings) {
        if (is_listed(heading)) {
            out += "<li><a href=\"#" + heading.id + "\">" + escaped(heading.text) + "</a></li>";
        }
    }
    out += "</ul></nav>";
}

void append_neighbours(std::string& out, const std::vector<Page>& pages, const Page& current) {
    const auto at = std::ranges::find(pages, current.path, &Page::path);
    const auto append = [&](const Page& page, const char* kind, const char* word) {
        out += std::string("<a class=\"") + kind + "\" rel=\"" + kind + "\" href=\"" +
               link_to(page.path, current.path) + "\"><small>" + word + "</small>" +
               escaped(page.title) + "</a>";
    };
    out += "<nav class=\"neighbours\" aria-label=\"Neighbouring pages\">";
    if (at != pages.begin()) {
        append(*std::prev(at), "prev", "Previous");
    }
    if (std::next(at) != pages.end()) {
        append(*std::next(at), "next", "Next");
    }
    out += "</nav>";
}

}  // namespace

std::string link_to(std::string_view page, std::string_view from) {
    if (page.empty()) {
        return from.empty() ? "docs" : root_from(from) + "../docs";
    }
    return root_from(from) + std::string(page);
}

std::string page_html(const std::vector<Page>& pages, const Page& page, const Html& content) {
    const auto root = root_from(page.path);
    const auto title = page.path.empty() ? std::string("Kinodex") : page.title + " · Kinodex";
    const auto source = page.path.empty() ? root + "index.md" : root + page.path + ".md";
    std::string out = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">";
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">";
    out += "<title>" + escaped(title) + "</title>";
    out += "<link rel=\"stylesheet\" href=\"" + root + "style.css\">";
    out += "<link rel=\"icon\" href=\"" + root + "icon.svg\" type=\"image/svg+xml\">";
    out += "<link rel=\"alternate\" type=\"text/markdown\" href=\"" + source + "\">";
    out += "<script src=\"" + root + "docs.js\" defer></script></head><body data-root=\"" + root +
           "\"><a class=\"skip\" href=\"#main\">To the text</a><header><a class=\"name\" href=\"" +
           link_to({}, page.path) + "\">Kinodex</a><label class=\"search\"><span>Search</span>";
    out += "<input type=\"search\" placeholder=\"Search\" autocomplete=\"off\"></label>";
    out += "<button class=\"menu\" aria-expanded=\"false\" aria-controls=\"pages\">Menu</button>";
    out += "<ol class=\"found\" hidden></ol></header>";
    out += "<nav class=\"pages\" id=\"pages\" aria-label=\"Pages\">";
    append_navigation(out, pages, page);
    out += "</nav><main id=\"main\">";
    out += content.text;
    append_neighbours(out, pages, page);
    out += "<footer><a href=\"" + source + "\">This page as Markdown</a></footer></main>";
    append_contents(out, content.headings);
    return out + "</body></html>\n";
}

}  // namespace kinodex::docs
