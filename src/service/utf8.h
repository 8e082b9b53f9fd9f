// Counting characters of UTF-8 text, which also tells whether it is valid.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace kinodex::service {

/// The number of code points, or nullopt when `text` is not valid UTF-8 (overlong forms,
/// surrogates and values beyond U+10FFFF included). Source: RFC 3629.
std::optional<std::size_t> utf8_length(std::string_view text);

}  // namespace kinodex::service
