// Decoded frames as upright JPEG pictures. Child side only.
//
// A frame is shown as a viewer should see it: turned, with its sample aspect ratio applied, HDR
// mapped to standard range, and alpha over white.
#pragma once

#include <string>

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// Frames with more pixels are refused: a decompression bomb would take the child's memory.
inline constexpr std::int64_t kPicturePixelsMax = 100'000'000;

/// JPEG bytes of `frame`, turned clockwise by `rotation_degrees` (0, 90, 180, 270; see
/// `rotation_of`) and scaled down to at most `max_width` pixels across after turning.
/// Errors: file_unprocessable for a frame that cannot be converted.
base::Result<std::string> jpeg_of(const AVFrame& frame, int rotation_degrees, int max_width);

/// Same picture as 8-bit RGB rows without padding, for scoring and drawing.
struct RgbPicture {
    int width = 0;
    int height = 0;
    std::string rgb;  // 3 * width * height bytes
};

/// `frame` upright, scaled down to at most `max_width` across. Errors: as `jpeg_of`.
base::Result<RgbPicture> rgb_of(const AVFrame& frame, int rotation_degrees, int max_width);

/// Left and right exchanged.
RgbPicture mirrored(RgbPicture picture);

/// Encodes a picture. Errors: file_unprocessable.
base::Result<std::string> jpeg_of(const RgbPicture& picture);

}  // namespace kinodex::media
