#include "observe/metrics.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace kinodex::observe {
namespace {

struct Gauge {
    std::function<double()> read;
};

struct Family {
    std::string help;
    std::string type;
    std::map<std::string, std::unique_ptr<Counter>> counters;
    std::map<std::string, std::unique_ptr<Histogram>> histograms;
    std::map<std::string, Gauge> gauges;
};

std::string braced(std::string_view labels) {
    return labels.empty() ? std::string() : fmt::format("{{{}}}", labels);
}

}  // namespace

void Histogram::observe(double seconds) {
    std::size_t bucket = 0;
    while (bucket < std::size(kBounds) && seconds > kBounds[bucket]) {
        ++bucket;
    }
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<std::uint64_t>(seconds * 1e6), std::memory_order_relaxed);
}

void Histogram::write(std::string& out, std::string_view name, std::string_view labels) const {
    std::uint64_t total = 0;
    const std::string_view comma = labels.empty() ? "" : ",";
    for (std::size_t i = 0; i <= std::size(kBounds); ++i) {
        total += buckets_[i].load(std::memory_order_relaxed);
        const auto bound = i < std::size(kBounds) ? fmt::format("{}", kBounds[i]) : "+Inf";
        out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, total);
    }
    const double sum = static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
    out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braced(labels), sum, name,
                       braced(labels), total);
}

struct Metrics::State {
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;

    Family& family(std::string_view name, std::string_view help, std::string_view type) {
        auto& found = families[std::string(name)];
        found.help = help;
        found.type = type;
        return found;
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
    const std::lock_guard lock(state_->mutex);
    auto& place = state_->family(name, help, "counter").counters[std::string(labels)];
    if (!place) {
        place = std::make_unique<Counter>();
    }
    return *place;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::string_view labels) {
    const std::lock_guard lock(state_->mutex);
    auto& place = state_->family(name, help, "histogram").histograms[std::string(labels)];
    if (!place) {
        place = std::make_unique<Histogram>();
    }
    return *place;
}

void Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels,
                    std::function<double()> read) {
    const std::lock_guard lock(state_->mutex);
    state_->family(name, help, "gauge").gauges[std::string(labels)] = {std::move(read)};
}

std::string Metrics::text() const {
    const std::lock_guard lock(state_->mutex);
    std::string out;
    for (const auto& [name, family] : state_->families) {
        out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
        for (const auto& [labels, counter] : family.counters) {
            out += fmt::format("{}{} {}\n", name, braced(labels), counter->value());
        }
        for (const auto& [labels, gauge] : family.gauges) {
            out += fmt::format("{}{} {}\n", name, braced(labels), gauge.read());
        }
        for (const auto& [labels, histogram] : family.histograms) {
            histogram->write(out, name, labels);
        }
    }
    return out;
}

}  // namespace kinodex::observe
