#include "fetch/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace kinodex::fetch {
namespace {

/// The IPv4 address within the bytes of an IPv6 one.
Address inner(const Address& address, std::size_t at) {
    Address found;
    std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(at), 4, found.bytes.begin());
    return found;
}

struct Row {
    const char* base;
    unsigned prefix_bits;
};

bool is_in(const Address& address, std::span<const Row> rows) {
    return std::ranges::any_of(rows, [&](const Row& row) {
        return Network{*parse_address(row.base), row.prefix_bits}.contains(address);
    });
}

bool is_public_v4(const Address& address) {
    static constexpr Row kSpecial[] = {
        {"0.0.0.0", 8},        // this network; 0.0.0.0 reaches the machine itself
        {"10.0.0.0", 8},       // private
        {"100.64.0.0", 10},    // shared by carriers' NAT, also cloud metadata of some
        {"127.0.0.0", 8},      // loopback
        {"169.254.0.0", 16},   // link-local, also cloud metadata
        {"172.16.0.0", 12},    // private
        {"192.0.0.0", 24},     // protocol assignments
        {"192.0.2.0", 24},     // documentation
        {"192.88.99.0", 24},   // 6to4 relays, given up
        {"192.168.0.0", 16},   // private
        {"198.18.0.0", 15},    // benchmarks
        {"198.51.100.0", 24},  // documentation
        {"203.0.113.0", 24},   // documentation
        {"224.0.0.0", 4},      // multicast
        {"240.0.0.0", 4},      // reserved, and broadcast
    };
    return !is_in(address, kSpecial);
}

bool is_public_v6(const Address& address) {
    static constexpr Row kGlobal[] = {{"2000::", 3}};
    static constexpr Row kSpecial[] = {
        {"2001::", 23},      // protocol assignments, Teredo among them
        {"2001:db8::", 32},  // documentation
        {"3fff::", 20},      // documentation
    };
    static constexpr Row kMapped[] = {{"::ffff:0:0", 96}};
    static constexpr Row kNat64[] = {{"64:ff9b::", 96}};
    static constexpr Row k6to4[] = {{"2002::", 16}};
    constexpr std::size_t kLastFour = 12;
    if (is_in(address, kMapped) || is_in(address, kNat64)) {
        return is_public_v4(inner(address, kLastFour));
    }
    if (is_in(address, k6to4)) {
        return is_public_v4(inner(address, 2));
    }
    // Everything outside is loopback, unique-local, link-local, site-local, multicast, IPv4
    // "compatible", a NAT64 prefix of somebody's own, or not given out.
    return is_in(address, kGlobal) && !is_in(address, kSpecial);
}

}  // namespace

std::optional<Address> address_of(const sockaddr& socket_address) {
    Address address;
    if (socket_address.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &socket_address, sizeof v4);
        std::memcpy(address.bytes.data(), &v4.sin_addr, 4);
        return address;
    }
    if (socket_address.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &socket_address, sizeof v6);
        address.size = 16;
        std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
        return address;
    }
    return std::nullopt;
}

std::optional<Address> parse_address(std::string_view text) {
    const std::string whole(text);
    Address address;
    if (::inet_pton(AF_INET, whole.c_str(), address.bytes.data()) == 1) {
        return address;
    }
    address.size = 16;
    if (::inet_pton(AF_INET6, whole.c_str(), address.bytes.data()) == 1) {
        return address;
    }
    return std::nullopt;
}

bool Network::contains(const Address& address) const {
    if (address.size != base.size) {
        return false;
    }
    unsigned left = prefix_bits;
    for (std::size_t i = 0; i < address.size && left > 0; ++i) {
        const unsigned bits = std::min(left, 8U);
        const unsigned differ = static_cast<unsigned>(address.bytes[i] ^ base.bytes[i]);
        if (differ >> (8 - bits) != 0) {
            return false;
        }
        left -= bits;
    }
    return true;
}

bool is_public(const Address& address) {
    return address.size == 4 ? is_public_v4(address) : is_public_v6(address);
}

}  // namespace kinodex::fetch
