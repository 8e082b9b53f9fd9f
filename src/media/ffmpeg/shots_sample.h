// Thumbnails for shot decisions, and a score for key pictures, straight from a decoder's planes.
#pragma once

#include "media/ffmpeg/av.h"
#include "media/plan/shot_picture.h"

namespace kinodex::media {

/// Takes thumbnails of decoded frames; keeps its scratch memory and converter between calls.
class FrameSampler {
  public:
    /// Errors: file_unprocessable for a frame that cannot be read or converted.
    base::Result<plan::SmallPicture> sample(const AVFrame& frame);

  private:
    base::Result<plan::SmallPicture> convert_and_sample(const AVFrame& frame);

    std::vector<std::uint16_t> column_sums_;
    Scaler scaler_;
};

/// How well a frame would stand for its shot: detail counts, black and flat frames do not.
/// No unit; larger is better.
double picture_score(const AVFrame& frame, const plan::SmallPicture& small);

}  // namespace kinodex::media
