// Metrics come out as Prometheus text, with cumulative buckets.
#include "observe/metrics.h"

#include <gtest/gtest.h>

namespace kinodex::observe {
namespace {

TEST(Metrics, text_holds_every_kind_of_instrument) {
    Metrics metrics;
    metrics.counter("kinodex_requests_total", "Requests.", "route=\"a\"").add(2);
    metrics.counter("kinodex_requests_total", "Requests.", "route=\"a\"").add();
    metrics.gauge("kinodex_jobs", "Jobs.", "", [] { return 7.0; });
    auto& histogram = metrics.histogram("kinodex_seconds", "Time.");
    histogram.observe(0.003);
    histogram.observe(100);
    const auto text = metrics.text();
    for (const char* line :
         {"# TYPE kinodex_requests_total counter\n", "kinodex_requests_total{route=\"a\"} 3\n",
          "kinodex_jobs 7\n", "kinodex_seconds_bucket{le=\"0.001\"} 0\n",
          "kinodex_seconds_bucket{le=\"0.005\"} 1\n", "kinodex_seconds_bucket{le=\"60\"} 1\n",
          "kinodex_seconds_bucket{le=\"+Inf\"} 2\n", "kinodex_seconds_count 2\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << "in\n" << text;
    }
}

}  // namespace
}  // namespace kinodex::observe
