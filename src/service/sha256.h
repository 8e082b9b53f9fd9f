// SHA-256 and HMAC-SHA-256 for short texts, many times a second.
//
// OpenSSL's one-call functions look the algorithm up by name each time, under a lock, which costs
// more than hashing a key or a URL does. Source: FIPS 180-4; RFC 2104.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace kinodex::service {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view text);

/// HMAC under one key, whose two padded blocks are hashed once. Thread-safe.
class Hmac {
  public:
    explicit Hmac(std::span<const std::uint8_t> key);
    ~Hmac();
    Hmac(Hmac&&) noexcept;
    /// Of the pieces of a message, one after the other.
    [[nodiscard]] Digest of(std::initializer_list<std::string_view> message) const;

  private:
    struct States;
    std::unique_ptr<const States> states_;
};

}  // namespace kinodex::service
