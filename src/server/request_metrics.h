// Counts and times requests by route and status, and writes the access log.
#pragma once

#include <map>
#include <shared_mutex>

#include "http/server.h"
#include "observe/metrics.h"

namespace kinodex::server {

enum class AccessLog { all, errors, none };

class RequestMetrics {
  public:
    RequestMetrics(observe::Metrics& metrics, AccessLog log) : metrics_(metrics), log_(log) {}
    /// Thread-safe; called once a request.
    void observe(const http::Access& access);

  private:
    struct Instruments {
        observe::Counter* requests;
        observe::Histogram* seconds;
    };
    Instruments instruments_of(const http::Access& access);

    observe::Metrics& metrics_;
    AccessLog log_;
    std::shared_mutex mutex_;
    // Keyed by the address of the route's name, which lives as long as the router: comparing two
    // words is all that a request pays.
    std::map<std::pair<const char*, unsigned>, Instruments> known_;
};

}  // namespace kinodex::server
