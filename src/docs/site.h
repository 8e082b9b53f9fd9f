// The pages under /docs: from Markdown to everything that is served, made once at start.
//
// Each page is there as HTML and, beside it, as Markdown; /llms.txt lists all, /llms-full.txt holds
// all. Nothing refers to another host. Links are relative, so a proxy may add a prefix.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kinodex::docs {

struct Page {
    std::string path;      // "api", "reference/assets"; empty for the front page
    std::string section;   // of the navigation
    std::string title;     // in the navigation
    std::string markdown;  // links to other pages as "other.md" or "../api.md"
};

struct File {
    std::string type;
    std::string text;
};

/// The project's own pages: README, docs and the like, front page first.
std::vector<Page> project_pages();

/// Every file by its path: "/docs", "/docs/api", "/docs/api.md", "/docs/style.css", "/llms.txt", …
std::map<std::string, File, std::less<>> make_site(const std::vector<Page>& pages);

}  // namespace kinodex::docs
