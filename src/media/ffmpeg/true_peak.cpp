#include "media/ffmpeg/true_peak.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace kinodex::media {

TruePeak::TruePeak(std::size_t channels) : lines_(channels, std::vector<float>(kTaps - 1, 0.0F)) {
    // A windowed sinc: unity below half the sample rate, four times as many points.
    constexpr double kMiddle = kTaps * kPhases / 2.0;
    for (std::size_t phase = 0; phase < kPhases; ++phase) {
        float sum_of_sizes = 0;
        for (std::size_t tap = 0; tap < kTaps; ++tap) {
            const double at = static_cast<double>(tap * kPhases + phase) - kMiddle;
            const double x = at * std::numbers::pi / kPhases;
            const double sinc = at == 0 ? 1 : std::sin(x) / x;
            const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * at / kMiddle);
            const auto value = static_cast<float>(sinc * window);
            phases_[phase][kTaps - 1 - tap] = value;
            sum_of_sizes += std::abs(value);
        }
        gain_ = std::max(gain_, sum_of_sizes);
    }
}

/// `line` holds kTaps - 1 earlier samples, then `count` to judge.
void TruePeak::look_at(const float* line, std::size_t count) {
    // Tap by tap over the whole stretch: independent sums, which vector units take many at a time.
    for (const Phase& phase : phases_) {
        std::array<float, kStretch> sums{};
        for (std::size_t tap = 0; tap < kTaps; ++tap) {
            const float weight = phase[tap];
            const float* from = line + tap;
            for (std::size_t i = 0; i < kStretch; ++i) {
                sums[i] += weight * from[i];
            }
        }
        for (std::size_t i = 0; i < count; ++i) {
            peak_ = std::max(peak_, std::abs(sums[i]));
        }
    }
}

void TruePeak::add(std::span<const float> samples) {
    const std::size_t channels = lines_.size();
    const std::size_t frames = samples.size() / channels;
    for (std::size_t channel = 0; channel < channels; ++channel) {
        std::vector<float>& line = lines_[channel];
        // Whole stretches are read; what is past the end is not looked at.
        line.resize(kTaps - 1 + frames + kStretch);
        for (std::size_t i = 0; i < frames; ++i) {
            line[kTaps - 1 + i] = samples[i * channels + channel];
        }
        for (std::size_t at = 0; at < frames; at += kStretch) {
            const std::size_t count = std::min(kStretch, frames - at);
            float highest = 0;
            for (std::size_t i = at; i < at + count + kTaps - 1; ++i) {
                highest = std::max(highest, std::abs(line[i]));
            }
            if (highest * gain_ > peak_) {
                look_at(&line[at], count);
            }
        }
        line.resize(kTaps - 1 + frames);
        line.erase(line.begin(), line.end() - (kTaps - 1));
    }
}

}  // namespace kinodex::media
