// From samples as a container tells of them to a track as a plan serves it. Pure arithmetic.
#pragma once

#include "media/ffmpeg/sample_index.h"
#include "media/plan/writer.h"

namespace kinodex::media {

/// A served track, short of its description and init segment.
struct Timeline {
    plan::TrackPlan plan;       // samples, times and `info.timescale`
    std::uint32_t skipped = 0;  // ticks that the init segment's edit list must skip
};

/// The presentation start of a whole file: the earliest of its tracks, in seconds as a fraction.
struct Moment {
    std::int64_t ticks = 0;
    std::uint32_t timescale = 1;
};
Moment presentation_start(const std::vector<TrackIndex>& tracks);

/// Cuts what cannot be decoded or heard, and gives each sample its decode time.
///
/// Video. Decode times are the presentation times in ascending order: monotonic whatever the
/// container said, a key frame is decoded at the very time it is shown, and a segment lasts exactly
/// as long as its pictures. hls.js takes a segment's decode time for its place on the playlist, so
/// the two must agree. Pictures shown before they are decoded on that clock need negative offsets;
/// FFmpeg-based players misread those by a frame or two, so all offsets are raised and an edit list
/// in the init segment lowers them again, as FFmpeg's own packager does. Pictures before an edit's
/// start must be decoded but not seen: they get one tick each.
///
/// Audio. Priming cannot be dropped without harm, because a decoder needs the frame before to make
/// the first one right. The last tenth of a second of it is kept and an edit list in the init
/// segment puts it before zero, which Chromium, Firefox and Safari honour to the sample.
///
/// None when the times need repair or there is no key frame: a rendition is the way then.
std::optional<Timeline> make_video_timeline(const TrackIndex& track, Moment start);
std::optional<Timeline> make_audio_timeline(const TrackIndex& track, Moment start);

}  // namespace kinodex::media
