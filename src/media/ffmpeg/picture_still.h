// Still images: what their headers say, and their first picture. Child side only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "media/ffmpeg/av.h"
#include "media/ffmpeg/probe_sniff.h"
#include "media/ffmpeg/technical_exif.h"

namespace kinodex::media {

/// Larger image files are refused: they are read whole.
inline constexpr std::int64_t kStillBytesMax = 512LL * 1024 * 1024;

/// What a file's own structure says, where the decoder's answer would not do.
struct StillHeader {
    bool is_whole = true;  // false: cut off
    bool is_animated = false;
    std::optional<bool> has_alpha;
    std::optional<int> bit_depth;
    std::string color_space;
    std::string exif;       // TIFF structure
    std::string one_frame;  // an animated WebP's first frame as a file of its own, else empty
};

/// Walks chunks and segments. Pure. `mime` as `sniff` gives it.
StillHeader read_still_header(std::string_view bytes, std::string_view mime);

struct Still {
    Frame frame;          // as stored: not turned
    int orientation = 1;  // EXIF
    Exif exif;
    bool is_animated = false;
    bool has_alpha = false;
    int bit_depth = 8;
    std::string color_space;  // RGB, YCbCr, Gray or CMYK
};

/// Decodes the first picture of an image file. The pixel count is bounded before anything is
/// allocated. Errors: image_broken; asset_type_unsupported for a format without a decoder.
base::Result<Still> read_still(int fd, const Sniffed& sniffed);

/// Clockwise degrees and a mirroring after them that bring an EXIF orientation upright.
struct Turn {
    int degrees = 0;
    bool is_mirrored = false;
};
Turn turn_of(int orientation);

}  // namespace kinodex::media
