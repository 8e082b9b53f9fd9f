// Names that users give: one line of text within bounds.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace kinodex::service {

/// 1 to `chars_max` characters of valid UTF-8 without control characters. Errors:
/// parameter_invalid for `parameter`.
base::Status check_line(std::string_view parameter, std::string_view text, std::size_t chars_max);
/// Up to `chars_max` characters of valid UTF-8, line breaks among them. Errors: the same.
base::Status check_text(std::string_view parameter, std::string_view text, std::size_t chars_max);

}  // namespace kinodex::service
