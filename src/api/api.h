// The API: every endpoint of every resource, as routes for the HTTP server.
//
// Start reading at `routes_of`, then a resource such as assets.cpp: wire shapes, declarations,
// handlers. Errors become answers in error_table.cpp and nowhere else.
#pragma once

#include <vector>

#include "api/endpoint.h"
#include "api/services.h"

namespace kinodex::api {

/// Every endpoint, in the order of the reference. A new resource is added there.
std::vector<Endpoint> all_endpoints(Services& services);
/// All routes. `services` must outlive them.
std::vector<http::Route> routes_of(Services& services);

// One function per resource; each file holds its declarations and handlers.
std::vector<Endpoint> asset_endpoints(Services& services);
std::vector<Endpoint> index_endpoints(Services& services);
std::vector<Endpoint> indexed_asset_endpoints(Services& services);
std::vector<Endpoint> task_endpoints(Services& services);
/// Indexed assets that are ready, under their older name.
std::vector<Endpoint> video_endpoints(Services& services);
std::vector<Endpoint> entity_collection_endpoints(Services& services);
std::vector<Endpoint> entity_endpoints(Services& services);

/// POST /v1.3/assets, which streams its body.
std::vector<Endpoint> upload_endpoints(Services& services);
/// Uploads in parts: sessions, and the signed URLs that take their chunks.
std::vector<Endpoint> multipart_endpoints(Services& services);
std::vector<Endpoint> chunk_endpoints(Services& services);
/// The bytes of an asset as they were uploaded, under a signed URL.
std::vector<Endpoint> source_endpoints(Services& services);
/// Playlists, segments and pictures under signed URLs.
std::vector<Endpoint> media_endpoints(Services& services);
/// What browsers ask before they ask for those.
std::vector<http::Route> preflight_routes(Services& services);
/// /healthz, /readyz and /metrics, without a key.
std::vector<Endpoint> operations_endpoints(Services& services);
/// What every account uses, for keys with the scope `admin`.
std::vector<Endpoint> admin_endpoints(Services& services);
/// The OpenAPI document of `endpoints` and of its own.
std::vector<Endpoint> docs_endpoints(Services& services, const std::vector<Endpoint>& endpoints);
/// /docs and what llms.txt lists: pages, which are no part of the API.
std::vector<http::Route> page_routes(const std::vector<Endpoint>& endpoints);

/// The address that the client knows the server under; empty when its Host is none.
std::string base_url(const Services& services, const http::Request& request);
/// Authentication and the caller's address. Retrieving needs the scope `read`, all else `write`.
/// Errors: api_key_invalid; api_not_allowed when the key lacks the scope.
base::Result<Caller> identify(const Services& services, const http::Request& request);
base::Result<Caller> identify(const Services& services, const http::Request& request,
                              domain::Scope needed);
http::Response json_response(unsigned status, std::string json);

}  // namespace kinodex::api
