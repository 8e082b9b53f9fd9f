// The OpenAPI 3.1 document of the endpoints, and what of it the reference pages need too.
//
// It is made once, at start, from the declarations: the order is theirs, so that the same build
// makes the same bytes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/endpoint.h"

namespace kinodex::api {

/// Status → wire codes that an endpoint may answer with it, in the order of their conditions: those
/// declared, those that follow from its fields and access, and those of HTTP itself.
std::map<unsigned, std::vector<std::string>> errors_of(const Endpoint& endpoint);

/// "assets" of "assets.list".
std::string resource_of(const Endpoint& endpoint);
/// "Indexed assets" of "indexed_assets".
std::string title_of(std::string_view resource);

/// The document for the server known under `base_url`.
std::string openapi_json(const std::vector<Endpoint>& endpoints, const std::string& base_url);

}  // namespace kinodex::api
