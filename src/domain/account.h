// Accounts and their API keys. Only a hash of a key is ever stored.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::domain {

using KeyHash = std::array<std::uint8_t, 32>;  // SHA-256 of the whole key text

struct ApiKey {
    KeyId id;
    AccountId account_id;
    std::string account_name;
    std::string name;
    std::string hint;  // the first characters of the key, for lists
    KeyHash hash{};
    base::Timestamp created_at;
    std::optional<base::Timestamp> revoked_at;
};

}  // namespace kinodex::domain
