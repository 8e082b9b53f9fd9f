// One key picture for each shot, chosen among the frames that were decoded anyway.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "media/ffmpeg/av.h"
#include "media/media.h"

namespace kinodex::media {

/// Pictures are at most this many pixels across: enough for a tile in a list of shots.
inline constexpr int kShotPictureWidth = 640;

/// Writes all of `bytes` at `offset`. Errors: storage_full, internal.
base::Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset);

class ShotPictures {
  public:
    ShotPictures(int fd, int rotation_degrees) : fd_(fd), rotation_degrees_(rotation_degrees) {}

    /// Remembers a frame shown at `time_sec`. Large frames are kept smaller; a bounded number is
    /// kept between calls of `take`.
    void offer(double time_sec, const AVFrame& frame, double score, bool is_key);

    /// Writes the best picture of [shot.start_sec, shot.end_sec), fills in the shot's picture
    /// fields and forgets everything before the shot's end.
    base::Result<void> take(Shot& shot);

    /// Keeps only the best of the frames before `until_sec`, which all belong to the shot that
    /// began at `start_sec` and still runs.
    void thin_out(double start_sec, double until_sec);

  private:
    struct Candidate {
        double time_sec = 0;
        double score = 0;
        Frame frame;
    };
    int fd_;
    int rotation_degrees_;
    std::uint64_t written_ = 0;
    std::deque<Candidate> candidates_;  // by time
};

}  // namespace kinodex::media
