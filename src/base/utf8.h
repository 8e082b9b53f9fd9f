// UTF-8: is it, how long is it, and text made valid. Overlong forms, surrogates and values beyond
// U+10FFFF are not UTF-8. Source: RFC 3629, section 4.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kinodex::base {

/// Bytes of the well-formed sequence at the start of `text`; 0 when there is none.
std::size_t utf8_sequence(std::string_view text);
bool is_utf8(std::string_view text);
/// The number of code points, or nullopt when `text` is not valid UTF-8.
std::optional<std::size_t> utf8_length(std::string_view text);
/// The text with each malformed byte replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);

}  // namespace kinodex::base
