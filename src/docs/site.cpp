#include "docs/site.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "docs/embedded.h"
#include "docs/page.h"

namespace kinodex::docs {
namespace {

constexpr const char* kHtml = "text/html; charset=utf-8";
constexpr const char* kMarkdown = "text/markdown; charset=utf-8";
constexpr const char* kText = "text/plain; charset=utf-8";

struct Source {
    std::string_view file;
    std::string_view path;
    std::string_view title;
};

// The order of the navigation; other files of docs/ follow these.
constexpr Source kSources[] = {
    {"README.md", "", "Start"},
    {"docs/api.md", "api", "API"},
    {"docs/operations.md", "operations", "Operations"},
    {"docs/architecture.md", "architecture", "Architecture"},
    {"docs/benchmarks.md", "benchmarks", "Benchmarks"},
    {"CONTRIBUTING.md", "contributing", "Contributing"},
    {"CHANGELOG.md", "changes", "Changes"},
};

std::string_view text_of(std::string_view name) {
    const auto files = embedded_files();
    const auto found = std::ranges::find(files, name, &EmbeddedFile::name);
    KN_CHECK(found != files.end(), "the file is in the binary");
    return found->text;
}

/// "Title" of "# Title".
std::string title_of(std::string_view markdown) {
    const auto begin = markdown.find("# ") + 2;
    return std::string(markdown.substr(begin, markdown.find('\n', begin) - begin));
}

/// The path of the page that a file became; nullopt when it is none.
std::optional<std::string> path_of(std::string_view file) {
    const auto known = std::ranges::find(kSources, file, &Source::file);
    if (known != std::end(kSources)) {
        return std::string(known->path);
    }
    constexpr std::string_view kFolder = "docs/";
    constexpr std::string_view kEnding = ".md";
    const auto files = embedded_files();
    if (!file.starts_with(kFolder) || !file.ends_with(kEnding) ||
        std::ranges::find(files, file, &EmbeddedFile::name) == files.end()) {
        return std::nullopt;
    }
    file.remove_prefix(kFolder.size());
    return std::string(file.substr(0, file.size() - kEnding.size()));
}

/// Links between files as links between pages, both seen from /docs/. What is no page loses its
/// link: the reader of a server has no checkout.
std::string linked(std::string_view file, std::string_view markdown) {
    const std::string folder(file.substr(0, file.rfind('/') + 1));
    return with_links(markdown, [&](std::string_view target) -> std::string {
        if (target.contains("://") || target.starts_with('#')) {
            return std::string(target);
        }
        const auto mark = std::min(target.find('#'), target.size());
        const auto name = target.substr(0, mark);
        const auto path = path_of(name.starts_with("../") ? std::string(name.substr(3))
                                                          : folder + std::string(name));
        if (!path) {
            return {};
        }
        return (path->empty() ? "index" : *path) + ".md" + std::string(target.substr(mark));
    });
}

Page project_page(std::string_view file, std::string title) {
    const auto text = text_of(file);
    return {path_of(file).value(), "Guide", title.empty() ? title_of(text) : std::move(title),
            linked(file, text)};
}

/// The first paragraph, as one line.
std::string summary_of(std::string_view markdown) {
    auto begin = markdown.find("\n\n");
    begin = begin == std::string_view::npos ? 0 : begin + 2;
    std::string line(markdown.substr(begin, markdown.find("\n\n", begin) - begin));
    if (line.starts_with('`') || line.starts_with('|') || line.starts_with('#')) {
        return {};
    }
    std::ranges::replace(line, '\n', ' ');
    const auto stop = line.find(". ");
    return stop == std::string::npos ? line : line.substr(0, stop + 1);
}

std::string source_name(const Page& page) {
    return (page.path.empty() ? "index" : page.path) + ".md";
}

std::string llms_index(const std::vector<Page>& pages) {
    std::string out = "# Kinodex\n\n> " + summary_of(pages.front().markdown) + "\n";
    std::string_view section;
    for (const auto& page : pages) {
        if (page.section != section) {
            out += "\n## " + page.section + "\n\n";
            section = page.section;
        }
        const auto summary = page.path.empty() ? std::string() : summary_of(page.markdown);
        out += "- [" + page.title + "](docs/" + source_name(page) + ")";
        out += summary.empty() ? "\n" : ": " + summary + "\n";
    }
    return out +
           "\n## Optional\n\n- [OpenAPI 3.1](openapi.json)\n- [All pages in one](llms-full.txt)\n";
}

/// The page whose Markdown a link on `from` names.
std::string page_named(const Page& from, std::string_view target) {
    std::string folder = from.path.substr(0, from.path.rfind('/') + 1);
    if (target.starts_with("../")) {
        target.remove_prefix(3);
        folder.clear();  // pages stand at most one folder deep
    }
    constexpr std::string_view kEnding = ".md";
    auto path = folder + std::string(target.substr(0, target.size() - kEnding.size()));
    return path == "index" ? std::string() : path;
}

/// The page with its links as seen from the root, where all pages are one.
std::string seen_from_root(const Page& page) {
    return with_links(page.markdown, [&page](std::string_view target) {
        const auto mark = std::min(target.find('#'), target.size());
        if (mark == 0 || target.contains("://")) {
            return std::string(target);
        }
        const auto path = page_named(page, target.substr(0, mark));
        return "docs/" + (path.empty() ? "index" : path) + ".md" + std::string(target.substr(mark));
    });
}

std::string llms_full(const std::vector<Page>& pages) {
    std::string out;
    for (const auto& page : pages) {
        out += "<!-- docs/" + source_name(page) + " -->\n\n" + seen_from_root(page) + "\n";
    }
    return out;
}

void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    out += '"';
}

/// [[address below /docs/, page's title, heading], …] for the search box.
void append_search_rows(std::string& out, const Page& page, const std::vector<Heading>& headings) {
    for (const auto& heading : headings) {
        // What a page has several of, such as "Errors", leads nowhere in particular.
        if (std::ranges::count(headings, heading.text, &Heading::text) > 1) {
            continue;
        }
        out += out.size() > 1 ? ",[" : "[";
        const auto address = page.path.empty() ? "../docs" : page.path;
        append_json_text(out, address + "#" + heading.id);
        out += ',';
        append_json_text(out, page.title);
        out += ',';
        append_json_text(out, heading.text);
        out += ']';
    }
}

}  // namespace

std::vector<Page> project_pages() {
    std::vector<Page> pages;
    for (const auto& source : kSources) {
        pages.push_back(project_page(source.file, std::string(source.title)));
    }
    for (const auto& file : embedded_files()) {
        const auto path = path_of(file.name);
        if (path && std::ranges::find(pages, *path, &Page::path) == pages.end()) {
            pages.push_back(project_page(file.name, {}));
        }
    }
    return pages;
}

std::map<std::string, File, std::less<>> make_site(const std::vector<Page>& pages) {
    std::map<std::string, File, std::less<>> files;
    std::string rows = "[";
    for (const auto& page : pages) {
        const auto html = html_of(page.markdown, [&page](std::string_view target) {
            return link_to(page_named(page, target), page.path);
        });
        append_search_rows(rows, page, html.headings);
        files[page.path.empty() ? "/docs" : "/docs/" + page.path] = {kHtml,
                                                                     page_html(pages, page, html)};
        files["/docs/" + source_name(page)] = {kMarkdown, page.markdown};
    }
    files["/docs.md"] = files["/docs/index.md"];
    files["/docs/search.json"] = {"application/json", rows + "]"};
    files["/docs/style.css"] = {"text/css; charset=utf-8",
                                std::string(text_of("src/docs/assets/style.css"))};
    files["/docs/docs.js"] = {"text/javascript; charset=utf-8",
                              std::string(text_of("src/docs/assets/docs.js"))};
    files["/docs/icon.svg"] = {"image/svg+xml", std::string(text_of("src/docs/assets/icon.svg"))};
    files["/llms.txt"] = {kText, llms_index(pages)};
    files["/llms-full.txt"] = {kText, llms_full(pages)};
    return files;
}

}  // namespace kinodex::docs
