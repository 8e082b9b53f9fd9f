// The audio track on a thread of its own, beside the decoding of pictures.
//
// Packets wait in a bounded queue. Where no thread can be had, they are worked on at once: slower,
// and the same result.
#pragma once

#include <memory>

#include "media/ffmpeg/audio_track.h"

namespace kinodex::media {

/// What may wait: some seconds of sound, of one that is not compressed too.
inline constexpr std::size_t kAudioPacketsMax = 512;
inline constexpr std::size_t kAudioPacketBytesMax = 4 * 1024 * 1024;

class AudioLane {
  public:
    static base::Result<AudioLane> open(const AVStream& stream, double file_start_sec,
                                        int audio_fd);
    AudioLane(AudioLane&&) noexcept;
    ~AudioLane();

    /// Waits while the queue is full. Errors of earlier packets come out here or in `finish`.
    base::Result<void> push(const AVPacket& packet);
    /// AudioTrack's result, once everything has been worked on.
    base::Result<std::optional<AudioReport>> finish();

  private:
    struct State;
    explicit AudioLane(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::media
