#include "media/ffmpeg/technical_place.h"

#include <charconv>
#include <cmath>

namespace kinodex::media {
namespace {

struct Signed {
    double value = 0;
    int whole_digits = 0;
};

/// Takes one signed decimal from the front of `text`.
std::optional<Signed> take(std::string_view& text) {
    if (text.empty() || (text[0] != '+' && text[0] != '-')) {
        return std::nullopt;
    }
    std::size_t end = 1;
    int whole_digits = 0;
    bool has_point = false;
    for (; end < text.size(); ++end) {
        const char c = text[end];
        if (c == '.' && !has_point) {
            has_point = true;
        } else if (c < '0' || c > '9') {
            break;
        } else if (!has_point) {
            ++whole_digits;
        }
    }
    double value = 0;
    const auto parsed = std::from_chars(text.data() + 1, text.data() + end, value);
    if (parsed.ec != std::errc() || whole_digits == 0 || end > 24) {
        return std::nullopt;
    }
    const bool negative = text[0] == '-';
    text.remove_prefix(end);
    return Signed{negative ? -value : value, whole_digits};
}

/// DD, DDMM or DDMMSS before the point, told apart by their length.
std::optional<double> degrees_of(const Signed& number, int degree_digits) {
    const double size = std::abs(number.value);
    double degrees = size;
    if (number.whole_digits == degree_digits + 2) {
        degrees = std::floor(size / 100) + std::fmod(size, 100.0) / 60;
    } else if (number.whole_digits == degree_digits + 4) {
        degrees = std::floor(size / 10000) + std::floor(std::fmod(size, 10000.0) / 100) / 60 +
                  std::fmod(size, 100.0) / 3600;
    } else if (number.whole_digits > degree_digits) {
        return std::nullopt;
    }
    return number.value < 0 ? -degrees : degrees;
}

}  // namespace

std::optional<Place> parse_iso6709(std::string_view text) {
    const auto latitude = take(text);
    const auto longitude = take(text);
    if (!latitude || !longitude) {
        return std::nullopt;
    }
    const auto north = degrees_of(*latitude, 2);
    const auto east = degrees_of(*longitude, 3);
    if (!north || !east || std::abs(*north) > 90 || std::abs(*east) > 180) {
        return std::nullopt;
    }
    Place place{*north, *east, std::nullopt};
    if (const auto altitude = take(text)) {
        place.altitude_meters = altitude->value;
    }
    return place;
}

}  // namespace kinodex::media
