// Loudness and silences of an audio track, measured as it streams by.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "media/media.h"

namespace kinodex::media {

/// One momentary loudness value each; the window EBU R128 gives for "momentary".
inline constexpr double kMomentarySec = 0.4;
/// Quieter than this counts as silence. Room tone of a quiet recording lies near -60 dBFS, soft
/// speech above -45 dBFS.
inline constexpr double kSilenceDbfs = -50;
/// Shorter pauses are breath and word gaps.
inline constexpr double kSilenceSecMin = 0.5;
/// EBU R128's absolute gate: the value reported for anything quieter.
inline constexpr double kLoudnessFloorLufs = -70;

/// Source of the measures: EBU R128, EBU Tech 3342 (range), ITU-R BS.1770 (true peak).
class LoudnessMeter {
  public:
    /// Errors: file_unprocessable for a layout or rate that cannot be measured.
    static base::Result<LoudnessMeter> open(int channels, int sample_rate);
    LoudnessMeter(LoudnessMeter&&) noexcept;
    LoudnessMeter& operator=(LoudnessMeter&&) noexcept;
    ~LoudnessMeter();

    /// Interleaved samples, -1 to 1. Errors: internal when memory runs out.
    base::Result<void> add(std::span<const float> samples);
    /// Everything of AudioReport.
    base::Result<AudioReport> finish();

  private:
    struct State;
    explicit LoudnessMeter(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace kinodex::media
