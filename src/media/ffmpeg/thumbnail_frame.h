// The frame that stands for a video. Child side only.
#pragma once

#include "media/ffmpeg/input.h"

namespace kinodex::media {

/// Looks at a few key frames across `video` and gives the best one, an early good one sooner.
/// Errors: video_file_broken when nothing can be decoded.
base::Result<Frame> representative_frame(Input& input, AVStream& video);

}  // namespace kinodex::media
