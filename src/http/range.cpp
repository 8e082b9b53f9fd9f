#include "http/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kinodex::http {

namespace {

constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Digits only; numbers past 64 bits become the largest one, which is past every size anyway.
std::optional<std::uint64_t> read_number(std::string_view text) {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (kMax - digit) / 10) {
            return kMax;
        }
        value = value * 10 + digit;
    }
    return value;
}

bool is_bytes_unit(std::string_view unit) {
    return unit.size() == 5 && std::ranges::equal(unit, std::string_view("bytes"),
                                                  [](char a, char b) { return (a | 0x20) == b; });
}

std::string_view without_weak_mark(std::string_view etag) {
    return etag.starts_with("W/") ? etag.substr(2) : etag;
}

}  // namespace

base::Result<std::optional<ByteRange>> evaluate_range(std::string_view header, std::uint64_t size) {
    const auto equals = header.find('=');
    if (equals == std::string_view::npos || !is_bytes_unit(trimmed(header.substr(0, equals)))) {
        return std::nullopt;
    }
    const auto spec = trimmed(header.substr(equals + 1));
    const auto dash = spec.find('-');
    if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) {
        return std::nullopt;
    }
    const auto first_text = trimmed(spec.substr(0, dash));
    const auto last_text = trimmed(spec.substr(dash + 1));
    const auto first = read_number(first_text);
    const auto last = read_number(last_text);
    const bool malformed = (!first && !first_text.empty()) || (!last && !last_text.empty()) ||
                           (!first && !last) || (first && last && *last < *first);
    if (malformed) {
        return std::nullopt;
    }
    if (!first) {
        const auto length = std::min(*last, size);
        if (length == 0) {
            return base::fail(base::Errc::range_not_satisfiable);
        }
        return ByteRange{size - length, length};
    }
    if (*first >= size) {
        return base::fail(base::Errc::range_not_satisfiable);
    }
    const auto end = last ? std::min(*last, size - 1) : size - 1;
    return ByteRange{*first, end - *first + 1};
}

base::Result<std::optional<ByteRange>> evaluate_range(std::string_view header, std::uint64_t size,
                                                      std::string_view if_range,
                                                      std::string_view etag) {
    const auto wanted = trimmed(if_range);
    if (!wanted.empty() && (wanted != etag || wanted.starts_with("W/"))) {
        return std::nullopt;
    }
    return evaluate_range(header, size);
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
    return fmt::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size);
}

std::string content_range_unsatisfied(std::uint64_t size) {
    return fmt::format("bytes */{}", size);
}

bool etag_listed(std::string_view if_none_match, std::string_view etag) {
    auto rest = trimmed(if_none_match);
    if (rest == "*") {
        return true;
    }
    while (!rest.empty()) {
        // A tag may hold commas between its quotes, so the closing quote ends it.
        const auto open = rest.find('"');
        const auto close = open == std::string_view::npos ? open : rest.find('"', open + 1);
        if (close == std::string_view::npos) {
            return false;
        }
        const auto tag = rest.substr(open, close - open + 1);
        if (tag == without_weak_mark(etag)) {
            return true;
        }
        rest.remove_prefix(close + 1);
    }
    return false;
}

}  // namespace kinodex::http
