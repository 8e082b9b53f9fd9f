// One HTML page: the frame around what Markdown became.
#pragma once

#include <string>
#include <vector>

#include "docs/markdown.h"
#include "docs/site.h"

namespace kinodex::docs {

/// The address of `page` as a link on `from`; "" stands for the front page.
std::string link_to(std::string_view page, std::string_view from);

std::string page_html(const std::vector<Page>& pages, const Page& page, const Html& content);

}  // namespace kinodex::docs
