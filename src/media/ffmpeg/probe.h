// Finding out what a file is. `probe_file` of media/child.h starts here.
#pragma once

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/technical.h"
#include "media/media.h"

namespace kinodex::media {

/// Packets and bytes that may be read to find one decodable frame.
inline constexpr int kFirstFramePacketsMax = 4000;
inline constexpr std::int64_t kFirstFrameBytesMax = 64LL * 1024 * 1024;

/// Reads on until `stream` gives a frame. Errors: file_unprocessable when the bounds above or the
/// end are reached, or there is no decoder (detail says which).
base::Result<Frame> first_frame(Input& input, const AVStream& stream);
/// The same, and completes the stream's parameters from the decoder that gave the frame, of which
/// only its beginning may be decoded: what it says counts, not its pixels.
base::Result<Frame> first_frame_completing(Input& input, AVStream& stream);

/// Goes back to the first packet.
void rewind(Input& input);

/// Duration and frame rate, exact where the container tells; else from reading packets, bounded.
Measured measure(Input& input, const AVStream* video);

}  // namespace kinodex::media
