// How much an account may hold: bytes of assets, hours of indexed media. Off by default.
//
// What is on its way counts as held: a reservation stands until its upload or indexing has ended,
// one way or the other, so parallel requests cannot pass a quota together.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "store/store.h"

namespace kinodex::service {

/// 0: no limit.
struct QuotaLimits {
    std::int64_t storage_bytes = 0;
    double indexed_hours = 0;
};

class Quotas {
    struct Pending;

  public:
    Quotas(store::Store& store, QuotaLimits limits);
    ~Quotas();

    /// Gives its part back when it dies.
    class Reservation {
      public:
        Reservation() = default;
        Reservation(Reservation&&) noexcept = default;
        Reservation& operator=(Reservation&&) noexcept = default;
        ~Reservation() = default;

      private:
        friend class Quotas;
        std::shared_ptr<void> part_;
    };

    /// Errors: quota_exceeded (values quota, limit, used).
    runtime::Asked<Reservation> reserve_storage(domain::AccountId account, std::int64_t bytes);
    runtime::Asked<Reservation> reserve_indexing(domain::AccountId account, double duration_sec);
    [[nodiscard]] const QuotaLimits& limits() const { return limits_; }

  private:
    enum class Kind { storage, indexing };
    runtime::Asked<Reservation> reserve(domain::AccountId account, Kind kind, std::int64_t amount);
    [[nodiscard]] std::int64_t limit_of(Kind kind) const;

    store::Store& store_;
    QuotaLimits limits_;
    std::shared_ptr<Pending> pending_;  // shared with the reservations
};

}  // namespace kinodex::service
