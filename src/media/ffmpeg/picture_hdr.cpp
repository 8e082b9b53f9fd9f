#include "media/ffmpeg/picture_hdr.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace kinodex::media {
namespace {

constexpr float kDiffuseWhiteNits = 203;
constexpr float kPeakNits = 1000;     // mastering peak that most pictures stay below
constexpr float kExposure = 1.6F;     // puts diffuse white at 0.83 of full, where viewers expect it
constexpr std::size_t kSteps = 4096;  // of the input table: 12 bits, as PQ was made for

/// Source: SMPTE ST 2084, equation 4. Result in nits.
float pq_nits(float signal) {
    constexpr float m1 = 2610.0F / 16384;
    constexpr float m2 = 2523.0F / 4096 * 128;
    constexpr float c1 = 3424.0F / 4096;
    constexpr float c2 = 2413.0F / 4096 * 32;
    constexpr float c3 = 2392.0F / 4096 * 32;
    const float power = std::pow(signal, 1 / m2);
    return 10000 * std::pow(std::max(0.0F, power - c1) / (c2 - c3 * power), 1 / m1);
}

/// Source: ARIB STD-B67, inverse; the display's gamma of 1.2 applied to each channel.
float hlg_nits(float signal) {
    constexpr float a = 0.17883277F;
    constexpr float b = 0.28466892F;
    constexpr float c = 0.55991073F;
    const float scene =
        signal <= 0.5F ? signal * signal / 3 : (std::exp((signal - c) / a) + b) / 12;
    return kPeakNits * std::pow(scene, 1.2F);
}

float srgb(float linear) {
    return linear <= 0.0031308F ? 12.92F * linear : 1.055F * std::pow(linear, 1 / 2.4F) - 0.055F;
}

struct Tables {
    std::vector<float> light;        // signal to light, 1 is diffuse white
    std::array<char, kSteps> out{};  // light 0 to 1 to sRGB
};

Tables make_tables(AVColorTransferCharacteristic transfer) {
    Tables tables;
    tables.light.resize(kSteps);
    for (std::size_t i = 0; i < kSteps; ++i) {
        const float signal = static_cast<float>(i) / (kSteps - 1);
        const float nits = transfer == AVCOL_TRC_SMPTE2084 ? pq_nits(signal) : hlg_nits(signal);
        tables.light[i] = nits / kDiffuseWhiteNits;
        tables.out[i] = static_cast<char>(std::lround(255 * srgb(signal)));
    }
    return tables;
}

}  // namespace

bool is_hdr_transfer(AVColorTransferCharacteristic transfer) {
    return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67;
}

std::string standard_range(const std::string& rgb48, AVColorTransferCharacteristic transfer) {
    const Tables tables = make_tables(transfer);
    constexpr float kWhite = kPeakNits / kDiffuseWhiteNits;
    const auto light_at = [&](std::size_t byte) {
        const auto low = static_cast<unsigned char>(rgb48[byte]);
        const auto high = static_cast<unsigned char>(rgb48[byte + 1]);
        return tables.light[static_cast<std::size_t>((high << 8 | low) >> 4)];
    };
    const auto out_of = [&](float linear) {
        const float clipped = std::clamp(linear, 0.0F, 1.0F);
        return tables.out[static_cast<std::size_t>(clipped * (kSteps - 1))];
    };
    std::string rgb;
    rgb.reserve(rgb48.size() / 2);
    for (std::size_t i = 0; i + 5 < rgb48.size(); i += 6) {
        const float r = light_at(i);
        const float g = light_at(i + 2);
        const float b = light_at(i + 4);
        // One factor for all three keeps the hue; the brightest channel decides it.
        const float most = std::max({r, g, b, 1e-6F});
        const float factor = (1 + most / (kWhite * kWhite)) / (1 + most) * kExposure;
        rgb += out_of(factor * (1.6605F * r - 0.5876F * g - 0.0728F * b));
        rgb += out_of(factor * (-0.1246F * r + 1.1329F * g - 0.0083F * b));
        rgb += out_of(factor * (-0.0182F * r - 0.1006F * g + 1.1187F * b));
    }
    return rgb;
}

}  // namespace kinodex::media
