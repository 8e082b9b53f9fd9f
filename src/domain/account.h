// Accounts and their API keys. Only a hash of a key is ever stored.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::domain {

using KeyHash = std::array<std::uint8_t, 32>;  // SHA-256 of the whole key text

/// What a key may be used for: `read` retrieves and lists, `write` creates, changes and deletes,
/// `admin` looks after the server. Each stands alone.
enum class Scope : std::uint8_t { read = 1, write = 2, admin = 4 };

class Scopes {
  public:
    static constexpr std::int64_t kAll = 7;
    constexpr Scopes() = default;  // all
    constexpr explicit Scopes(std::int64_t bits) : bits_(bits & kAll) {}
    /// "read,write": one or more of the words, each once or more; nullopt for anything else.
    static std::optional<Scopes> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
    [[nodiscard]] constexpr bool has(Scope scope) const {
        return (bits_ & static_cast<std::int64_t>(scope)) != 0;
    }
    [[nodiscard]] constexpr std::int64_t bits() const { return bits_; }
    bool operator==(const Scopes&) const = default;

  private:
    std::int64_t bits_ = kAll;
};

struct ApiKey {
    KeyId id;
    AccountId account_id;
    std::string account_name;
    std::string name;
    std::string hint;  // the first characters of the key, for lists
    KeyHash hash{};
    base::Timestamp created_at;
    std::optional<base::Timestamp> revoked_at;
    std::optional<base::Timestamp> expires_at;
    std::optional<base::Timestamp> last_used_at;  // to about a minute
    Scopes scopes;
};

/// What an account holds.
struct Usage {
    std::int64_t assets = 0;
    // Of assets, what is made from them not counted, and of what upload sessions have announced.
    std::int64_t storage_bytes = 0;
    std::int64_t indexed_duration_us = 0;  // over all indexes, what failed not counted
};

struct AccountUsage {
    AccountId account_id;
    std::string account_name;
    Usage usage;
};

}  // namespace kinodex::domain
