// What the server says about itself: the OpenAPI document. No key needed.
#include <fmt/format.h>

#include "api/api.h"
#include "api/openapi.h"
#include "http/range.h"

namespace kinodex::api {
namespace {

// Programs ask again each time and mostly hear that nothing changed.
constexpr const char* kCacheControl = "no-cache";

/// FNV-1a over what makes an answer what it is.
std::string etag_of(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return fmt::format("\"{:016x}\"", hash);
}

http::Response document_response(const http::Request& request, std::string type, std::string text) {
    http::Response response;
    const auto etag = etag_of(text);
    response.headers = {{"ETag", etag}, {"Cache-Control", kCacheControl}};
    if (http::etag_listed(request.if_none_match, etag)) {
        response.status = 304;
        return response;
    }
    response.headers.emplace_back("Content-Type", std::move(type));
    response.body = std::move(text);
    return response;
}

// Stands in the document for the address of the server, which a request tells.
constexpr std::string_view kAnyServer = "{server}";

struct Document {
    std::string before;  // the server's address
    std::string after;
};

Document document_of(const std::vector<Endpoint>& endpoints) {
    const auto text = openapi_json(endpoints, std::string(kAnyServer));
    const auto at = text.find(kAnyServer);
    return {text.substr(0, at), text.substr(at + kAnyServer.size())};
}

runtime::Task<http::Response> openapi(const Services& services, const Document& document,
                                      const http::Request& request) {
    auto url = base_url(services, request);
    if (url.empty()) {
        url = "/";
    }
    co_return document_response(request, "application/json",
                                document.before + url + document.after);
}

}  // namespace

std::vector<Endpoint> docs_endpoints(Services& services, const std::vector<Endpoint>& endpoints) {
    // Shared with the handlers, which are part of what it describes.
    auto document = std::make_shared<Document>();
    std::vector<Endpoint> own;
    own.push_back(raw_endpoint(
        {Method::get, "/openapi.json", "docs.openapi", "This document", "OpenAPI 3.1."},
        answers(200, schema::object({})).with_etag(), {}, {}, Access::anyone, http::BodyMode::none,
        [&services, document](http::Request& request) {
            return openapi(services, *document, request);
        }));
    auto all = endpoints;
    all.insert(all.end(), own.begin(), own.end());
    *document = document_of(all);
    return own;
}

}  // namespace kinodex::api
