// A picture of sound, for audio without cover art. Child side only.
#pragma once

#include <vector>

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/picture.h"

namespace kinodex::media {

inline constexpr int kWaveformBars = 128;

/// The peak of each of kWaveformBars equal parts, 0 to 1. A long file is sampled, not read whole.
/// Errors: audio_file_broken when nothing can be decoded.
base::Result<std::vector<float>> peaks_of(Input& input, AVStream& audio);

/// Rounded bars, mirrored at the middle, on a dark ground. Pure.
RgbPicture draw_waveform(const std::vector<float>& peaks, int width, int height);

}  // namespace kinodex::media
