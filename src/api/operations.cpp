// For those who run the server: is it alive, is it ready, what is it doing. No key needed.
#include "api/api.h"
#include "api/error_table.h"

namespace kinodex::api {
namespace {

runtime::Task<http::Response> health(http::Request&) {
    co_return json_response(200, "{\"status\":\"ok\"}");
}

runtime::Task<http::Response> ready(Services& services, http::Request& request) {
    if (!services.is_serving()) {
        co_return render_error({base::Errc::shutting_down, {}, {}, {}}, request.request_id);
    }
    auto pinged = co_await services.indexes.store().ping();
    if (!pinged) {
        co_return render_error(pinged.error(), request.request_id);
    }
    co_return json_response(200, "{\"status\":\"ready\"}");
}

runtime::Task<http::Response> metrics(Services& services, http::Request&) {
    http::Response response;
    response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.body = services.metrics.text();
    co_return response;
}

http::Route route(const char* pattern, const char* name, http::Handler handler) {
    http::Route made;
    made.method = Method::get;
    made.pattern = pattern;
    made.name = name;
    made.handler = std::move(handler);
    return made;
}

}  // namespace

std::vector<http::Route> operations_routes(Services& services) {
    std::vector<http::Route> routes;
    routes.push_back(route("/healthz", "healthz", health));
    routes.push_back(route("/readyz", "readyz", [&services](http::Request& request) {
        return ready(services, request);
    }));
    routes.push_back(route("/metrics", "metrics", [&services](http::Request& request) {
        return metrics(services, request);
    }));
    return routes;
}

}  // namespace kinodex::api
