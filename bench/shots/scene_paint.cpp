#include "scene_paint.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace scenes {
namespace {

std::uint64_t scramble(std::uint64_t value) {
    value += 0x9E3779B97F4A7C15ULL;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
}

std::uint8_t to_byte(double value) {
    return static_cast<std::uint8_t>(std::clamp(value, 16.0, 235.0));
}

/// Adds one octave of smooth noise with 2^`cell_bits` pixels a lattice cell to a square texture.
void add_octave(std::vector<float>& into, int size_bits, int cell_bits, double strength,
                std::uint64_t seed) {
    const int size = 1 << size_bits;
    const int lattice_bits = size_bits - cell_bits;
    const int lattice = 1 << lattice_bits;
    std::vector<float> points(static_cast<std::size_t>(lattice) *
                              static_cast<std::size_t>(lattice));
    Random random(seed);
    for (float& each : points) {
        each = static_cast<float>(random.between(-strength, strength));
    }
    const auto point = [&](int x, int y) {
        return points[static_cast<std::size_t>((y & (lattice - 1)) << lattice_bits |
                                               (x & (lattice - 1)))];
    };
    const int cell = size >> lattice_bits;
    for (int y = 0; y < size; ++y) {
        const float fy = static_cast<float>(y & (cell - 1)) / static_cast<float>(cell);
        const float sy = fy * fy * (3 - 2 * fy);
        float* line = &into[static_cast<std::size_t>(y) << size_bits];
        const int row = y / cell;
        for (int cx = 0; cx < lattice; ++cx) {
            const float left = point(cx, row) * (1 - sy) + point(cx, row + 1) * sy;
            const float right = point(cx + 1, row) * (1 - sy) + point(cx + 1, row + 1) * sy;
            for (int x = 0; x < cell; ++x) {
                const float fx = static_cast<float>(x) / static_cast<float>(cell);
                line[cx * cell + x] += left + (right - left) * fx * fx * (3 - 2 * fx);
            }
        }
    }
}

std::vector<std::uint8_t> finished(const std::vector<float>& from, double mean) {
    std::vector<std::uint8_t> out(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) {
        out[i] = to_byte(mean + from[i]);
    }
    return out;
}

}  // namespace

std::uint64_t Random::next() {
    const std::uint64_t value = scramble(state_);
    state_ += 0x9E3779B97F4A7C15ULL;
    return value;
}

double Random::between(double from, double to) {
    return from + (to - from) * static_cast<double>(next() >> 11) * 0x1.0p-53;
}

int Random::whole(int from, int to) {
    return from + static_cast<int>(next() % static_cast<std::uint64_t>(to - from + 1));
}

Picture::Picture(int w, int h)
    : width(w),
      height(h),
      luma(static_cast<std::size_t>(w) * static_cast<std::size_t>(h)),
      blue(luma.size() / 4),
      red(luma.size() / 4) {}

Scene::Scene(std::uint64_t seed, const SceneOptions& options, int frame_width)
    : seed_(seed), options_(options), size_bits_(frame_width > 700 ? 11 : 10) {
    Random palette(scramble(options.palette_seed));
    Random own(scramble(seed));
    const std::size_t pixels = std::size_t{1} << (2 * size_bits_);
    std::vector<float> luma(pixels);
    std::vector<float> blue(pixels / 4);
    std::vector<float> red(pixels / 4);
    const double contrast = palette.between(22, 48);
    const double mean = palette.between(70, 165);
    // Down to cells of two pixels, as fine as a sharp lens shows.
    for (int octave = 0; octave < size_bits_ - 2; ++octave) {
        const int cell_bits = size_bits_ - 2 - octave;
        // Each octave is a bit more than half as strong: the spectrum of photographs.
        const double strength = 1.15 * contrast * std::pow(0.68, octave);
        add_octave(luma, size_bits_, cell_bits, strength, own.next());
    }
    for (int octave = 0; octave < 2; ++octave) {
        add_octave(blue, size_bits_ - 1, size_bits_ - 3 - octave, 18, own.next());
        add_octave(red, size_bits_ - 1, size_bits_ - 3 - octave, 18, own.next());
    }
    luma_ = finished(luma, mean);
    blue_ = finished(blue, 128 + palette.between(-20, 20));
    red_ = finished(red, 128 + palette.between(-20, 20));

    const int blob_count = own.whole(1, 4);
    for (int i = 0; i < blob_count; ++i) {
        blobs_.push_back({own.between(0, 1), own.between(0, 1), own.between(0.04, 0.16),
                          own.between(-0.006, 0.006), own.between(-0.004, 0.004),
                          to_byte(own.between(20, 230)), to_byte(own.between(70, 190)),
                          to_byte(own.between(70, 190))});
    }
    start_x_ = own.between(0, 1);
    start_y_ = own.between(0, 1);
    scale_ = own.between(0.75, 1.1);
    const double angle = own.between(0, 6.283);
    double speed = 0;
    zoom_speed_ = 0;
    switch (options.camera) {
        case Camera::still:
            break;
        case Camera::drift:
            speed = own.between(0.0005, 0.004);
            break;
        case Camera::fast_pan:
            speed = own.between(0.015, 0.05);
            break;
        case Camera::zoom:
            zoom_speed_ = own.between(0.006, 0.02);
            break;
        case Camera::shake:
            speed = 0.002;
            break;
    }
    speed_x_ = speed * std::cos(angle);
    speed_y_ = 0.6 * speed * std::sin(angle);
}

Scene::View Scene::view_at(int number, int frame_width) const {
    View view{start_x_ * (1 << size_bits_), start_y_ * (1 << size_bits_), scale_};
    view.x += speed_x_ * number * frame_width;
    view.y += speed_y_ * number * frame_width;
    if (options_.camera == Camera::zoom) {
        // In and out again, so that the scale stays sensible however long the shot is.
        const double phase = std::sin(number * zoom_speed_ * 3);
        view.scale *= std::exp(0.45 * phase);
    }
    if (options_.camera == Camera::shake) {
        Random random(seed_ ^ static_cast<std::uint64_t>(number + 1) * 7919);
        view.x += random.between(-0.02, 0.02) * frame_width;
        view.y += random.between(-0.02, 0.02) * frame_width;
    }
    return view;
}

void Scene::paint_ground(const View& view, Picture& into) const {
    constexpr int kFraction = 8;
    const auto step = static_cast<int>(view.scale * (1 << kFraction));
    const int size = 1 << size_bits_;
    const auto wrapped = [](int value, int limit) { return value & (limit - 1); };
    // Zoom turns around the middle of the frame.
    const auto left = static_cast<int>((view.x - view.scale * into.width / 2) * (1 << kFraction));
    const auto top = static_cast<int>((view.y - view.scale * into.height / 2) * (1 << kFraction));
    for (int y = 0; y < into.height; ++y) {
        const int fy = top + y * step;
        const std::uint8_t* upper =
            &luma_[static_cast<std::size_t>(wrapped(fy >> kFraction, size)) << size_bits_];
        const std::uint8_t* lower =
            &luma_[static_cast<std::size_t>(wrapped((fy >> kFraction) + 1, size)) << size_bits_];
        const int wy = fy & 255;
        std::uint8_t* out = &into.luma[static_cast<std::size_t>(y * into.width)];
        for (int x = 0, fx = left; x < into.width; ++x, fx += step) {
            const int at = wrapped(fx >> kFraction, size);
            const int right = wrapped(at + 1, size);
            const int wx = fx & 255;
            const int a = upper[at] * (256 - wx) + upper[right] * wx;
            const int b = lower[at] * (256 - wx) + lower[right] * wx;
            out[x] = static_cast<std::uint8_t>((a * (256 - wy) + b * wy) >> 16);
        }
    }
    const int half = size / 2;
    for (int y = 0; y < into.height / 2; ++y) {
        const int sy = wrapped((top / 2 + y * step) >> kFraction, half);
        const std::size_t row = static_cast<std::size_t>(sy) << (size_bits_ - 1);
        const auto line = static_cast<std::size_t>(y * into.width / 2);
        for (int x = 0, fx = left / 2; x < into.width / 2; ++x, fx += step) {
            const auto at = static_cast<std::size_t>(wrapped(fx >> kFraction, half));
            into.blue[line + static_cast<std::size_t>(x)] = blue_[row + at];
            into.red[line + static_cast<std::size_t>(x)] = red_[row + at];
        }
    }
}

void Scene::paint_blobs(int number, Picture& into) const {
    for (const Blob& blob : blobs_) {
        const auto bounced = [](double value) {
            const double turn = std::fmod(std::abs(value), 2.0);
            return turn > 1 ? 2 - turn : turn;
        };
        const double cx = bounced(blob.x + blob.speed_x * number) * into.width;
        const double cy = bounced(blob.y + blob.speed_y * number) * into.height;
        const double radius = blob.radius * into.width;
        const int first = std::max(0, static_cast<int>(cy - radius));
        const int last = std::min(into.height - 1, static_cast<int>(cy + radius));
        for (int y = first; y <= last; ++y) {
            const double reach = std::sqrt(std::max(0.0, radius * radius - (y - cy) * (y - cy)));
            const int left = std::max(0, static_cast<int>(cx - reach));
            const int right = std::min(into.width - 1, static_cast<int>(cx + reach));
            for (int x = left; x <= right; ++x) {
                auto& luma = into.luma[static_cast<std::size_t>(y * into.width + x)];
                // Some of the ground shines through, so that blobs have texture.
                luma = static_cast<std::uint8_t>((3 * blob.luma + luma) / 4);
                const auto chroma = static_cast<std::size_t>(y / 2 * (into.width / 2) + x / 2);
                into.blue[chroma] = blob.blue;
                into.red[chroma] = blob.red;
            }
        }
    }
}

void Scene::add_grain(int number, Picture& into) const {
    if (options_.grain <= 0) {
        return;
    }
    std::array<int, 256> steps{};
    Random table(17);
    for (int& each : steps) {
        // Sum of three uniforms: near enough to a bell.
        const double bell = table.between(-1, 1) + table.between(-1, 1) + table.between(-1, 1);
        each = static_cast<int>(std::lround(bell * options_.grain));
    }
    std::uint64_t bits = scramble(seed_ + static_cast<std::uint64_t>(number) * 31);
    for (std::uint8_t& each : into.luma) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        each = static_cast<std::uint8_t>(std::clamp(each + steps[bits >> 56], 16, 235));
    }
}

void Scene::paint(int number, Picture& into) const {
    paint_ground(view_at(number, into.width), into);
    paint_blobs(number, into);
    add_grain(number, into);
}

namespace {

void mix_plane(const std::uint8_t* other, int flat, int weight, std::vector<std::uint8_t>& into) {
    for (std::size_t i = 0; i < into.size(); ++i) {
        const int value = other != nullptr ? other[i] : flat;
        into[i] = static_cast<std::uint8_t>((into[i] * (256 - weight) + value * weight + 128) >> 8);
    }
}

}  // namespace

void mix_in(const Picture& other, double share, Picture& into) {
    const auto weight = static_cast<int>(std::lround(share * 256));
    mix_plane(other.luma.data(), 0, weight, into.luma);
    mix_plane(other.blue.data(), 0, weight, into.blue);
    mix_plane(other.red.data(), 0, weight, into.red);
}

void mix_in_flat(int luma, double share, Picture& into) {
    const auto weight = static_cast<int>(std::lround(share * 256));
    mix_plane(nullptr, luma, weight, into.luma);
    mix_plane(nullptr, 128, weight, into.blue);
    mix_plane(nullptr, 128, weight, into.red);
}

}  // namespace scenes
