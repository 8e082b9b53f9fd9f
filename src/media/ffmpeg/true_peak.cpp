#include "media/ffmpeg/true_peak.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace kinodex::media {
namespace {

float highest_of(std::span<const float> samples) {
    // Side by side, so that vector units can take several at a time.
    constexpr std::size_t kLanes = 8;
    std::array<float, kLanes> tops{};
    std::size_t at = 0;
    for (; at + kLanes <= samples.size(); at += kLanes) {
        for (std::size_t i = 0; i < kLanes; ++i) {
            tops[i] = std::max(tops[i], std::abs(samples[at + i]));
        }
    }
    float highest = *std::ranges::max_element(tops);
    for (; at < samples.size(); ++at) {
        highest = std::max(highest, std::abs(samples[at]));
    }
    return highest;
}

}  // namespace

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
    std::array<float, kStretch> tops{};
    // The first phase gives the samples themselves, which the caller has seen.
    for (const Phase& phase : std::span(phases_).subspan(1)) {
        std::array<float, kStretch> sums{};
        for (std::size_t tap = 0; tap < kTaps; ++tap) {
            const float weight = phase[tap];
            const float* from = line + tap;
            for (std::size_t i = 0; i < kStretch; ++i) {
                sums[i] += weight * from[i];
            }
        }
        for (std::size_t i = 0; i < kStretch; ++i) {
            tops[i] = std::max(tops[i], std::abs(sums[i]));
        }
    }
    peak_ = std::max(peak_, *std::ranges::max_element(std::span(tops).first(count)));
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
            const float highest = highest_of(std::span(line).subspan(at, count + kTaps - 1));
            if (highest * gain_ > peak_) {
                peak_ = std::max(peak_, highest);
                look_at(&line[at], count);
            }
        }
        line.resize(kTaps - 1 + frames);
        line.erase(line.begin(), line.end() - (kTaps - 1));
    }
}

}  // namespace kinodex::media
