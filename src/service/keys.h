// API keys: made once, shown once, stored hashed, looked up without touching the store.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/store.h"

namespace kinodex::service {

inline constexpr std::size_t kApiKeyBytesMin = 8;
inline constexpr std::size_t kApiKeyBytesMax = 256;

/// A new random key text: "kx_" and 40 letters and digits (238 bits).
std::string new_key_text();
domain::KeyHash hash_key(std::string_view key);
/// What a list may show of a key: its first characters.
std::string key_hint(std::string_view key);
/// 8 to 256 printable ASCII characters without spaces. Errors: parameter_invalid.
base::Status check_key_text(std::string_view key);

/// Names of accounts and of keys: what a list on a terminal and a JSON answer can show.
inline constexpr std::size_t kKeyNameCharsMax = 255;
/// 1 to 255 characters without control characters. Errors: parameter_invalid for `parameter`.
base::Status check_key_name(std::string_view parameter, std::string_view name);

/// What a key lets its holder do.
struct Grant {
    domain::AccountId account;
    domain::Scopes scopes;
};

/// The live keys in memory. Looking up a key hashes it first and compares hashes in constant time,
/// so the time of a look-up tells nothing about how much of a guess was right. Thread-safe.
class KeyRing {
  public:
    explicit KeyRing(store::Store& store) : store_(store) {}
    /// Reads the keys again when the store says that they changed; call it every second or so.
    runtime::Asked<void> refresh();
    /// Notes the use. Errors: api_key_invalid, also when the key has expired at `now`.
    [[nodiscard]] base::Result<Grant> find(std::string_view key, base::Timestamp now) const;
    /// Stores what was used since the last call; call it every minute or so, and before a stop.
    runtime::Asked<void> record_uses();
    [[nodiscard]] std::size_t size() const;

  private:
    struct HashOfHash {
        std::size_t operator()(const domain::KeyHash& hash) const;
    };
    struct SameHash {
        bool operator()(const domain::KeyHash& a, const domain::KeyHash& b) const;
    };
    struct LiveKey {
        domain::KeyId id;
        Grant grant;
        std::optional<base::Timestamp> expires_at;
        std::atomic<std::int64_t> used_ms = 0;      // 0: not since this process started
        std::atomic<std::int64_t> recorded_ms = 0;  // what of it the store knows
    };
    // Shared with the map before: a use noted while the keys are read again is not lost.
    using Keys =
        std::unordered_map<domain::KeyHash, std::shared_ptr<LiveKey>, HashOfHash, SameHash>;

    store::Store& store_;
    std::optional<std::int64_t> version_;  // touched by refresh alone
    mutable std::shared_mutex mutex_;
    Keys keys_;
};

}  // namespace kinodex::service
