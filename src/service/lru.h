// A least-recently-used cache bounded by the cost of what it holds. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace kinodex::service {

/// Values are shared: one that is evicted lives until its last user lets go.
template <class Value>
class Lru {
  public:
    explicit Lru(std::size_t cost_max) : cost_max_(cost_max) {}

    std::shared_ptr<Value> find(const std::string& key) {
        const std::lock_guard lock(mutex_);
        const auto at = places_.find(key);
        if (at == places_.end()) {
            return nullptr;
        }
        entries_.splice(entries_.begin(), entries_, at->second);
        return at->second->value;
    }

    /// A value that costs more than the whole cache is not kept.
    void put(const std::string& key, std::shared_ptr<Value> value, std::size_t cost) {
        const std::lock_guard lock(mutex_);
        keep(key, std::move(value), cost);
    }

    /// How often anything was erased by prefix. Read it before reading what a value is made from.
    [[nodiscard]] std::uint64_t erasures() const {
        const std::lock_guard lock(mutex_);
        return erasures_;
    }

    /// As `put`, but a value begun before an erasure is not kept: it may be of what was erased.
    void put_unless_erased(const std::string& key, std::shared_ptr<Value> value, std::size_t cost,
                           std::uint64_t erasures_at_begin) {
        const std::lock_guard lock(mutex_);
        if (erasures_ == erasures_at_begin) {
            keep(key, std::move(value), cost);
        }
    }

    void erase_prefix(const std::string& prefix) {
        const std::lock_guard lock(mutex_);
        ++erasures_;
        for (auto at = entries_.begin(); at != entries_.end();) {
            const auto next = std::next(at);
            if (at->key.starts_with(prefix)) {
                drop(at->key);
            }
            at = next;
        }
    }

    [[nodiscard]] std::size_t cost() const {
        const std::lock_guard lock(mutex_);
        return cost_;
    }

  private:
    struct Entry {
        std::string key;
        std::shared_ptr<Value> value;
        std::size_t cost = 0;
    };

    void keep(const std::string& key, std::shared_ptr<Value> value, std::size_t cost) {
        drop(key);
        if (cost > cost_max_) {
            return;
        }
        entries_.push_front({key, std::move(value), cost});
        places_[key] = entries_.begin();
        cost_ += cost;
        while (cost_ > cost_max_) {
            drop(entries_.back().key);
        }
    }

    void drop(const std::string& key) {
        const auto at = places_.find(key);
        if (at == places_.end()) {
            return;
        }
        const auto entry = at->second;
        cost_ -= entry->cost;
        places_.erase(at);
        entries_.erase(entry);  // last: `key` may live in it
    }

    mutable std::mutex mutex_;
    std::size_t cost_max_;
    std::size_t cost_ = 0;
    std::uint64_t erasures_ = 0;
    std::list<Entry> entries_;
    std::unordered_map<std::string, typename std::list<Entry>::iterator> places_;
};

}  // namespace kinodex::service
