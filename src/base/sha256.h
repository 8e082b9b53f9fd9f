// SHA-256 and HMAC-SHA-256, of short texts many times a second and of streams.
//
// OpenSSL's one-call functions look the algorithm up by name each time, under a lock, which costs
// more than hashing a key or a URL does. Source: FIPS 180-4; RFC 2104.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>

namespace kinodex::base {

using Digest = std::array<std::uint8_t, 32>;

Digest sha256(std::string_view text);

/// Of bytes that come piece by piece.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    void add(std::span<const std::byte> bytes);
    /// Of all pieces. At the end, once.
    Digest end();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

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

}  // namespace kinodex::base
