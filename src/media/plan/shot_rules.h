// Where shots begin, decided from thumbnails of some of a video's frames.
//
// Frames are numbered in presentation order. Every frame's time is told; a thumbnail only for the
// frames that were worth decoding. Memory is bounded: what lies further back than the longest
// transition is forgotten once it is decided.
//
// What a boundary is:
//   cut                  the first frame of the new shot
//   fade through black   the middle of the dark stretch (white likewise)
//   dissolve             the frame where both shots weigh the same
// Flashes, camera motion, and shots shorter than kShotFramesMin frames are no boundaries.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "media/plan/shot_picture.h"

namespace kinodex::media::plan {

/// Shorter than this is a flash or an editing slip, not a shot.
inline constexpr int kShotFramesMin = 3;
/// A flash with its afterglow may last this long and still come back to the same shot.
inline constexpr int kFlashFramesMax = 6;
/// Half of the longest fade or dissolve that is recognised: 2 s at 25 frames a second.
inline constexpr int kTransitionReachFrames = 50;
/// Key frames that differ less than this have nothing between them worth decoding.
inline constexpr double kSameScene = 4.0;
/// A cut's step is this many times those beside it; in a transition or a pan they are alike.
inline constexpr double kStandsOut = 1.8;

/// Whether a step between neighbouring samples stands out from its surroundings.
/// `usual` is the median step near it. Same unit as `difference`.
bool is_jump(double step, double usual);

/// Both are ordinary pictures, neither dark nor bright nor flat, and plainly not of one scene.
bool is_plainly_new(const SmallPicture& from, const SmallPicture& to);

/// What a camera does in a few seconds explains how the two differ.
bool is_motion(const SmallPicture& from, const SmallPicture& to);

/// The median; 0 for none.
double median_of(std::vector<double> values);

struct Boundary {
    std::int64_t frame = 0;  // number of the new shot's first frame
    double time_sec = 0;
};

/// What is known about the step from the sample before.
enum class Link {
    measured,   // everything between that could matter was sampled
    same_shot,  // frames between were not looked at and need not be
    cut,        // a cut is right before this sample, seen without looking at the frames between
};

class ShotFinder {
  public:
    /// Tells the time of the next frame in presentation order.
    void add_frame(double time_sec);
    /// A thumbnail of a frame that was told. Frames come in order; a repeated one is ignored.
    void add_sample(std::int64_t frame, const SmallPicture& picture, Link link = Link::measured);
    /// A cut right before this frame, seen without a thumbnail of it; frames come in order. The
    /// next sample links to the one before as `same_shot`.
    void add_cut(std::int64_t frame);
    /// Number of the next frame.
    [[nodiscard]] std::int64_t frame_count() const { return first_time_ + ssize(times_); }
    [[nodiscard]] double time_of(std::int64_t frame) const;

    /// Boundaries that no later sample can change, in order, each reported once.
    std::vector<Boundary> settle();
    /// The rest.
    std::vector<Boundary> finish();
    /// Boundaries are final before this frame.
    [[nodiscard]] std::int64_t settled_frame() const { return settled_; }

  private:
    struct Sample {
        std::int64_t frame = 0;
        double step = 0;  // from the sample before
        Link link = Link::measured;
        LumaStatistics luma;
        SmallPicture picture;
    };
    /// A step that stands out: samples [before, after], neighbours unless frames were lost.
    struct Jump {
        std::size_t before = 0;
        std::size_t after = 0;
        std::size_t strongest = 0;
    };

    struct Dissolve {
        double middle = 0;  // frame
        double weight = 0;  // how plainly it is one
    };

    [[nodiscard]] static std::int64_t ssize(const std::deque<double>& all) {
        return static_cast<std::int64_t>(all.size());
    }
    std::vector<Boundary> decide(std::int64_t until);
    void forget();
    [[nodiscard]] double usual_step(std::size_t sample) const;
    [[nodiscard]] std::vector<Jump> jumps() const;
    [[nodiscard]] bool is_part_of_change(const Jump& jump) const;
    [[nodiscard]] bool is_flash(const Jump& jump) const;
    [[nodiscard]] std::vector<std::int64_t> cuts() const;
    [[nodiscard]] bool is_same_around(std::size_t first, std::size_t last, double from,
                                      double to) const;
    void find_fades(std::size_t first, std::size_t last, std::vector<std::int64_t>& into) const;
    [[nodiscard]] std::optional<Dissolve> dissolve_at(std::size_t first, std::size_t last,
                                                      std::size_t center, int reach) const;
    [[nodiscard]] std::optional<Dissolve> half_way(std::size_t a, std::size_t b) const;
    void find_dissolves(std::size_t first, std::size_t last, std::int64_t from,
                        std::vector<std::int64_t>& into) const;

    std::deque<double> times_;  // of frames first_time_ and on
    std::int64_t first_time_ = 0;
    std::deque<Sample> samples_;
    std::deque<std::int64_t> told_cuts_;
    std::int64_t settled_ = 0;
    std::int64_t last_boundary_ = 0;  // frame; 0 is the first shot's beginning
};

}  // namespace kinodex::media::plan
