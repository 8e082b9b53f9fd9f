#include "service/rate_limits.h"

#include <fmt/format.h>

#include <cmath>

namespace kinodex::service {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;
// In the order of RateLimits' windows. Media is counted in milliseconds, its limits are minutes.
constexpr std::array<std::int64_t, 4> kLengthMs{kMinuteMs, kDayMs, kHourMs, kDayMs};
constexpr std::array<std::string_view, 4> kUnit{"requests per minute", "requests per day",
                                                "minutes of media per hour",
                                                "minutes of media per day"};

base::Timestamp end_of(std::size_t window, base::Timestamp now) {
    const auto number = now.time_since_epoch().count() / kLengthMs[window];
    return base::Timestamp(milliseconds((number + 1) * kLengthMs[window]));
}

}  // namespace

RateLimits::RateLimits(Limits limits) : limits_(std::move(limits)) {}

std::int64_t RateLimits::limit_of(RateCategory category, std::size_t window) const {
    const auto found = limits_.find(category);
    if (found == limits_.end()) {
        return 0;
    }
    const auto& limit = found->second;
    const std::array<std::int64_t, kWindows> limits{limit.requests_per_minute,
                                                    limit.requests_per_day, limit.minutes_per_hour,
                                                    limit.minutes_per_day};
    return limits.at(window);
}

std::int64_t& RateLimits::used(Account& account, std::size_t window, base::Timestamp now) {
    auto& counted = account.windows.at(window);
    const auto number = now.time_since_epoch().count() / kLengthMs[window];
    if (counted.number != number) {
        counted = {number, 0};
    }
    return counted.used;
}

std::string RateLimits::limit_text(RateCategory category, std::size_t window) const {
    return fmt::format("{} {}", limit_of(category, window), kUnit[window]);
}

base::Status RateLimits::refuse(RateCategory category, std::size_t window,
                                base::Timestamp now) const {
    const auto left = std::chrono::ceil<std::chrono::seconds>(end_of(window, now) - now);
    const auto seconds = std::to_string(left.count());
    return base::fail(base::Errc::too_many_requests, {{"rate_limit", limit_text(category, window)},
                                                      {"retry_after", seconds + " seconds"},
                                                      {"retry_after_sec", seconds}});
}

RateLimits::Admission RateLimits::admit(domain::AccountId account, RateCategory category,
                                        base::Timestamp now) {
    const std::lock_guard lock(mutex_);
    auto& counted = accounts_[{account, category}];
    Admission admission;
    // The longest wait is told, so that a client that heeds it is not refused again.
    for (const std::size_t window : {std::size_t{kMinute}, std::size_t{kDay}}) {
        const auto limit = limit_of(category, window);
        if (limit > 0 && used(counted, window, now) >= limit) {
            admission.allowed = refuse(category, window, now);
        }
    }
    for (const std::size_t window : {std::size_t{kMinute}, std::size_t{kDay}}) {
        used(counted, window, now) += admission.allowed ? 1 : 0;
    }
    admission.state = state_of(counted, category, now);
    return admission;
}

std::optional<RateState> RateLimits::state_of(Account& account, RateCategory category,
                                              base::Timestamp now) {
    std::optional<RateState> least;
    for (const std::size_t window : {std::size_t{kMinute}, std::size_t{kDay}}) {
        const auto limit = limit_of(category, window);
        if (limit <= 0) {
            continue;
        }
        const RateState state{limit, used(account, window, now), end_of(window, now)};
        if (!least || state.remaining() <= least->remaining()) {
            least = state;
        }
    }
    return least;
}

std::optional<RateState> RateLimits::give_back(domain::AccountId account, RateCategory category,
                                               base::Timestamp admitted_at, base::Timestamp now) {
    const std::lock_guard lock(mutex_);
    auto& counted = accounts_[{account, category}];
    for (const std::size_t window : {std::size_t{kMinute}, std::size_t{kDay}}) {
        auto& count = used(counted, window, now);
        // A window that has ended took the request with it.
        if (end_of(window, admitted_at) == end_of(window, now) && count > 0) {
            --count;
        }
    }
    return state_of(counted, category, now);
}

base::Status RateLimits::admit_duration(domain::AccountId account, RateCategory category,
                                        double duration_sec, base::Timestamp now) {
    const std::lock_guard lock(mutex_);
    auto& counted = accounts_[{account, category}];
    const auto length_ms = static_cast<std::int64_t>(std::ceil(duration_sec * 1000));
    base::Status allowed;
    for (const std::size_t window : {std::size_t{kHourOfMedia}, std::size_t{kDayOfMedia}}) {
        const auto limit_ms = limit_of(category, window) * kMinuteMs;
        if (limit_ms > 0 && length_ms > limit_ms) {
            return base::fail(base::Errc::media_beyond_rate_limit,
                              {{"rate_limit", limit_text(category, window)},
                               {"current_duration", fmt::format("{:.3f}", duration_sec)}});
        }
        if (limit_ms > 0 && used(counted, window, now) + length_ms > limit_ms) {
            allowed = refuse(category, window, now);
        }
    }
    if (allowed) {
        for (const std::size_t window : {std::size_t{kHourOfMedia}, std::size_t{kDayOfMedia}}) {
            used(counted, window, now) += length_ms;
        }
    }
    return allowed;
}

}  // namespace kinodex::service
