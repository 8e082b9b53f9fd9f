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

/// Conditions that an endpoint may end with: those declared, and those that follow from its fields
/// and access. Beside them stand those of HTTP itself.
std::vector<Errc> conditions_of(const Endpoint& endpoint);
std::vector<Errc> http_conditions_of(const Endpoint& endpoint);

/// What an endpoint may answer with one status, in the order of those conditions.
struct Failure {
    std::vector<std::string> codes;
    bool says_when_to_retry = false;
};
std::map<unsigned, Failure> failures_of(const Endpoint& endpoint);

/// "assets" of "assets.list".
std::string resource_of(const Endpoint& endpoint);
/// "Indexed assets" of "indexed_assets".
std::string title_of(std::string_view resource);

/// The resources in the order in which the endpoints name them.
std::vector<std::string> resources_of(const std::vector<Endpoint>& endpoints);
/// The named schemas that `schema` uses, itself among them, by name.
void collect_named(const Schema& schema, std::map<std::string, Schema>& named);

/// The document for the server known under `base_url`.
std::string openapi_json(const std::vector<Endpoint>& endpoints, const std::string& base_url);

}  // namespace kinodex::api
