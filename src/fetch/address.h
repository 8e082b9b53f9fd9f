// Network addresses, and which of them belong to the public internet.
//
// What a client makes the server fetch must not reach into the network that the server stands in.
// Names say nothing about that: only the address that a connection is about to be made to does.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

struct sockaddr;

namespace kinodex::fetch {

struct Address {
    std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 uses the first four
    std::size_t size = 4;                  // 4 or 16

    [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
    bool operator==(const Address&) const = default;
};

/// nullopt for families other than IPv4 and IPv6.
std::optional<Address> address_of(const sockaddr& socket_address);
/// "192.0.2.1" or "2001:db8::1", without port, brackets or zone.
std::optional<Address> parse_address(std::string_view text);

/// A range such as 10.0.0.0/8.
struct Network {
    Address base;
    unsigned prefix_bits = 32;

    [[nodiscard]] bool contains(const Address& address) const;
};

/// Is this an address of the public internet? Private, loopback, link-local, shared, documentation,
/// multicast and reserved ones are not; an address that carries an IPv4 address inside (mapped,
/// NAT64, 6to4) is what the one inside is. Source: the special-purpose registries of RFC 6890.
bool is_public(const Address& address);

}  // namespace kinodex::fetch
