// How well a picture stands for its video. Pure.
#pragma once

#include "media/ffmpeg/picture.h"

namespace kinodex::media {

struct PictureScore {
    double brightness = 0;  // mean luma, 0 to 255
    double contrast = 0;    // standard deviation of luma
    double sharpness = 0;   // mean absolute difference of neighbours
    double total = 0;       // 0 (black, white, blank) to 1
};

/// A picture this good ends the search.
inline constexpr double kGoodScore = 0.6;

PictureScore score_of(const RgbPicture& picture);

}  // namespace kinodex::media
