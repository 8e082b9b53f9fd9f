// Limits on how often an account may ask, by category, counted in fixed windows of UTC time.
//
// The counts live in memory: a restart begins them anew. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::service {

enum class RateCategory { upload, index };

/// 0: no limit.
struct RateLimit {
    std::int64_t requests_per_minute = 0;
    std::int64_t requests_per_day = 0;
    std::int64_t minutes_per_hour = 0;  // of media
    std::int64_t minutes_per_day = 0;
};

/// Where an account stands in the window that leaves it least.
struct RateState {
    std::int64_t limit = 0;
    std::int64_t used = 0;
    base::Timestamp resets_at;
    [[nodiscard]] std::int64_t remaining() const { return used >= limit ? 0 : limit - used; }
};

class RateLimits {
  public:
    using Limits = std::map<RateCategory, RateLimit>;
    explicit RateLimits(Limits limits);

    struct Admission {
        std::optional<RateState> state;  // unset: requests of the category have no limit
        base::Status allowed;            // too_many_requests: rate_limit, retry_after_sec
    };
    /// Counts one request, unless it is refused.
    Admission admit(domain::AccountId account, RateCategory category, base::Timestamp now);
    /// Takes back what `admit` counted then: the request was refused with too_many_requests for
    /// another reason. Where the account stands now, as of `admit`.
    std::optional<RateState> give_back(domain::AccountId account, RateCategory category,
                                       base::Timestamp admitted_at, base::Timestamp now);
    /// Counts media of that length, unless it is refused. Errors: too_many_requests, and
    /// media_beyond_rate_limit for media that fits into no window at all.
    base::Status admit_duration(domain::AccountId account, RateCategory category,
                                double duration_sec, base::Timestamp now);

  private:
    struct Window {
        std::int64_t number = -1;  // since 1970
        std::int64_t used = 0;
    };
    enum : std::size_t { kMinute, kDay, kHourOfMedia, kDayOfMedia, kWindows };
    struct Account {
        std::array<Window, kWindows> windows;
    };
    [[nodiscard]] std::string limit_text(RateCategory category, std::size_t window) const;
    std::optional<RateState> state_of(Account& account, RateCategory category, base::Timestamp now);
    base::Status refuse(RateCategory category, std::size_t window, base::Timestamp now) const;
    std::int64_t& used(Account& account, std::size_t window, base::Timestamp now);
    [[nodiscard]] std::int64_t limit_of(RateCategory category, std::size_t window) const;

    Limits limits_;
    std::mutex mutex_;
    std::map<std::pair<domain::AccountId, RateCategory>, Account> accounts_;
};

}  // namespace kinodex::service
