// EXIF blocks: orientation and place. Uses libexif, which knows the vendors' ways.
#pragma once

#include <optional>
#include <string_view>

#include "media/ffmpeg/technical_place.h"

namespace kinodex::media {

struct Exif {
    std::optional<int> orientation;  // 1 to 8. Source: EXIF 2.32, tag 0x0112
    std::optional<Place> place;
};

/// Reads a TIFF structure ("II*" or "MM" on), as found in JPEG APP1, PNG eXIf, WebP EXIF and TIFF
/// files. Nonsense gives an empty result.
Exif read_exif(std::string_view tiff);

}  // namespace kinodex::media
