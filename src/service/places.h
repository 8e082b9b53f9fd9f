// Places for work that waits on somebody else, shared by accounts: no one of them takes all.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "domain/ids.h"

namespace kinodex::service {

struct PlaceLimits {
    std::size_t all = 0;
    std::size_t of_one_account = 0;
};

/// Thread-safe. Outlives its places.
class Places {
  public:
    /// Given back when it goes.
    class Place {
      public:
        Place(Places& places, domain::AccountId account) : places_(&places), account_(account) {}
        Place(Place&& other) noexcept
            : places_(std::exchange(other.places_, nullptr)), account_(other.account_) {}
        Place& operator=(Place&&) = delete;
        ~Place() {
            if (places_ != nullptr) {
                places_->give_back(account_);
            }
        }

      private:
        Places* places_;
        domain::AccountId account_;
    };

    /// `queue`: what the places are of, for the error.
    Places(PlaceLimits limits, std::string queue) : limits_(limits), queue_(std::move(queue)) {}

    /// Errors: overloaded.
    base::Result<Place> take(domain::AccountId account) {
        const std::lock_guard lock(mutex_);
        auto& taken = taken_[account];
        if (all_ >= limits_.all || taken >= limits_.of_one_account) {
            return base::fail(base::Errc::overloaded, {{"queue", queue_}},
                              taken >= limits_.of_one_account ? "the account has its share"
                                                              : "all places are taken");
        }
        ++all_;
        ++taken;
        return Place(*this, account);
    }

  private:
    void give_back(domain::AccountId account) {
        const std::lock_guard lock(mutex_);
        --all_;
        const auto entry = taken_.find(account);
        if (--entry->second == 0) {
            taken_.erase(entry);
        }
    }

    const PlaceLimits limits_;
    const std::string queue_;
    std::mutex mutex_;
    std::size_t all_ = 0;
    std::map<domain::AccountId, std::size_t> taken_;
};

}  // namespace kinodex::service
