// The reference: pages of Markdown made from the declarations of endpoints.
#pragma once

#include <vector>

#include "api/endpoint.h"
#include "docs/site.h"

namespace kinodex::api {

/// An overview, a page for each resource, and the errors.
std::vector<docs::Page> reference_pages(const std::vector<Endpoint>& endpoints);

}  // namespace kinodex::api
