// JSON as people write it: 10 and 29.97, where Boost.JSON writes 1E1 and 2.997E1.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace kinodex::media {

/// Compact text; numbers in the shortest form that reads back the same.
std::string json_text(const boost::json::value& value);

}  // namespace kinodex::media
