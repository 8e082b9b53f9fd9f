#include "service/quotas.h"

#include <fmt/format.h>

#include <cmath>

#include "service/limits.h"

namespace kinodex::service {
namespace {

constexpr double kHourUs = 3600e6;

std::string hours_text(std::int64_t duration_us) {
    return fmt::format("{:.2f} hours", static_cast<double>(duration_us) / kHourUs);
}

}  // namespace

/// What has been reserved and not given back, by account and kind.
struct Quotas::Pending {
    std::mutex mutex;
    std::map<std::pair<domain::AccountId, Kind>, std::int64_t> amounts;

    void give_back(domain::AccountId account, Kind kind, std::int64_t amount) {
        const std::lock_guard lock(mutex);
        const auto found = amounts.find({account, kind});
        found->second -= amount;
        if (found->second == 0) {
            amounts.erase(found);  // nobody else's part is in it
        }
    }
};

Quotas::Quotas(store::Store& store, QuotaLimits limits)
    : store_(store), limits_(limits), pending_(std::make_shared<Pending>()) {}

Quotas::~Quotas() = default;

std::int64_t Quotas::limit_of(Kind kind) const {
    return kind == Kind::storage ? limits_.storage_bytes
                                 : std::llround(limits_.indexed_hours * kHourUs);
}

runtime::Asked<Quotas::Reservation> Quotas::reserve_storage(domain::AccountId account,
                                                            std::int64_t bytes) {
    return reserve(account, Kind::storage, bytes);
}

runtime::Asked<Quotas::Reservation> Quotas::reserve_indexing(domain::AccountId account,
                                                             double duration_sec) {
    return reserve(account, Kind::indexing, std::llround(duration_sec * 1e6));
}

runtime::Asked<Quotas::Reservation> Quotas::reserve(domain::AccountId account, Kind kind,
                                                    std::int64_t amount) {
    Reservation reservation;
    const auto limit = limit_of(kind);
    if (limit <= 0 || amount <= 0) {
        co_return reservation;
    }
    // Reserved before the store is asked: whoever asks meanwhile sees it.
    std::int64_t others = 0;
    {
        const std::lock_guard lock(pending_->mutex);
        auto& sum = pending_->amounts[{account, kind}];
        others = sum;
        sum += amount;
    }
    reservation.part_ =
        std::shared_ptr<void>(nullptr, [pending = pending_, account, kind, amount](void*) {
            pending->give_back(account, kind, amount);
        });
    KN_CO_TRY(usage, co_await store_.usage_of(account));
    const auto held = kind == Kind::storage ? usage.storage_bytes : usage.indexed_duration_us;
    if (held + others + amount > limit) {
        const bool storage = kind == Kind::storage;
        co_return base::fail(
            base::Errc::quota_exceeded,
            {{"quota", storage ? "storage" : "indexing"},
             {"limit", storage ? size_text(limit) : hours_text(limit)},
             {"used", storage ? size_text(held + others) : hours_text(held + others)}});
    }
    co_return reservation;
}

}  // namespace kinodex::service
