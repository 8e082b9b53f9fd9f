// The highest level between samples, by four-fold interpolation.
//
// Most of a track cannot hold its peak: a stretch whose samples are all below the highest level so
// far divided by the filter's gain is passed over, which leaves the result exact and costs little.
// Source: ITU-R BS.1770-4, annex 2.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace kinodex::media {

class TruePeak {
  public:
    explicit TruePeak(std::size_t channels);

    /// Interleaved samples.
    void add(std::span<const float> samples);
    /// Linear, 1 is full scale; 0 before any sample.
    [[nodiscard]] double peak() const { return peak_; }

  private:
    /// Taps of each phase of the interpolation filter.
    static constexpr std::size_t kTaps = 12;
    static constexpr std::size_t kPhases = 4;
    /// Samples that are judged together.
    static constexpr std::size_t kStretch = 32;
    using Phase = std::array<float, kTaps>;

    void look_at(const float* line, std::size_t count);

    std::array<Phase, kPhases> phases_{};
    float gain_ = 1;                         // no output is above the input times this
    std::vector<std::vector<float>> lines_;  // per channel: the last taps, then new samples
    float peak_ = 0;
};

}  // namespace kinodex::media
