#include "media/ffmpeg/thumbnail_score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace kinodex::media {
namespace {

// Found on film, animation, screen recordings and phone video: pictures that people would pick
// lie above these, fades, blurs and title cards below.
constexpr double kDark = 24;
constexpr double kDim = 60;
constexpr double kBright = 200;
constexpr double kWhite = 240;
constexpr double kContrastEnough = 45;
constexpr double kSharpnessEnough = 6;
constexpr double kShadesEnough = 96;

/// 0 at `low`, 1 at `high`, straight between.
double ramp(double value, double low, double high) {
    return std::clamp((value - low) / (high - low), 0.0, 1.0);
}

std::vector<int> luma_of(const RgbPicture& picture) {
    std::vector<int> luma;
    luma.reserve(picture.rgb.size() / 3);
    for (std::size_t i = 0; i + 2 < picture.rgb.size(); i += 3) {
        const auto channel = [&](std::size_t c) {
            return static_cast<int>(static_cast<unsigned char>(picture.rgb[i + c]));
        };
        luma.push_back((2126 * channel(0) + 7152 * channel(1) + 722 * channel(2)) / 10000);
    }
    return luma;
}

}  // namespace

PictureScore score_of(const RgbPicture& picture) {
    const std::vector<int> luma = luma_of(picture);
    if (luma.empty()) {
        return {};
    }
    double sum = 0;
    double squares = 0;
    double steps = 0;
    std::array<bool, 256> seen{};
    const auto width = static_cast<std::size_t>(picture.width);
    for (std::size_t i = 0; i < luma.size(); ++i) {
        sum += luma[i];
        squares += static_cast<double>(luma[i]) * luma[i];
        seen[static_cast<std::size_t>(luma[i])] = true;
        if ((i + 1) % width != 0) {
            steps += std::abs(luma[i + 1] - luma[i]);
        }
        if (i + width < luma.size()) {
            steps += std::abs(luma[i + width] - luma[i]);
        }
    }
    const auto count = static_cast<double>(luma.size());
    PictureScore score;
    score.brightness = sum / count;
    score.contrast =
        std::sqrt(std::max(0.0, squares / count - score.brightness * score.brightness));
    score.sharpness = steps / (2 * count);
    const auto shades = static_cast<double>(std::ranges::count(seen, true));
    const double exposure =
        ramp(score.brightness, kDark, kDim) * (1 - ramp(score.brightness, kBright, kWhite));
    score.total = (0.25 + 0.75 * exposure) * ramp(score.contrast, 4, kContrastEnough) *
                  (0.4 + 0.6 * ramp(score.sharpness, 0.5, kSharpnessEnough)) *
                  (0.5 + 0.5 * ramp(shades, 2, kShadesEnough));
    return score;
}

}  // namespace kinodex::media
