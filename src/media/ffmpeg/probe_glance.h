// The beginning of a picture: enough for its decoder to say everything about it but how it looks.
//
// Decoding a whole key frame is most of what probing a clip costs, and of the picture only its
// size, colours and side data are wanted.
#pragma once

#include "media/ffmpeg/input.h"

namespace kinodex::media {

/// Of a picture's first slice, as much is kept: its header, and a little to show that it decodes.
inline constexpr int kGlanceSliceBytes = 1024;

/// `packet` of `stream` cut within its first slice; null for codecs and packets that are not cut.
/// H.264 in NAL units with their lengths in front, as MP4 and Matroska hold it.
Packet beginning_of(const AVPacket& packet, const AVStream& stream);

/// The first frame of `stream`, decoded from its beginning alone: its pixels mean nothing. Null
/// when it cannot be had that way; the input and the decoder then want to go back to the start.
Frame glance_at_first_frame(Input& input, const AVStream& stream, AVCodecContext& decoder);

}  // namespace kinodex::media
