// What the server says about itself: the OpenAPI document, and pages for people and for programs
// that read. No key needed.
#include <fmt/format.h>

#include "api/api.h"
#include "api/error_table.h"
#include "api/openapi.h"
#include "api/reference.h"
#include "docs/site.h"
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

// Our own style, script and pictures, and nothing else.
constexpr const char* kContentPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

using Site = std::map<std::string, docs::File, std::less<>>;

runtime::Task<http::Response> page(const Site& site, const http::Request& request) {
    const auto found = site.find(request.path);
    if (found == site.end()) {
        co_return render_error({Errc::endpoint_not_exists, {{"path", request.path}}, {}, {}},
                               request.request_id);
    }
    auto response = document_response(request, found->second.type, found->second.text);
    response.headers.emplace_back("Content-Security-Policy", kContentPolicy);
    response.headers.emplace_back("Referrer-Policy", "same-origin");
    co_return response;
}

}  // namespace

std::vector<http::Route> page_routes(const std::vector<Endpoint>& endpoints) {
    auto pages = docs::project_pages();
    for (auto& each : reference_pages(endpoints)) {
        pages.push_back(std::move(each));
    }
    const auto site = std::make_shared<const Site>(docs::make_site(pages));
    std::vector<http::Route> routes;
    for (const char* pattern : {"/docs", "/docs.md", "/docs/{page}", "/docs/{folder}/{page}",
                                "/llms.txt", "/llms-full.txt"}) {
        http::Route route;
        route.method = Method::get;
        route.pattern = pattern;
        route.name = "docs.page";
        route.handler = [site](http::Request& request) { return page(*site, request); };
        routes.push_back(std::move(route));
    }
    // Where the links of the page would lead elsewhere.
    http::Route slash;
    slash.method = Method::get;
    slash.pattern = "/docs/";
    slash.name = "docs.page";
    slash.handler = [](http::Request&) -> runtime::Task<http::Response> {
        http::Response response;
        response.status = 308;
        response.headers = {{"Location", "/docs"}};
        co_return response;
    };
    routes.push_back(std::move(slash));
    return routes;
}

std::vector<Endpoint> docs_endpoints(Services& services, const std::vector<Endpoint>& endpoints) {
    // Shared with the handlers, which are part of what it describes.
    auto document = std::make_shared<Document>();
    std::vector<Endpoint> own;
    own.push_back(
        raw_endpoint({Method::get, "/openapi.json", "server.openapi", "The OpenAPI document",
                      "OpenAPI 3.1, the same at every start of the same build."},
                     answers(200, schema::object({})).with_etag(), {}, {}, Access::anyone,
                     http::BodyMode::none, [&services, document](http::Request& request) {
                         return openapi(services, *document, request);
                     }));
    auto all = endpoints;
    all.insert(all.end(), own.begin(), own.end());
    *document = document_of(all);
    return own;
}

}  // namespace kinodex::api
