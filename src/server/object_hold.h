// Keeps every object of the media store in place while it is copied, whatever is deleted meanwhile.
#pragma once

#include <chrono>

#include "store/store.h"

namespace kinodex::server {

class ObjectHold {
  public:
    /// Waits until removals that run have ended. Errors: those of the store; overloaded when they
    /// do not end.
    static base::Result<ObjectHold> take(store::Store& store);
    ObjectHold(ObjectHold&& other) noexcept;
    ObjectHold& operator=(ObjectHold&&) = delete;
    /// Lets go; a process that was killed lets go when its time is over.
    ~ObjectHold();

    /// Call it between objects: renews the hold when it is due.
    base::Status keep();
    /// In a copy of the store, where the hold was copied too.
    base::Status forget_in(store::Store& copy) const;

  private:
    explicit ObjectHold(store::Store& store);

    store::Store* store_;
    std::int64_t holder_;
    std::chrono::steady_clock::time_point renewed_{};
};

}  // namespace kinodex::server
