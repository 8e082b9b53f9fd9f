// shots_scenes CATEGORY SEED WIDTH HEIGHT FRAMES TRUTH: writes a film of painted scenes as raw
// 4:2:0 frames to standard output, and the frames where its shots begin as JSON to the file TRUTH.
//
// What is true: a cut is the first frame of the new shot; a fade through black is the middle of
// its darkest stretch; a dissolve is the frame where both shots weigh the same. A flash, however
// bright, and camera motion, however fast, begin no shot.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scene_paint.h"

namespace {

using scenes::Camera;
using scenes::Picture;
using scenes::Random;
using scenes::Scene;

enum class Join { cut, fade, dissolve };

struct Style {
    Join join = Join::cut;
    bool flashes = false;
    bool wild_camera = false;
    bool similar = false;
    bool mixed_joins = false;
    bool mostly_cuts = false;
    double grain = 0;
    int shot_frames_min = 35;
    int shot_frames_max = 130;
    int aligned_to = 1;  // shots last multiples of this: cuts fall on key frames
};

/// One shot: frames [begin, end) are its own, transitions reach into both neighbours.
struct ShotPlan {
    int begin = 0;
    int end = 0;
    std::unique_ptr<Scene> scene;
    Join join_in = Join::cut;
    int half = 0;                              // half the length of the transition into this shot
    int hold = 0;                              // frames of full black in its middle
    std::vector<std::pair<int, int>> flashes;  // first frame, count
};

bool style_of(std::string_view name, Style& style) {
    if (name == "cuts") {
        return true;
    }
    if (name == "cuts_on_key") {
        style.aligned_to = 50;
        style.shot_frames_max = 150;
    } else if (name == "fades") {
        style.join = Join::fade;
    } else if (name == "dissolves") {
        style.join = Join::dissolve;
    } else if (name == "flashes") {
        style.flashes = true;
    } else if (name == "motion") {
        style.wild_camera = true;
    } else if (name == "similar") {
        style.similar = true;
    } else if (name == "grain") {
        style.grain = 7;
    } else if (name == "quick") {
        style.shot_frames_min = 10;
        style.shot_frames_max = 35;
    } else if (name == "mixed") {
        style.mixed_joins = true;
        style.flashes = true;
    } else if (name == "film") {
        // What a film is mostly made of: shots of 2 to 8 s, most of them cut, a sensor's noise.
        style.mixed_joins = true;
        style.mostly_cuts = true;
        style.grain = 2.0;
        style.shot_frames_min = 50;
        style.shot_frames_max = 200;
    } else {
        return false;
    }
    return true;
}

Camera pick_camera(const Style& style, Random& random) {
    if (style.wild_camera) {
        constexpr Camera kWild[] = {Camera::fast_pan, Camera::zoom, Camera::shake};
        return kWild[random.whole(0, 2)];
    }
    if (style.mixed_joins && random.whole(0, style.mostly_cuts ? 7 : 3) == 0) {
        return Camera::fast_pan;
    }
    return random.whole(0, 3) == 0 ? Camera::still : Camera::drift;
}

std::vector<ShotPlan> plan_shots(const Style& style, std::uint64_t seed, int width, int frames) {
    Random random(seed);
    std::vector<ShotPlan> shots;
    int begin = 0;
    while (begin < frames) {
        ShotPlan shot;
        int length = random.whole(style.shot_frames_min, style.shot_frames_max);
        length = std::max(1, length / style.aligned_to) * style.aligned_to;
        shot.begin = begin;
        shot.end = std::min(frames, begin + length);
        if (frames - shot.end < style.shot_frames_min) {
            shot.end = frames;
        }
        shot.join_in = style.join;
        if (style.mixed_joins) {
            constexpr Join kJoins[] = {Join::fade, Join::dissolve, Join::cut, Join::cut};
            shot.join_in = kJoins[std::min(3, random.whole(0, style.mostly_cuts ? 11 : 3))];
        }
        if (shots.empty()) {
            shot.join_in = Join::cut;
        }
        if (shot.join_in == Join::fade) {
            shot.half = random.whole(5, 15);
            shot.hold = random.whole(0, 4);
        } else if (shot.join_in == Join::dissolve) {
            shot.half = random.whole(5, 12);
        }
        scenes::SceneOptions options{pick_camera(style, random), style.grain, seed};
        if (!style.similar) {
            options.palette_seed = random.next();
        }
        shot.scene = std::make_unique<Scene>(random.next(), options, width);
        // Clear of both joins, so that what is true stays plain.
        constexpr int kClear = 28;
        if (style.flashes && shot.end - shot.begin > 2 * kClear) {
            const int at = random.whole(shot.begin + kClear, shot.end - kClear);
            shot.flashes.emplace_back(at, random.whole(1, 3));
        }
        begin = shot.end;
        shots.push_back(std::move(shot));
    }
    return shots;
}

/// How much of a fade's frame is black, `distance` frames from its middle.
double blackness(double distance, int half, int hold) {
    const double from_hold = std::max(0.0, distance - hold / 2.0);
    return std::clamp(1 - from_hold / half, 0.0, 1.0);
}

void paint_frame(const std::vector<ShotPlan>& shots, std::size_t current, int number, Picture& into,
                 Picture& scratch) {
    const ShotPlan& shot = shots[current];
    shot.scene->paint(number - shot.begin, into);
    const auto join = [&](const ShotPlan& next, const ShotPlan& other) {
        const int offset = number - next.begin;  // negative before the middle
        if (next.join_in == Join::fade) {
            constexpr int kBlack = 16;
            mix_in_flat(kBlack, blackness(std::abs(offset), next.half, next.hold), into);
        } else if (next.join_in == Join::dissolve && std::abs(offset) < next.half) {
            const double of_next = 0.5 + 0.5 * offset / next.half;
            other.scene->paint(number - other.begin, scratch);
            mix_in(scratch, offset < 0 ? of_next : 1 - of_next, into);
        }
    };
    if (current > 0) {
        join(shot, shots[current - 1]);
    }
    if (current + 1 < shots.size()) {
        join(shots[current + 1], shots[current + 1]);
    }
    for (const auto& [first, count] : shot.flashes) {
        if (number >= first && number < first + count) {
            mix_in_flat(235, number == first ? 0.95 : 0.85, into);
        }
    }
}

bool write_truth(const char* path, const std::vector<ShotPlan>& shots) {
    std::FILE* file = std::fopen(path, "w");
    if (file == nullptr) {
        return false;
    }
    std::fputs("{\"boundaries\":[", file);
    for (std::size_t i = 1; i < shots.size(); ++i) {
        constexpr const char* kNames[] = {"cut", "fade", "dissolve"};
        std::fprintf(file, "%s{\"frame\":%d,\"kind\":\"%s\"}", i > 1 ? "," : "", shots[i].begin,
                     kNames[static_cast<int>(shots[i].join_in)]);
    }
    std::fputs("]}\n", file);
    return std::fclose(file) == 0;
}

bool write_plane(const std::vector<std::uint8_t>& plane) {
    return std::fwrite(plane.data(), 1, plane.size(), stdout) == plane.size();
}

}  // namespace

int main(int argc, char** argv) {
    Style style;
    if (argc != 7 || !style_of(argv[1], style)) {
        std::fputs("usage: shots_scenes CATEGORY SEED WIDTH HEIGHT FRAMES TRUTH\n", stderr);
        return 2;
    }
    const auto number_of = [&](int i) {
        return static_cast<int>(std::strtol(argv[i], nullptr, 10));
    };
    const int width = number_of(3);
    const int height = number_of(4);
    const int frames = number_of(5);
    constexpr int kSideMax = 4096;
    if (width < 16 || height < 16 || width > kSideMax || height > kSideMax || width % 2 != 0 ||
        height % 2 != 0 || frames < 1) {
        std::fputs("width and height: even, 16 to 4096; frames: 1 and more\n", stderr);
        return 2;
    }
    const auto shots = plan_shots(style, std::strtoull(argv[2], nullptr, 10), width, frames);
    Picture picture(width, height);
    Picture scratch(width, height);
    std::size_t current = 0;
    for (int i = 0; i < frames; ++i) {
        while (i >= shots[current].end) {
            ++current;
        }
        paint_frame(shots, current, i, picture, scratch);
        if (!write_plane(picture.luma) || !write_plane(picture.blue) || !write_plane(picture.red)) {
            return 1;
        }
    }
    return write_truth(argv[6], shots) ? 0 : 1;
}
