// The API: every endpoint of every resource, as routes for the HTTP server.
//
// Start reading at `routes_of`, then a resource such as assets.cpp: wire shapes, declarations,
// handlers. Errors become answers in error_table.cpp and nowhere else.
#pragma once

#include <vector>

#include "api/endpoint.h"
#include "api/services.h"

namespace kinodex::api {

/// All routes. `services` must outlive them.
std::vector<http::Route> routes_of(Services& services);

// One function per resource; each file holds its declarations and handlers.
std::vector<Endpoint> asset_endpoints(Services& services);
std::vector<Endpoint> index_endpoints(Services& services);
std::vector<Endpoint> indexed_asset_endpoints(Services& services);

/// POST /v1.3/assets streams its body, so it is a route of its own.
http::Route upload_route(Services& services);
/// Playlists, segments and pictures under signed URLs.
std::vector<http::Route> media_routes(Services& services);
/// /healthz, /readyz and /metrics, without a key.
std::vector<http::Route> operations_routes(Services& services);

/// Authentication and the caller's address, for streaming routes. Errors: api_key_invalid.
base::Result<Caller> identify(const Services& services, const http::Request& request);
http::Response json_response(unsigned status, std::string json);

}  // namespace kinodex::api
