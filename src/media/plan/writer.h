// Writing a playback plan: the child hands over tracks and samples, this makes the file.
#pragma once

#include "media/plan/plan.h"

namespace kinodex::media::plan {

/// Seconds a segment aims for; it ends at the first key frame at or after that.
inline constexpr double kSegmentTargetSec = 6.0;

/// A track to be written: of `info`, the fields that describe it are taken; segments, bitrates,
/// counts and duration are computed here.
struct TrackPlan {
    Track info;
    std::uint64_t decode_start = 0;   // decode time of the first sample, ticks
    std::int64_t playlist_shift = 0;  // playlist time minus decode time, ticks; usually 0
    std::vector<Sample> samples;
};

/// Cuts segments, then gives the plan's bytes piece by piece to `write`. The first video track
/// leads: it is cut at key frames, and audio is cut where the video is. Without video, audio is cut
/// every `kSegmentTargetSec`. Errors: file_unprocessable when a bound of plan.h is exceeded (e.g.
/// key frames so rare that a segment would be too large), those of `write`.
base::Result<void> write_plan_file(
    std::vector<TrackPlan> tracks, std::uint64_t source_bytes,
    const std::function<base::Result<void>(std::span<const std::byte>)>& write);

}  // namespace kinodex::media::plan
