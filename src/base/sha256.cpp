// The low-level functions are the ones without the look-up; OpenSSL calls them deprecated.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>

namespace kinodex::base {
namespace {

constexpr std::size_t kBlockBytes = 64;

SHA256_CTX state_after(std::span<const std::uint8_t> bytes) {
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, bytes.data(), bytes.size());
    return state;
}

/// The state after the key's block with every byte changed by `pad`.
SHA256_CTX padded(std::span<const std::uint8_t> key, std::uint8_t pad) {
    std::array<std::uint8_t, kBlockBytes> block{};
    if (key.size() > block.size()) {
        auto state = state_after(key);
        SHA256_Final(block.data(), &state);
    } else {
        std::copy(key.begin(), key.end(), block.begin());
    }
    for (auto& byte : block) {
        byte ^= pad;
    }
    return state_after(block);
}

Digest finished(SHA256_CTX state, std::initializer_list<std::string_view> message) {
    Digest digest;
    for (const auto piece : message) {
        SHA256_Update(&state, piece.data(), piece.size());
    }
    SHA256_Final(digest.data(), &state);
    return digest;
}

}  // namespace

Digest sha256(std::string_view text) {
    return finished(state_after({}), {text});
}

struct Sha256::State {
    SHA256_CTX context = state_after({});
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

void Sha256::add(std::span<const std::byte> bytes) {
    SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

Digest Sha256::end() {
    Digest digest;
    SHA256_Final(digest.data(), &state_->context);
    return digest;
}

struct Hmac::States {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

Hmac::Hmac(std::span<const std::uint8_t> key)
    : states_(std::make_unique<const States>(padded(key, 0x36), padded(key, 0x5c))) {}
Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;

Digest Hmac::of(std::initializer_list<std::string_view> message) const {
    const Digest inner = finished(states_->inner, message);
    return finished(states_->outer, {{reinterpret_cast<const char*>(inner.data()), inner.size()}});
}

}  // namespace kinodex::base
