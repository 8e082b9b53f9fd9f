// API keys, the accounts they belong to, and what those use. Promises and errors are those of
// store.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "domain/account.h"
#include "runtime/task.h"

namespace kinodex::store {

using runtime::Asked;

struct NewApiKey {
    std::string account_name;  // made when it is not there yet
    std::string name;
    std::string hint;
    domain::KeyHash hash{};
    std::optional<base::Timestamp> expires_at = std::nullopt;
    domain::Scopes scopes = {};
};

/// How a key gets an heir.
struct KeyRotation {
    std::string hint;
    domain::KeyHash hash{};
    base::Timestamp old_ends_at;  // unless it ends sooner
    // The heir lives as long as the old key from its making to its end; else until expires_at.
    bool keeps_lifetime = true;
    std::optional<base::Timestamp> expires_at = std::nullopt;  // unset: it does not end
};

struct KeyUse {
    domain::KeyId id;
    base::Timestamp used_at;
};

class KeyStore {
  public:
    virtual ~KeyStore() = default;

    // --- API keys ---------------------------------------------------------------------------
    /// Errors: parameter_invalid when the hash is known under a live key of another account, or
    /// under a revoked one.
    virtual Asked<domain::ApiKey> create_key(NewApiKey key) = 0;
    virtual Asked<std::vector<domain::ApiKey>> list_keys() = 0;
    /// Errors: resource_not_exist.
    virtual Asked<void> revoke_key(domain::KeyId id) = 0;
    /// Makes a key like `old` (account, name, scopes) and gives `old` an end: one step. Errors:
    /// resource_not_exist, also for a key that was revoked; parameter_invalid when it has expired.
    virtual Asked<domain::ApiKey> rotate_key(domain::KeyId old, KeyRotation rotation) = 0;
    /// Moves the last use of keys forward, never back; does not change keys_version.
    virtual Asked<void> record_key_uses(std::vector<KeyUse> uses) = 0;
    /// A number that changes whenever any process changed the keys. Cheap: for polling.
    virtual Asked<std::int64_t> keys_version() = 0;

    // --- accounts ---------------------------------------------------------------------------
    /// Nothing used for an account that nobody knows.
    virtual Asked<domain::Usage> usage_of(domain::AccountId account) = 0;
    /// Every account that has ever had a key, by name.
    virtual Asked<std::vector<domain::AccountUsage>> list_usage() = 0;
};

}  // namespace kinodex::store
