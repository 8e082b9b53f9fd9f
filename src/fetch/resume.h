// How a download goes on after its connection broke: pure rules over heads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fetch/exchange.h"

namespace kinodex::fetch {

/// The header lines that ask for what follows the first `received` bytes of the answer with head
/// `first`. Empty when that answer said nothing by which a change would be noticed: then only a new
/// beginning is safe. Source: RFC 9110, sections 13.1.5 and 14.2.
std::vector<std::string> resume_headers(const Head& first, std::uint64_t received);

struct ContentRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::optional<std::uint64_t> size;  // of the whole
};
/// "bytes 0-99/200"; nullopt when it is not that.
std::optional<ContentRange> parse_content_range(std::string_view text);

enum class Resumption {
    goes_on,      // the body is what follows
    begins_anew,  // the body is the whole, from its first byte
    has_to_ask,   // neither: ask again, without a range
    failed,       // an error, as for any answer
};
Resumption judge_resumption(const Head& first, std::uint64_t received, const Head& answer);

}  // namespace kinodex::fetch
