#include "fetch/address_rules.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace kinodex::fetch {
namespace {

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<unsigned> number(std::string_view text, unsigned most) {
    unsigned value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    return error == std::errc() && stop == end && value <= most ? std::optional(value)
                                                                : std::nullopt;
}

std::unexpected<base::Error> bad_entry(std::string_view entry) {
    return base::fail(
        base::Errc::parameter_invalid,
        {{"parameter", "allowed hosts"},
         {"reason", "'" + std::string(entry) +
                        "' is not a host, host:port, address or network such as 10.0.0.0/8."}});
}

bool is_host_name(std::string_view text) {
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
                                std::string_view::npos;
}

}  // namespace

base::Result<AddressRules::Entry> AddressRules::parse_entry(std::string_view text) {
    Entry entry;
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto address = parse_address(text.substr(0, slash));
        const unsigned most = address ? static_cast<unsigned>(address->size) * 8 : 0;
        const auto bits = number(text.substr(slash + 1), most);
        if (!address || !bits) {
            return bad_entry(text);
        }
        entry.network = {*address, *bits};
        return entry;
    }
    auto host = text;
    const auto colon = text.rfind(':');
    const bool bracketed = text.starts_with('[');
    // More than one colon without brackets is an IPv6 address, which then has no port.
    if (colon != std::string_view::npos &&
        (bracketed ? text[colon - 1] == ']' : text.find(':') == colon)) {
        const auto port = number(text.substr(colon + 1), 65535);
        if (!port || *port == 0) {
            return bad_entry(text);
        }
        entry.port = static_cast<std::uint16_t>(*port);
        host = text.substr(0, colon);
    }
    if (bracketed) {
        if (!host.ends_with(']')) {
            return bad_entry(text);
        }
        host = host.substr(1, host.size() - 2);
    }
    if (const auto address = parse_address(host)) {
        entry.network = {*address, static_cast<unsigned>(address->size) * 8};
        return entry;
    }
    entry.host = lower_case(host);
    if (bracketed || !is_host_name(entry.host)) {
        return bad_entry(text);
    }
    return entry;
}

base::Result<AddressRules> AddressRules::parse(std::string_view allowed) {
    AddressRules rules;
    while (!allowed.empty()) {
        const auto comma = std::min(allowed.find(','), allowed.size());
        const auto text = trimmed(allowed.substr(0, comma));
        allowed.remove_prefix(std::min(comma + 1, allowed.size()));
        if (!text.empty()) {
            KN_TRY(entry, parse_entry(text));
            rules.entries_.push_back(std::move(entry));
        }
    }
    return rules;
}

bool AddressRules::allow(std::string_view host, std::uint16_t port, const Address& address) const {
    if (is_public(address)) {
        return true;
    }
    const auto name = lower_case(host);
    return std::ranges::any_of(entries_, [&](const Entry& entry) {
        const bool matches =
            entry.host.empty() ? entry.network.contains(address) : entry.host == name;
        return matches && (entry.port == 0 || entry.port == port);
    });
}

}  // namespace kinodex::fetch
