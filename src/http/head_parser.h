// The head of a request: bytes in, the fields that matter out. Beast does the parsing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/types.h"

namespace kinodex::http {

/// What the connection needs to know beside the Request.
struct RequestHead {
    std::string target;     // as sent
    std::string raw_query;  // after '?', without it
    bool keep_alive = false;
    bool is_http_1_0 = false;
    bool expects_continue = false;
    bool chunked = false;
    std::uint64_t content_length = 0;
    [[nodiscard]] bool has_body() const { return chunked || content_length > 0; }
};

struct HeadLimits {
    std::size_t header_bytes = 16 * 1024;
    std::size_t target_bytes = 8 * 1024;
};

/// Reads one head from the front of `bytes`, which end with the head's empty line; gives its size.
/// Fills every field of `request` that comes from the head. An incoming X-Request-Id is taken when
/// it is sane. Errors: request_malformed, uri_too_long, header_too_large.
base::Result<std::size_t> parse_head(std::string_view bytes, const HeadLimits& limits,
                                     Request& request, RequestHead& head);

}  // namespace kinodex::http
