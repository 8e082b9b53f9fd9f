#include "service/keys.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "service/sha256.h"

namespace kinodex::service {

using base::Errc;

std::string new_key_text() {
    static constexpr char kDigits[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    constexpr std::size_t kDigitCount = 62;
    std::string text = "kx_";
    while (text.size() < 43) {
        unsigned char byte = 0;
        KN_CHECK(RAND_bytes(&byte, 1) == 1, "the system has no randomness");
        if (byte < 4 * kDigitCount) {  // or some digits would come up more often
            text += kDigits[byte % kDigitCount];
        }
    }
    return text;
}

domain::KeyHash hash_key(std::string_view key) {
    return sha256(key);
}

std::string key_hint(std::string_view key) {
    return std::string(key.substr(0, std::min<std::size_t>(key.size() / 3, 8)));
}

base::Status check_key_text(std::string_view key) {
    const auto printable = [](char c) { return c > 0x20 && c < 0x7f; };
    if (key.size() < kApiKeyBytesMin || key.size() > kApiKeyBytesMax ||
        !std::ranges::all_of(key, printable)) {
        return base::fail(Errc::parameter_invalid,
                          {{"parameter", "api-key"},
                           {"reason", "It must be 8 to 256 printable characters without spaces."}});
    }
    return {};
}

std::size_t KeyRing::HashOfHash::operator()(const domain::KeyHash& hash) const {
    std::size_t part = 0;
    std::memcpy(&part, hash.data(), sizeof part);  // SHA-256 is evenly spread already
    return part;
}

runtime::Asked<void> KeyRing::refresh() {
    KN_CO_TRY(version, co_await store_.keys_version());
    if (version_ == version) {
        co_return base::Status{};
    }
    KN_CO_TRY(keys, co_await store_.list_keys());
    Keys live;
    for (const auto& key : keys) {
        if (!key.revoked_at) {
            live.emplace(key.hash, key.account_id);
        }
    }
    {
        const std::unique_lock lock(mutex_);
        keys_ = std::move(live);
    }
    version_ = version;
    co_return base::Status{};
}

base::Result<domain::AccountId> KeyRing::find(std::string_view key) const {
    if (key.empty() || key.size() > kApiKeyBytesMax) {
        return base::fail(Errc::api_key_invalid);
    }
    const auto hash = hash_key(key);
    const std::shared_lock lock(mutex_);
    const auto found = keys_.find(hash);
    if (found == keys_.end()) {
        return base::fail(Errc::api_key_invalid);
    }
    return found->second;
}

std::size_t KeyRing::size() const {
    const std::shared_lock lock(mutex_);
    return keys_.size();
}

}  // namespace kinodex::service
