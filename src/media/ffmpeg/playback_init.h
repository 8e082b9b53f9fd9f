// The init segment of a track and the name of its codec. Child side.
#pragma once

#include "media/ffmpeg/input.h"
#include "media/plan/bytes.h"

namespace kinodex::media {

struct InitSegment {
    plan::Bytes bytes;   // ftyp and moov with one track
    std::string codecs;  // RFC 6381
};

/// `first_packets`: the bytes of the first samples, which some codecs are described by (AC-3).
/// `timescale`: of the track's samples; `skipped`: ticks that an edit list skips, 0 for none, 0 for
/// none. libavformat's muxer makes it, so every codec's own box is as the muxer's authors meant it;
/// only the time scale and the edit list are put in here, because the muxer chooses its own.
/// Errors: file_unprocessable when the muxer cannot describe the codec.
base::Result<InitSegment> make_init_segment(const AVStream& stream,
                                            const std::vector<plan::Bytes>& first_packets,
                                            std::uint32_t timescale, std::uint32_t skipped);

/// A copy of what describes a stream: parameters, aspect ratio, rotation, colour volumes.
/// Errors: internal when out of memory.
base::Result<AVStream*> add_stream_like(AVFormatContext& output, const AVStream& stream);

}  // namespace kinodex::media
