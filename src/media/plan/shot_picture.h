// Thumbnails of frames, a few kilobytes each, and how far apart two of them are.
//
// Shot decisions look at these only, never at pixels: small enough that film grain and compression
// noise average out, fine enough that camera motion between neighbours can be followed.
#pragma once

#include <array>
#include <cstdint>

namespace kinodex::media::plan {

/// Mean luma and chroma over a grid of equal cells, whatever the frame's aspect ratio.
struct SmallPicture {
    static constexpr int kColumns = 48;
    static constexpr int kRows = 27;
    static constexpr int kCells = kColumns * kRows;
    using Plane = std::array<std::uint8_t, kCells>;

    Plane luma{};
    Plane blue{};
    Plane red{};
};

/// Mean absolute difference a cell after following motion: each block of `b` is compared with its
/// best match in `a` within a few cells, so pans, zooms and shake stay low and cuts do not.
/// Unit: 8-bit steps, luma plus half of each chroma difference.
double difference(const SmallPicture& a, const SmallPicture& b);

/// The same without following motion; cheap.
double still_difference(const SmallPicture& a, const SmallPicture& b);

/// The same after moving the whole picture: the best of large shifts, over what both show. Tells a
/// camera that went on from a new scene, where single blocks no longer can. What is not below
/// `most` is not looked at closely: the answer is `most` or above then.
double panned_difference(const SmallPicture& a, const SmallPicture& b, double most = 255);

/// How differently the pictures' cells are spread over brightness and colour, 0 to 1. Motion hardly
/// changes it; a new scene mostly does.
double palette_difference(const SmallPicture& a, const SmallPicture& b);

struct LumaStatistics {
    double mean = 0;
    double deviation = 0;
};
LumaStatistics luma_statistics(const SmallPicture& picture);

/// Correlation of the lumas, -1 to 1; 0 when either picture is flat.
double correlation(const SmallPicture& a, const SmallPicture& b);

/// How well `between` is a mix of `from` and `to`.
struct Mix {
    double share = 0;     // 0 is all `from`, 1 is all `to`
    double residual = 0;  // what the mix does not explain, as a part of the distance from-to
};
Mix mix_of(const SmallPicture& from, const SmallPicture& to, const SmallPicture& between);

}  // namespace kinodex::media::plan
