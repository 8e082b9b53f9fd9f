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

Endpoint operation(Headline headline, Answer answer, std::vector<Errc> errors,
                   http::Handler handler) {
    return raw_endpoint(std::move(headline), std::move(answer), std::move(errors), {},
                        Access::anyone, http::BodyMode::none, std::move(handler));
}

Schema status_schema(std::string word) {
    return schema::object({has("status", schema::words({std::move(word)}), "What it is.")});
}

}  // namespace

std::vector<Endpoint> operations_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(
        operation({Method::get, "/healthz", "server.health", "Whether the server is alive", {}},
                  answers(200, status_schema("ok")), {}, health));
    endpoints.push_back(
        operation({Method::get, "/readyz", "server.ready", "Whether the server can work",
                   "Not before its store answers, nor once it shuts down."},
                  answers(200, status_schema("ready")), {Errc::shutting_down},
                  [&services](http::Request& request) { return ready(services, request); }));
    endpoints.push_back(
        operation({Method::get, "/metrics", "server.metrics", "Counters for Prometheus", {}},
                  answers_text("text/plain; version=0.0.4; charset=utf-8"), {},
                  [&services](http::Request& request) { return metrics(services, request); }));
    return endpoints;
}

}  // namespace kinodex::api
