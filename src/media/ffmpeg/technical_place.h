// Where a recording was made.
#pragma once

#include <optional>
#include <string_view>

namespace kinodex::media {

struct Place {
    double latitude = 0;   // decimal degrees, north positive
    double longitude = 0;  // decimal degrees, east positive
    std::optional<double> altitude_meters;
};

/// "+37.7850-122.4060+010.000/" and the forms with minutes and seconds run together. Source:
/// ISO 6709:2008, annex H, as QuickTime and Android write it.
std::optional<Place> parse_iso6709(std::string_view text);

}  // namespace kinodex::media
