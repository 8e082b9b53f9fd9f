// Painted scenes: textures with the spectrum of photographs, seen by a moving camera, with things
// that move on their own. The same seed paints the same bytes everywhere.
#pragma once

#include <cstdint>
#include <vector>

namespace scenes {

/// SplitMix64.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next();
    /// Uniform in [from, to).
    double between(double from, double to);
    /// Uniform in [from, to].
    int whole(int from, int to);

  private:
    std::uint64_t state_;
};

/// 8-bit 4:2:0 planes without padding.
struct Picture {
    Picture(int w, int h);
    int width;
    int height;
    std::vector<std::uint8_t> luma;
    std::vector<std::uint8_t> blue;
    std::vector<std::uint8_t> red;
};

enum class Camera { still, drift, fast_pan, zoom, shake };

struct SceneOptions {
    Camera camera = Camera::drift;
    double grain = 0;                // deviation, 8-bit steps
    std::uint64_t palette_seed = 0;  // scenes of one palette and ground look alike
};

class Scene {
  public:
    Scene(std::uint64_t seed, const SceneOptions& options, int frame_width);

    /// Paints frame `number` of the scene.
    void paint(int number, Picture& into) const;

  private:
    struct Blob {
        double x, y, radius, speed_x, speed_y;
        std::uint8_t luma, blue, red;
    };
    struct View {
        double x, y, scale;
    };
    [[nodiscard]] View view_at(int number, int frame_width) const;
    void paint_ground(const View& view, Picture& into) const;
    void paint_blobs(int number, Picture& into) const;
    void add_grain(int number, Picture& into) const;

    std::uint64_t seed_;
    SceneOptions options_;
    int size_bits_;  // the texture is a square of 2^size_bits_ and wraps around
    std::vector<std::uint8_t> luma_, blue_, red_;
    std::vector<Blob> blobs_;
    double start_x_, start_y_, scale_, speed_x_, speed_y_, zoom_speed_;
};

/// `into` becomes `share` of `other` and the rest of itself.
void mix_in(const Picture& other, double share, Picture& into);
/// Mixes a flat luma without colour into the picture.
void mix_in_flat(int luma, double share, Picture& into);

}  // namespace scenes
