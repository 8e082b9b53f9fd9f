// The audio of a file as 16 kHz mono WAV, and its measures, in one pass.
//
// The track starts at the file's presentation start: audio that begins later, or has a gap, gets
// silence there, so a time in the WAV is a time in the file.
#pragma once

#include <optional>
#include <vector>

#include "media/ffmpeg/av.h"
#include "media/ffmpeg/loudness.h"

namespace kinodex::media {

inline constexpr int kWavSampleRate = 16'000;
/// Longer gaps between packets are taken for broken timestamps and not filled.
inline constexpr double kGapSecMax = 60;
/// Sound beyond this is left out: six times the longest video that is accepted, and a third of
/// what a WAV header can say.
inline constexpr double kAudioSecMax = 24 * 3600;

/// The 44 bytes before `data_bytes` of 16 kHz mono 16-bit samples. Source: the RIFF WAVE format.
std::vector<std::byte> wav_header(std::uint32_t data_bytes);

class AudioTrack {
  public:
    static base::Result<AudioTrack> open(const AVStream& stream, double file_start_sec,
                                         int audio_fd);

    /// Damaged packets are skipped. Errors: storage_full, internal.
    base::Result<void> push(const AVPacket& packet);
    /// Unset when nothing decodes; then nothing is written either.
    base::Result<std::optional<AudioReport>> finish();

  private:
    /// What decoded samples look like; they may change on the way.
    struct Layout {
        int format = -1;
        int sample_rate = 0;
        int channels = 0;
        std::uint64_t channel_mask = 0;
        bool operator==(const Layout&) const = default;
    };

    AudioTrack(const AVStream& stream, CodecContext context, double file_start_sec, int audio_fd);
    base::Result<void> receive();
    base::Result<void> take(const AVFrame& frame);
    base::Result<void> begin(const Layout& layout);
    base::Result<void> adapt(const Layout& layout);
    base::Result<void> fill_gap(double time_sec);
    base::Result<void> measure_and_write(const float* samples, int frames);
    base::Result<void> write_samples();

    AVRational time_base_;
    double file_start_sec_;
    int fd_;
    CodecContext context_;
    Frame frame_ = new_frame();
    Layout first_;  // the meter's, and what later layouts are brought to
    Layout current_;
    Resampler to_float_;  // decoded to interleaved floats of the first layout
    Resampler to_mono_;   // those to 16 kHz mono
    std::optional<LoudnessMeter> meter_;
    std::vector<float> floats_;
    std::vector<std::int16_t> pending_;  // not yet written
    std::int64_t frames_in_ = 0;         // at the first layout's rate
    std::uint64_t bytes_written_ = 0;    // of samples
};

}  // namespace kinodex::media
