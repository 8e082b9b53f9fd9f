// Byte ranges and entity tags of media answers, as pure functions over header values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kinodex::http {

struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    auto operator<=>(const ByteRange&) const = default;
};

/// What a Range header asks of `size` bytes; nullopt means all of them (status 200): the header is
/// empty, malformed, of another unit, or names several ranges. The result lies within the size.
/// Errors: range_not_satisfiable. Source: RFC 9110, section 14.
base::Result<std::optional<ByteRange>> evaluate_range(std::string_view header, std::uint64_t size);

/// The same after If-Range: unless it names exactly this strong `etag` (quotes included), the whole
/// is wanted. Dates never match, since answers carry no Last-Modified. Source: RFC 9110, 13.1.5.
base::Result<std::optional<ByteRange>> evaluate_range(std::string_view header, std::uint64_t size,
                                                      std::string_view if_range,
                                                      std::string_view etag);

/// "bytes 0-99/1000".
std::string content_range(const ByteRange& range, std::uint64_t size);
/// "bytes */1000", for answers with range_not_satisfiable.
std::string content_range_unsatisfied(std::uint64_t size);

/// True when an If-None-Match list holds `etag` (weak comparison) or is "*": answer 304.
bool etag_listed(std::string_view if_none_match, std::string_view etag);

}  // namespace kinodex::http
