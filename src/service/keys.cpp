#include "service/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "base/check.h"
#include "base/sha256.h"
#include "service/names.h"

namespace kinodex::service {

using base::Errc;

namespace {

constexpr std::int64_t kUseStepMs = 1'000;

}  // namespace

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
    return base::sha256(key);
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

base::Status check_key_name(std::string_view parameter, std::string_view name) {
    auto good = check_line(parameter, name, kKeyNameCharsMax);
    if (!good) {
        good.error().detail = fmt::format("--{}: {}", parameter, good.error().value("reason"));
    }
    return good;
}

std::size_t KeyRing::HashOfHash::operator()(const domain::KeyHash& hash) const {
    std::size_t part = 0;
    std::memcpy(&part, hash.data(), sizeof part);  // SHA-256 is evenly spread already
    return part;
}

bool KeyRing::SameHash::operator()(const domain::KeyHash& a, const domain::KeyHash& b) const {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

runtime::Asked<void> KeyRing::refresh() {
    KN_CO_TRY(version, co_await store_.keys_version());
    if (version_ == version) {
        co_return base::Status{};
    }
    KN_CO_TRY(keys, co_await store_.list_keys());
    Keys live;
    for (const auto& key : keys) {
        if (key.revoked_at) {
            continue;
        }
        auto entry = std::make_shared<LiveKey>();
        entry->id = key.id;
        entry->grant = {key.account_id, key.scopes};
        entry->expires_at = key.expires_at;
        live.emplace(key.hash, std::move(entry));
    }
    {
        // What was used under the old map and not stored yet comes along.
        const std::shared_lock lock(mutex_);
        for (const auto& [hash, before] : keys_) {
            const auto same = live.find(hash);
            if (same != live.end() && same->second->id == before->id) {
                same->second->used_ms = before->used_ms.load();
                same->second->recorded_ms = before->recorded_ms.load();
            }
        }
    }
    {
        const std::unique_lock lock(mutex_);
        keys_ = std::move(live);
    }
    version_ = version;
    co_return base::Status{};
}

base::Result<Grant> KeyRing::find(std::string_view key, base::Timestamp now) const {
    if (key.empty() || key.size() > kApiKeyBytesMax) {
        return base::fail(Errc::api_key_invalid);
    }
    const auto hash = hash_key(key);
    const std::shared_lock lock(mutex_);
    const auto found = keys_.find(hash);
    if (found == keys_.end()) {
        return base::fail(Errc::api_key_invalid);
    }
    auto& live = *found->second;
    if (live.expires_at && *live.expires_at <= now) {
        return base::fail(Errc::api_key_invalid);
    }
    const auto now_ms = now.time_since_epoch().count();
    // Once a second is exact enough, and keeps the line of many threads' common key clean.
    if (now_ms - live.used_ms.load(std::memory_order_relaxed) >= kUseStepMs) {
        live.used_ms.store(now_ms, std::memory_order_relaxed);
    }
    return live.grant;
}

runtime::Asked<void> KeyRing::record_uses() {
    std::vector<store::KeyUse> uses;
    std::vector<std::shared_ptr<LiveKey>> used;
    {
        const std::shared_lock lock(mutex_);
        for (const auto& [hash, key] : keys_) {
            const auto used_ms = key->used_ms.load(std::memory_order_relaxed);
            if (used_ms > key->recorded_ms.load(std::memory_order_relaxed)) {
                uses.push_back({key->id, base::Timestamp(std::chrono::milliseconds(used_ms))});
                used.push_back(key);
            }
        }
    }
    if (uses.empty()) {
        co_return base::Status{};
    }
    const auto recorded = uses;
    KN_CO_PASS(co_await store_.record_key_uses(std::move(uses)));
    for (std::size_t i = 0; i < used.size(); ++i) {
        used[i]->recorded_ms = recorded[i].used_at.time_since_epoch().count();
    }
    co_return base::Status{};
}

std::size_t KeyRing::size() const {
    const std::shared_lock lock(mutex_);
    return keys_.size();
}

}  // namespace kinodex::service
