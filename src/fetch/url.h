// URLs of what is to be fetched, read by the parser of the library that fetches, so that the two
// never disagree about which host a text means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kinodex::fetch {

inline constexpr std::size_t kUrlBytesMax = 8 * 1024;

struct Url {
    std::string text;  // whole and normal: what is not allowed in a URL is percent-encoded
    std::string host;  // without brackets
    std::uint16_t port = 0;
};

/// An absolute http or https URL without credentials, of at most kUrlBytesMax.
/// Errors: parameter_invalid for `url`, with a reason.
base::Result<Url> parse_url(std::string_view text);
/// Where a redirect from `from` to `location`, which may be relative, leads. Errors as above.
base::Result<Url> redirected(const Url& from, std::string_view location);
/// The last segment of the path, decoded; empty when the path ends in a slash.
std::string last_segment(const Url& url);

}  // namespace kinodex::fetch
