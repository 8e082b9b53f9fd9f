// Work on something that is deleted meanwhile: it ends early, and leaves nothing behind.
#pragma once

#include <chrono>

#include "store/store.h"

namespace kinodex::service {

/// To be called once the objects are in place: the job that removes those of a deleted row may have
/// run before they came, so when the row is gone another one is queued. A row that is deleted later
/// brings its own.
runtime::Asked<void> remove_leftovers(store::Store& store, domain::AssetId id);
runtime::Asked<void> remove_leftovers(store::Store& store, domain::IndexedAssetId id);

/// When long work looks whether what it is for is still there: progress is told far more often.
class LookNowAndThen {
  public:
    bool is_time() {
        const auto now = std::chrono::steady_clock::now();
        if (now < next_) {
            return false;
        }
        next_ = now + std::chrono::seconds(1);
        return true;
    }

  private:
    std::chrono::steady_clock::time_point next_{};
};

}  // namespace kinodex::service
