// Which addresses are of the public internet, and what operators may allow besides: the table that
// the guard stands on.
#include "fetch/address.h"

#include <gtest/gtest.h>

#include "fetch/address_rules.h"

namespace kinodex::fetch {
namespace {

struct Case {
    const char* address;
    bool is_public;
    const char* why;
};

TEST(Address, public_or_not) {
    constexpr Case kCases[] = {
        {"8.8.8.8", true, "an ordinary address"},
        {"0.0.0.0", false, "reaches the machine itself"},
        {"0.255.255.255", false, "end of this network"},
        {"1.0.0.0", true, "just above"},
        {"9.255.255.255", true, "just below private"},
        {"10.0.0.0", false, "private"},
        {"10.255.255.255", false, "private, end"},
        {"11.0.0.0", true, "just above"},
        {"100.63.255.255", true, "just below shared"},
        {"100.64.0.0", false, "shared"},
        {"100.100.100.200", false, "shared: a cloud's metadata"},
        {"100.127.255.255", false, "shared, end"},
        {"100.128.0.0", true, "just above"},
        {"126.255.255.255", true, "just below loopback"},
        {"127.0.0.1", false, "loopback"},
        {"127.255.255.254", false, "loopback, far end"},
        {"128.0.0.0", true, "just above"},
        {"169.253.255.255", true, "just below link-local"},
        {"169.254.169.254", false, "link-local: clouds' metadata"},
        {"169.255.0.0", true, "just above"},
        {"172.15.255.255", true, "just below private"},
        {"172.16.0.0", false, "private"},
        {"172.31.255.255", false, "private, end"},
        {"172.32.0.0", true, "just above"},
        {"192.0.0.1", false, "protocol assignments"},
        {"192.0.1.0", true, "between"},
        {"192.0.2.1", false, "documentation"},
        {"192.88.99.1", false, "6to4 relay"},
        {"192.167.255.255", true, "just below private"},
        {"192.168.0.1", false, "private"},
        {"192.169.0.0", true, "just above"},
        {"198.17.255.255", true, "just below benchmarks"},
        {"198.18.0.0", false, "benchmarks"},
        {"198.19.255.255", false, "benchmarks, end"},
        {"198.20.0.0", true, "just above"},
        {"198.51.100.7", false, "documentation"},
        {"203.0.113.7", false, "documentation"},
        {"223.255.255.255", true, "just below multicast"},
        {"224.0.0.1", false, "multicast"},
        {"239.255.255.250", false, "multicast"},
        {"240.0.0.1", false, "reserved"},
        {"255.255.255.255", false, "broadcast"},
        {"2606:4700::1111", true, "an ordinary address"},
        {"::", false, "unspecified"},
        {"::1", false, "loopback"},
        {"::127.0.0.1", false, "IPv4-compatible"},
        {"::8.8.8.8", false, "IPv4-compatible is never routed"},
        {"::ffff:127.0.0.1", false, "mapped loopback"},
        {"::ffff:10.1.2.3", false, "mapped private"},
        {"::ffff:169.254.169.254", false, "mapped link-local"},
        {"::ffff:8.8.8.8", true, "mapped public"},
        {"64:ff9b::7f00:1", false, "NAT64 of loopback"},
        {"64:ff9b::a00:1", false, "NAT64 of private"},
        {"64:ff9b::808:808", true, "NAT64 of public"},
        {"64:ff9b:1::808:808", false, "NAT64 within a site"},
        {"100::1", false, "discard"},
        {"2001::1", false, "Teredo"},
        {"2001:1ff:ffff::", false, "protocol assignments, end"},
        {"2001:200::", true, "just above"},
        {"2001:db8::1", false, "documentation"},
        {"2002:7f00:1::", false, "6to4 of loopback"},
        {"2002:c0a8:101::1", false, "6to4 of private"},
        {"2002:808:808::1", true, "6to4 of public"},
        {"3fff::1", false, "documentation"},
        {"3fff:1000::", true, "just above"},
        {"4000::1", false, "not given out"},
        {"fc00::1", false, "unique-local"},
        {"fdff:ffff::1", false, "unique-local, end"},
        {"fe80::1", false, "link-local"},
        {"fec0::1", false, "site-local"},
        {"ff02::1", false, "multicast"},
    };
    for (const auto& each : kCases) {
        const auto address = parse_address(each.address);
        ASSERT_TRUE(address) << each.address;
        EXPECT_EQ(is_public(*address), each.is_public) << each.address << ": " << each.why;
    }
}

TEST(AddressRules, only_public_ones_without_a_list) {
    const auto rules = AddressRules::parse("").value();
    EXPECT_TRUE(rules.allow("example.org", 443, *parse_address("8.8.8.8")));
    EXPECT_FALSE(rules.allow("localhost", 80, *parse_address("127.0.0.1")));
}

TEST(AddressRules, entries_allow_hosts_ports_and_networks) {
    const auto rules =
        AddressRules::parse("Media.Lan, nas:8080 ,10.1.0.0/16,127.0.0.1:9000,[::1]:81,fd00::/8")
            .value();
    struct Row {
        const char* host;
        std::uint16_t port;
        const char* address;
        bool allowed;
    };
    constexpr Row kRows[] = {
        {"media.lan", 80, "192.168.1.1", true},
        {"MEDIA.LAN", 8443, "192.168.1.1", true},
        {"xmedia.lan", 80, "192.168.1.1", false},
        {"nas", 8080, "192.168.1.2", true},
        {"nas", 80, "192.168.1.2", false},
        {"whatever", 80, "10.1.255.255", true},
        {"whatever", 80, "10.2.0.0", false},
        {"localhost", 9000, "127.0.0.1", true},
        {"localhost", 9001, "127.0.0.1", false},
        {"127.0.0.1", 9000, "127.0.0.2", false},
        {"::1", 81, "::1", true},
        {"::1", 80, "::1", false},
        {"whatever", 1, "fd12::1", true},
        {"whatever", 1, "::ffff:10.1.0.1", false},  // the rule says IPv4
    };
    for (const auto& row : kRows) {
        EXPECT_EQ(rules.allow(row.host, row.port, *parse_address(row.address)), row.allowed)
            << row.host << ":" << row.port << " " << row.address;
    }
}

TEST(AddressRules, entries_that_mean_nothing_are_refused) {
    for (const char* text : {"http://media.lan", "a b", "10.0.0.0/33", "10.0.0/8", "nas:0",
                             "nas:65536", "nas:", "[::1", "[nas]:80", "fd00::/129", "*"}) {
        const auto rules = AddressRules::parse(text);
        ASSERT_FALSE(rules) << text;
        EXPECT_NE(rules.error().value("reason").find(text), std::string_view::npos) << text;
    }
}

}  // namespace
}  // namespace kinodex::fetch
