// Points in time with millisecond precision, and their RFC 3339 text.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace kinodex::base {

using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;

Timestamp now();
/// "2022-06-02T10:30:00Z": the precision that assets use on the wire.
std::string rfc3339_seconds(Timestamp time);
/// "2022-06-09T04:50:00.879Z": the precision of indexes and indexed assets.
std::string rfc3339_millis(Timestamp time);
/// Any RFC 3339 date-time; fractions beyond milliseconds are cut. Source: RFC 3339, section 5.6.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace kinodex::base
