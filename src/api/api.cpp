#include "api/api.h"

#include <algorithm>

#include "api/error_table.h"

namespace kinodex::api {
namespace {

using runtime::Task;

/// Media type without parameters, lower case.
std::string media_type(std::string_view content_type) {
    auto type = std::string(content_type.substr(0, content_type.find(';')));
    type.erase(type.find_last_not_of(' ') + 1);
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return type;
}

base::Status read_json(const Endpoint& endpoint, const http::Request& request, Values& values) {
    if (!endpoint.takes_json()) {
        return {};
    }
    // An empty body needs no type: the Python SDK drops empty objects, and curl sends none.
    if (!request.body.empty() && media_type(request.content_type) != "application/json") {
        return base::fail(Errc::content_type_not_json, {{"content_type", request.content_type}});
    }
    KN_TRY(members, parse_members(request.body));
    values.json = std::move(members);
    return {};
}

domain::Scope scope_of(Method method) {
    return method == Method::get || method == Method::head ? domain::Scope::read
                                                           : domain::Scope::write;
}

domain::Scope scope_of(const Endpoint& endpoint, Method method) {
    return endpoint.scope.value_or(scope_of(method));
}

/// The names in a pattern's braces, in order.
std::vector<std::string> placeholders(std::string_view pattern) {
    std::vector<std::string> names;
    for (auto open = pattern.find('{'); open != std::string_view::npos;
         open = pattern.find('{', open + 1)) {
        names.emplace_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
    }
    return names;
}

/// All that needs no waiting: who asks, and whether the request is right.
base::Result<Asked<Reply>> begin(const Services& services, const Endpoint& endpoint,
                                 const std::vector<std::string>& names,
                                 const http::Request& request) {
    KN_TRY(caller, identify(services, request, scope_of(endpoint, request.method)));
    Values values;
    for (std::size_t i = 0; i < names.size(); ++i) {
        values.path.emplace_back(names[i], request.path_values.at(i));
    }
    values.query = &request.query;
    KN_PASS(read_json(endpoint, request, values));
    KN_PASS(check_names(endpoint.fields, values));
    return endpoint.begin(std::move(caller), values);
}

http::Response no_content() {
    http::Response response;
    response.status = 204;
    return response;
}

Task<http::Response> respond(const Services& services, const Endpoint& endpoint,
                             const std::vector<std::string>& names, const http::Request& request) {
    auto begun = begin(services, endpoint, names, request);
    if (!begun) {
        co_return render_error(begun.error(), request.request_id);
    }
    auto reply = co_await std::move(*begun);
    if (!reply) {
        co_return render_error(reply.error(), request.request_id);
    }
    auto response = endpoint.answer.status == 204
                        ? no_content()
                        : json_response(endpoint.answer.status, std::move(reply->json));
    if (!reply->location.empty()) {
        response.headers.emplace_back("Location", std::move(reply->location));
    }
    co_return response;
}

void append_rate_headers(http::Response& response, const service::RateState& state) {
    const auto reset = std::to_string(
        std::chrono::floor<std::chrono::seconds>(state.resets_at).time_since_epoch().count());
    const auto remaining = std::to_string(state.remaining());
    // Two generations of names: clients read one or the other.
    response.headers.emplace_back("X-RateLimit-Limit", std::to_string(state.limit));
    response.headers.emplace_back("X-RateLimit-Used", std::to_string(state.used));
    response.headers.emplace_back("X-RateLimit-Remaining", remaining);
    response.headers.emplace_back("X-RateLimit-Reset", reset);
    response.headers.emplace_back("X-RateLimit-Request-Remaining", remaining);
    response.headers.emplace_back("X-RateLimit-Request-Reset", reset);
}

/// Counts a request before its body is read, and says in the answer where the account stands. What
/// is refused because of its minutes of media is known only afterwards, and given back.
Task<http::Response> respond_counted(Services& services, service::RateCategory category,
                                     const http::Handler& handler, http::Request& request) {
    const auto caller = identify(services, request);
    if (!caller) {  // nobody's request; the handler would say the same
        co_return render_error(caller.error(), request.request_id);
    }
    const auto now = base::now();
    auto admission = services.rate_limits.admit(caller->account, category, now);
    auto response = admission.allowed ? co_await handler(request)
                                      : render_error(admission.allowed.error(), request.request_id);
    if (admission.allowed && response.status == row_of(Errc::too_many_requests).status) {
        admission.state =
            services.rate_limits.give_back(caller->account, category, now, base::now());
    }
    if (admission.state) {
        append_rate_headers(response, *admission.state);
    }
    co_return response;
}

http::Handler counted(Services& services, service::RateCategory category, http::Handler handler) {
    auto shared = std::make_shared<const http::Handler>(std::move(handler));
    return [&services, category, shared](http::Request& request) {
        return respond_counted(services, category, *shared, request);
    };
}

http::Route uncounted_route_of(Services& services, Endpoint endpoint) {
    http::Route route;
    route.method = endpoint.headline.method;
    route.pattern = endpoint.headline.pattern;
    route.name = endpoint.headline.operation;
    if (endpoint.raw) {
        route.body = endpoint.raw_body;
        route.handler = std::move(endpoint.raw);
        return route;
    }
    // DELETE may carry a body, which both SDKs send in places; it is read and left alone.
    route.body =
        endpoint.headline.method == Method::get ? http::BodyMode::none : http::BodyMode::whole;
    route.body_limit_bytes = kJsonBodyBytesMax;
    auto shared = std::make_shared<const Endpoint>(std::move(endpoint));
    auto names = std::make_shared<const std::vector<std::string>>(placeholders(route.pattern));
    route.handler = [&services, shared, names](http::Request& request) {
        return respond(services, *shared, *names, request);
    };
    return route;
}

http::Route route_of(Services& services, Endpoint endpoint) {
    const auto category = endpoint.counted;
    auto route = uncounted_route_of(services, std::move(endpoint));
    if (category) {
        route.handler = counted(services, *category, std::move(route.handler));
    }
    return route;
}

bool is_host(std::string_view host) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == ':' || c == '[' || c == ']' || c == '_';
    };
    return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, allowed);
}

}  // namespace

base::Result<Caller> identify(const Services& services, const http::Request& request) {
    return identify(services, request, scope_of(request.method));
}

base::Result<Caller> identify(const Services& services, const http::Request& request,
                              domain::Scope needed) {
    KN_TRY(grant, services.keys.find(request.api_key, base::now()));
    if (!grant.scopes.has(needed)) {
        return base::fail(Errc::api_not_allowed);
    }
    return Caller{grant.account, base_url(services, request)};
}

std::string base_url(const Services& services, const http::Request& request) {
    if (!services.public_url.empty()) {
        return services.public_url;
    }
    return is_host(request.host) ? "http://" + request.host : std::string();
}

http::Response json_response(unsigned status, std::string json) {
    http::Response response;
    response.status = status;
    response.headers.emplace_back("Content-Type", "application/json");
    response.body = std::move(json);
    return response;
}

std::vector<Endpoint> all_endpoints(Services& services) {
    std::vector<Endpoint> all;
    for (auto* make :
         {&upload_endpoints, &asset_endpoints, &multipart_endpoints, &index_endpoints,
          &indexed_asset_endpoints, &task_endpoints, &video_endpoints, &entity_collection_endpoints,
          &entity_endpoints, &media_endpoints, &source_endpoints, &chunk_endpoints,
          &operations_endpoints, &admin_endpoints}) {
        for (auto& each : make(services)) {
            all.push_back(std::move(each));
        }
    }
    return all;
}

std::vector<http::Route> routes_of(Services& services) {
    std::vector<http::Route> routes;
    auto endpoints = all_endpoints(services);
    for (auto& each : docs_endpoints(services, endpoints)) {
        endpoints.push_back(std::move(each));
    }
    for (auto& each : page_routes(endpoints)) {
        routes.push_back(std::move(each));
    }
    for (auto& each : endpoints) {
        routes.push_back(route_of(services, std::move(each)));
    }
    for (auto& each : preflight_routes(services)) {
        routes.push_back(std::move(each));
    }
    return routes;
}

}  // namespace kinodex::api
