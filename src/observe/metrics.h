// Counters, gauges and histograms in Prometheus text form.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kinodex::observe {

class Counter {
  public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Durations in seconds, in fixed buckets from 1 ms to 60 s.
class Histogram {
  public:
    void observe(double seconds);
    void write(std::string& out, std::string_view name, std::string_view labels) const;

  private:
    static constexpr double kBounds[] = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60};
    std::atomic<std::uint64_t> buckets_[std::size(kBounds) + 1]{};
    std::atomic<std::uint64_t> sum_us_{0};
};

/// All metrics of a process. Instruments live as long as the registry; making one twice with the
/// same name and labels gives the same one. Thread-safe.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    /// `labels` without braces: `route="assets.list",status="200"`.
    Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
    Histogram& histogram(std::string_view name, std::string_view help,
                         std::string_view labels = {});
    /// Asked when the metrics are read.
    void gauge(std::string_view name, std::string_view help, std::string_view labels,
               std::function<double()> read);
    [[nodiscard]] std::string text() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::observe
