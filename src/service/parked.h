// What one coroutine leaves for another to go on with, by the id that both know. Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace kinodex::service {

/// Holds at most so many: what is left beyond is let go, and who comes for it begins anew.
template <class Id, class Value>
class Parked {
  public:
    explicit Parked(std::size_t most) : most_(most) {}

    void leave(Id id, Value value) {
        const std::lock_guard lock(mutex_);
        if (values_.size() < most_) {
            values_.emplace(std::move(id), std::move(value));
        }
    }

    /// nullopt when there is nothing, or no more.
    std::optional<Value> take(const Id& id) {
        const std::lock_guard lock(mutex_);
        auto found = values_.extract(id);
        return found ? std::optional<Value>(std::move(found.mapped())) : std::nullopt;
    }

  private:
    const std::size_t most_;
    std::mutex mutex_;
    std::map<Id, Value> values_;
};

}  // namespace kinodex::service
