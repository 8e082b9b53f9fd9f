// Percent escapes and query strings, decoded with bounds.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/types.h"

namespace kinodex::http {

/// Bounds of a query string. They keep what a handler must look at small.
inline constexpr std::size_t kQueryBytesMax = 16 * 1024;
inline constexpr std::size_t kQueryPairsMax = 256;

/// The pairs of a query string (without '?'), in order, repeats kept. `+` and `%20` are spaces, a
/// name without '=' has an empty value, empty pieces between '&' are skipped. Brackets may be raw
/// or escaped. Errors: parameter_invalid with `parameter` and `reason` (malformed escape, text that
/// is not UTF-8, a bound above passed). Source: WHATWG URL, application/x-www-form-urlencoded.
base::Result<QueryPairs> parse_query(std::string_view raw);

enum class PlusSign { literal, space };

/// The text with its percent escapes resolved; nullopt when an escape is malformed.
std::optional<std::string> percent_decode(std::string_view raw, PlusSign plus = PlusSign::literal);

}  // namespace kinodex::http
