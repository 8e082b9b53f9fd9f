// Opening a converter between two forms of sound. Child side.
#pragma once

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// Channel layouts are lent for the call.
struct SoundForm {
    AVChannelLayout layout{};
    int format = -1;  // AVSampleFormat; frames have it as a number
    int rate = 0;
};

/// Errors: file_unprocessable when there is no way from one to the other.
base::Result<Resampler> open_resampler(const SoundForm& from, const SoundForm& to);

}  // namespace kinodex::media
