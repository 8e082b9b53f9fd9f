// The head of an answer, formatted by hand into one string: no map, no serializer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/types.h"

namespace kinodex::http {

enum class ConnectionHeader { none, close, keep_alive };

struct HeadParts {
    std::string_view request_id;
    std::string_view date;         // an HTTP date
    std::string_view fixed_lines;  // ready header lines, each with its line end
    std::uint64_t content_length = 0;
    ConnectionHeader connection = ConnectionHeader::none;
};

/// Status line, headers and the empty line. 204 and 304 have no Content-Length. Control bytes in
/// header values become blanks, so that no value can start a header of its own.
std::string response_head(const Response& response, const HeadParts& parts);

/// Header lines for `fixed_lines`.
std::string header_lines(const std::vector<std::pair<std::string, std::string>>& headers);

/// "Sun, 06 Nov 1994 08:49:37 GMT". Source: RFC 9110, section 5.6.7.
std::string http_date(std::int64_t seconds_since_1970);

/// True for a status whose answer never has a body: 1xx, 204, 304.
bool is_bodiless(unsigned status);

/// Bytes of a response's body, whatever its kind.
std::uint64_t body_length(const Response& response);

std::string_view reason_phrase(unsigned status);

}  // namespace kinodex::http
