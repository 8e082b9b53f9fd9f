// Keeps every object of the media store in place while it is copied, whatever is deleted meanwhile.
#pragma once

#include <memory>

#include "store/store.h"

namespace kinodex::server {

/// Renewed by a thread of its own, however long one object takes.
class ObjectHold {
  public:
    /// Waits until removals that run have ended. Errors: those of the store; overloaded when they
    /// do not end; that of check_stop().
    static base::Result<ObjectHold> take(store::Store& store);
    ObjectHold(ObjectHold&& other) noexcept;
    ObjectHold& operator=(ObjectHold&&) = delete;
    /// Lets go; a process that was killed lets go a few minutes later.
    ~ObjectHold();

    /// Whether it has held all the time until now. Errors: internal, with a detail.
    [[nodiscard]] base::Status check() const;
    /// In a copy of the store, where the hold was copied too.
    base::Status forget_in(store::Store& copy) const;

  private:
    struct Renewal;
    explicit ObjectHold(std::unique_ptr<Renewal> renewal);

    std::unique_ptr<Renewal> renewal_;
};

}  // namespace kinodex::server
