// Containers whose headers say all: there FFmpeg's search for stream parameters, which decodes
// pictures on the way, is time for nothing. It is the larger part of a probe.
#pragma once

#include "media/ffmpeg/input.h"

namespace kinodex::media {

/// True for MP4, QuickTime and Matroska files with one video at a constant rate, and audio whose
/// headers cannot mislead. Then `Input::find_streams` need not be called before decoding.
bool headers_suffice(const Input& input);

/// Takes over what only a decoder knows, such as pixel format and profile, after it gave a frame.
void complete_parameters(AVStream& stream, const AVCodecContext& decoder);

}  // namespace kinodex::media
