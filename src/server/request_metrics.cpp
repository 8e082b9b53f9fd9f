#include "server/request_metrics.h"

#include <mutex>

#include "observe/log.h"

namespace kinodex::server {

RequestMetrics::Instruments RequestMetrics::instruments_of(const http::Access& access) {
    const std::pair key{access.route.data(), access.status};
    {
        const std::shared_lock lock(mutex_);
        const auto known = known_.find(key);
        if (known != known_.end()) {
            return known->second;
        }
    }
    const std::string_view route = access.route.empty() ? "none" : access.route;
    const Instruments made{
        &metrics_.counter("kinodex_requests_total", "Requests answered.",
                          fmt::format("route=\"{}\",status=\"{}\"", route, access.status)),
        &metrics_.histogram("kinodex_request_seconds", "Time to answer a request.",
                            fmt::format("route=\"{}\"", route))};
    const std::unique_lock lock(mutex_);
    return known_.emplace(key, made).first->second;
}

void RequestMetrics::observe(const http::Access& access) {
    const auto instruments = instruments_of(access);
    instruments.requests->add();
    const double seconds = std::chrono::duration<double>(access.duration).count();
    instruments.seconds->observe(seconds);
    if (log_ == AccessLog::none || (log_ == AccessLog::errors && access.status < 400)) {
        return;
    }
    observe::log_info("request", {{"method", access.method},
                                  {"route", access.route},
                                  {"status", access.status},
                                  {"duration_ms", fmt::format("{:.3f}", seconds * 1000)},
                                  {"bytes_in", access.bytes_in},
                                  {"bytes_out", access.bytes_out},
                                  {"request_id", access.request_id}});
}

}  // namespace kinodex::server
