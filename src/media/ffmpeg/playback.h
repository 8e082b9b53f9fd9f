// How a file can be played over HLS, and the playback plan that lets the server do it. Child side.
//
// Order of calls: `Input::open`, `find_streams`, whatever the probe wants, `classify_playback`, and
// when that says `packaged`, `write_plan` last, because it may read the input to its end.
#pragma once

#include "media/ffmpeg/input.h"
#include "media/media.h"

namespace kinodex::media {

/// Judges by container and codecs alone, without reading: what would be needed to play `input`.
/// `packaged` is a promise that `write_plan` can still take back.
Playback classify_playback(const Input& input);

/// Writes the plan (media/plan/plan.h) of `input`, whose bytes are in `source_fd`, to `plan_fd`
/// from its position 0. The result is `packaged` when a plan was written; otherwise nothing useful
/// is in `plan_fd` and the result says what to do instead: `remux` (packets are not in one piece,
/// times need repair), `transcode`, or `none`. Errors: file_unprocessable; storage_full and
/// internal when the plan cannot be written.
base::Result<Playback> write_plan(Input& input, int source_fd, int plan_fd);

}  // namespace kinodex::media
