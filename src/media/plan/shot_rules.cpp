#include "media/plan/shot_rules.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace kinodex::media::plan {
namespace {

// A step below this is noise, grain or slow motion whatever surrounds it.
constexpr double kJumpFloor = 6.0;
// Fast, rotating or zooming motion leaves a remainder; a cut stands this far above it.
constexpr double kJumpOverUsual = 2.5;
// Samples on each side that say what is usual.
constexpr std::size_t kUsualReach = 6;
// After a flash the picture is back: less than this part of the jump is left.
constexpr double kFlashRemainder = 0.4;

// A picture this much flatter than its surroundings, and dark or bright, is the bottom of a fade.
constexpr double kFadeFlatness = 0.3;
constexpr double kFadeDark = 45;
constexpr double kFadeBright = 205;
// Contrast that jumps at once to this part of what it has some frames later did not fade.
constexpr double kFadeRisen = 0.8;
constexpr std::int64_t kFadeAbruptFrames = 6;
// Surroundings flatter than this have nothing to fade.
constexpr double kFadeContrastMin = 8;
// A dark or bright moment with the same scene this far before and after it is no fade.
constexpr double kFadeSideFrames = 4;
constexpr double kFadeSameScene = 6;

// A dissolve: ends that differ, unlike each other, and everything between a mix of the two.
constexpr double kDissolveDistance = 9;
constexpr double kDissolveCorrelation = 0.7;
constexpr double kDissolveResidual = 0.22;
constexpr double kDissolveResidualMiddle = 0.3;
// The middle is unlike both ends even after following the camera; of a pan it is a part of both.
constexpr double kDissolveMiddleDistance = 5;
// Shares grow steadily: noise may take back this much, one step may not add more than this.
constexpr double kDissolveStepBack = 0.08;
constexpr double kDissolveStepMax = 0.6;
constexpr int kDissolveReaches[] = {6, 10, 16, 24, 36};
// Shots on both sides of a gradual transition last at least this long.
constexpr std::int64_t kGradualSpacingFrames = 20;

// Motion within a shot brings in less new colour than this in a few seconds.
constexpr double kSamePalette = 0.25;
// A cut that needs no closer look: both pictures ordinary, and plainly not the same.
constexpr double kPlainContrast = 8;
constexpr double kPlainDark = 35;
constexpr double kPlainBright = 200;
constexpr double kPlainCut = 14;

/// Where a line through two points takes the value `level`, as a frame number.
double crossing(double frame_a, double value_a, double frame_b, double value_b, double level) {
    const double rise = value_b - value_a;
    if (std::abs(rise) < 1e-9) {
        return (frame_a + frame_b) / 2;
    }
    return frame_a + (frame_b - frame_a) * std::clamp((level - value_a) / rise, 0.0, 1.0);
}

}  // namespace

double median_of(std::vector<double> values) {
    if (values.empty()) {
        return 0;
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

bool is_jump(double step, double usual) {
    return step > kJumpFloor + kJumpOverUsual * usual;
}

bool is_plainly_new(const SmallPicture& from, const SmallPicture& to) {
    const LumaStatistics before = luma_statistics(from);
    const LumaStatistics after = luma_statistics(to);
    const bool is_plain = std::min(before.deviation, after.deviation) > kPlainContrast &&
                          std::min(before.mean, after.mean) > kPlainDark &&
                          std::max(before.mean, after.mean) < kPlainBright;
    return is_plain && difference(from, to) > kPlainCut &&
           palette_difference(from, to) > kSamePalette;
}

bool is_motion(const SmallPicture& from, const SmallPicture& to) {
    return palette_difference(from, to) < kSamePalette ||
           panned_difference(from, to, kSameScene) < kSameScene;
}

void ShotFinder::add_frame(double time_sec) {
    times_.push_back(time_sec);
}

void ShotFinder::add_sample(std::int64_t frame, const SmallPicture& picture, Link link) {
    if (!samples_.empty() && frame <= samples_.back().frame) {
        return;
    }
    Sample sample{frame, 0, link, luma_statistics(picture), picture};
    if (!samples_.empty()) {
        sample.step = difference(samples_.back().picture, picture);
    }
    samples_.push_back(sample);
}

void ShotFinder::add_cut(std::int64_t frame) {
    told_cuts_.push_back(frame);
}

double ShotFinder::time_of(std::int64_t frame) const {
    if (times_.empty()) {
        return 0;
    }
    const auto index = std::clamp<std::int64_t>(frame - first_time_, 0, ssize(times_) - 1);
    return times_[static_cast<std::size_t>(index)];
}

double ShotFinder::usual_step(std::size_t sample) const {
    std::vector<double> steps;
    const std::size_t from = sample > kUsualReach ? sample - kUsualReach : 1;
    const std::size_t to = std::min(samples_.size(), sample + kUsualReach + 1);
    for (std::size_t i = from; i < to; ++i) {
        const bool is_near =
            std::abs(samples_[i].frame - samples_[sample].frame) <= kTransitionReachFrames;
        if (i != sample && is_near && samples_[i].link == Link::measured) {
            steps.push_back(samples_[i].step);
        }
    }
    return median_of(std::move(steps));
}

/// Groups neighbouring jumps: a one-frame flash or a fast transition is one event, not several.
std::vector<ShotFinder::Jump> ShotFinder::jumps() const {
    std::vector<Jump> found;
    for (std::size_t i = 1; i < samples_.size(); ++i) {
        const Link link = samples_[i].link;
        if (link == Link::same_shot ||
            (link == Link::measured && !is_jump(samples_[i].step, usual_step(i)))) {
            continue;
        }
        if (link == Link::measured && !found.empty() && found.back().after == i - 1) {
            Jump& jump = found.back();
            jump.after = i;
            if (samples_[i].step >= samples_[jump.strongest].step) {
                jump.strongest = i;
            }
        } else {
            found.push_back({i - 1, i, i});
        }
    }
    return found;
}

bool ShotFinder::is_flash(const Jump& jump) const {
    const double limit = std::max(kFlashRemainder * samples_[jump.strongest].step, kSameScene);
    const auto comes_back = [&](std::size_t a, std::size_t b) {
        return difference(samples_[a].picture, samples_[b].picture) < limit;
    };
    for (std::size_t i = jump.after; i < samples_.size(); ++i) {
        if (samples_[i].frame > samples_[jump.after].frame + kFlashFramesMax) {
            break;
        }
        if (comes_back(jump.before, i)) {
            return true;
        }
    }
    for (std::size_t i = jump.before + 1; i-- > 0;) {
        if (samples_[i].frame < samples_[jump.before].frame - kFlashFramesMax) {
            break;
        }
        if (comes_back(i, jump.after)) {
            return true;
        }
    }
    return false;
}

/// Whether the steps right beside the jump are nearly as large: a fade or a dissolve going on.
bool ShotFinder::is_part_of_change(const Jump& jump) const {
    const auto gap_at = [&](std::size_t i) {
        return static_cast<double>(samples_[i].frame - samples_[i - 1].frame);
    };
    // What the step beside would be over as many frames.
    const auto step_at = [&](std::size_t i) {
        const bool is_known = i > 0 && i < samples_.size() && samples_[i].link == Link::measured;
        return is_known ? samples_[i].step * gap_at(jump.strongest) / gap_at(i) : 0;
    };
    return samples_[jump.strongest].link == Link::measured &&
           samples_[jump.strongest].step <
               kStandsOut * std::max(step_at(jump.before), step_at(jump.after + 1));
}

std::vector<std::int64_t> ShotFinder::cuts() const {
    std::vector<std::int64_t> found;
    for (const Jump& jump : jumps()) {
        const bool is_burst =
            samples_[jump.strongest].link == Link::measured &&
            samples_[jump.after].frame - samples_[jump.before].frame > kShotFramesMin;
        if (is_burst) {
            double second = 0;
            for (std::size_t i = jump.before + 1; i <= jump.after; ++i) {
                if (i != jump.strongest) {
                    second = std::max(second, samples_[i].step);
                }
            }
            if (samples_[jump.strongest].step < kStandsOut * second) {
                continue;
            }
        }
        if (is_part_of_change(jump) || is_flash(jump)) {
            continue;
        }
        const std::int64_t frame = samples_[jump.strongest].frame;
        if (!found.empty() && frame - found.back() < kShotFramesMin) {
            found.back() = frame;
        } else {
            found.push_back(frame);
        }
    }
    return found;
}

/// Whether samples [first, last) show the same scene shortly before and after the stretch: a flash,
/// or a blink of the camera.
bool ShotFinder::is_same_around(std::size_t first, std::size_t last, double from, double to) const {
    std::size_t before = first;
    while (before + 1 < last &&
           static_cast<double>(samples_[before + 1].frame) <= from - kFadeSideFrames) {
        ++before;
    }
    std::size_t after = before;
    while (after + 1 < last && static_cast<double>(samples_[after].frame) < to + kFadeSideFrames) {
        ++after;
    }
    const SmallPicture& a = samples_[before].picture;
    const SmallPicture& b = samples_[after].picture;
    return difference(a, b) < kFadeSameScene ||
           panned_difference(a, b, kFadeSameScene) < kFadeSameScene;
}

/// Fades to a flat dark or bright picture and back, among samples [first, last).
void ShotFinder::find_fades(std::size_t first, std::size_t last,
                            std::vector<std::int64_t>& into) const {
    const auto contrast_near = [&](std::size_t center, int direction, std::int64_t reach) {
        double most = 0;
        for (std::size_t i = center; i >= first && i < last;
             i += static_cast<std::size_t>(direction)) {
            if (std::abs(samples_[i].frame - samples_[center].frame) > reach) {
                break;
            }
            most = std::max(most, samples_[i].luma.deviation);
        }
        return most;
    };
    struct Edge {
        double frame = 0;
        bool is_abrupt = false;
    };
    /// The frame where contrast, going outward from the bottom, passes `level`.
    const auto edge = [&](std::size_t bottom, int direction, double level) {
        std::size_t inner = bottom;
        for (;;) {
            const std::size_t outer = inner + static_cast<std::size_t>(direction);
            if (outer < first || outer >= last) {
                return Edge{static_cast<double>(samples_[inner].frame), false};
            }
            if (samples_[outer].luma.deviation >= level) {
                const double frame = crossing(static_cast<double>(samples_[inner].frame),
                                              samples_[inner].luma.deviation,
                                              static_cast<double>(samples_[outer].frame),
                                              samples_[outer].luma.deviation, level);
                const double settled = contrast_near(outer, direction, kFadeAbruptFrames);
                return Edge{frame, samples_[outer].luma.deviation >= kFadeRisen * settled};
            }
            inner = outer;
        }
    };
    std::int64_t done_until = -1;
    for (std::size_t i = first + 1; i + 1 < last; ++i) {
        const auto& luma = samples_[i].luma;
        if (samples_[i].frame <= done_until || luma.deviation > samples_[i - 1].luma.deviation ||
            luma.deviation > samples_[i + 1].luma.deviation ||
            (luma.mean > kFadeDark && luma.mean < kFadeBright)) {
            continue;
        }
        const double left = contrast_near(i, -1, kTransitionReachFrames);
        const double right = contrast_near(i, 1, kTransitionReachFrames);
        if (std::min(left, right) < kFadeContrastMin ||
            luma.deviation > kFadeFlatness * std::min(left, right)) {
            continue;
        }
        const Edge from = edge(i, -1, kFadeFlatness * left);
        const Edge to = edge(i, 1, kFadeFlatness * right);
        done_until = std::llround(to.frame);
        // What comes and goes at once is a flash, or the business of cuts.
        if (!(from.is_abrupt && to.is_abrupt) &&
            !is_same_around(first, last, from.frame, to.frame)) {
            into.push_back(std::llround((from.frame + to.frame) / 2));
        }
    }
}

/// Tries samples about `reach` frames before and after `center` as the ends of a dissolve.
std::optional<ShotFinder::Dissolve> ShotFinder::dissolve_at(std::size_t first, std::size_t last,
                                                            std::size_t center, int reach) const {
    const std::int64_t frame = samples_[center].frame;
    std::size_t a = center;
    while (a > first && samples_[a].frame > frame - reach) {
        --a;
    }
    std::size_t b = center;
    while (b + 1 < last && samples_[b].frame < frame + reach) {
        ++b;
    }
    const bool has_both = samples_[a].frame <= frame - reach && samples_[b].frame >= frame + reach;
    if (!has_both || samples_[b].frame - samples_[a].frame > std::int64_t{3} * reach || b - a < 4) {
        return std::nullopt;
    }
    const SmallPicture& old_shot = samples_[a].picture;
    const SmallPicture& new_shot = samples_[b].picture;
    const SmallPicture& middle = samples_[center].picture;
    const Mix mix = mix_of(old_shot, new_shot, middle);
    // Into or out of a flat picture is a fade.
    if (std::min(samples_[a].luma.deviation, samples_[b].luma.deviation) < kFadeContrastMin) {
        return std::nullopt;
    }
    if (mix.residual > kDissolveResidualMiddle || mix.share < 0.2 || mix.share > 0.8 ||
        correlation(old_shot, new_shot) > kDissolveCorrelation) {
        return std::nullopt;
    }
    const auto half = half_way(a, b);
    const double distance = difference(old_shot, new_shot);
    if (!half || distance < kDissolveDistance) {
        return std::nullopt;
    }
    const auto is_near_middle = [&middle](const SmallPicture& end) {
        return difference(end, middle) < kDissolveMiddleDistance ||
               panned_difference(end, middle, kDissolveMiddleDistance) < kDissolveMiddleDistance;
    };
    if (is_near_middle(old_shot) || is_near_middle(new_shot)) {
        return std::nullopt;
    }
    return Dissolve{half->middle, distance * (1 - half->weight)};
}

/// Where the share of sample `b` passes one half on its way from sample `a`, with the mean residual
/// as weight; unset when the samples between are no steady mix of the two.
std::optional<ShotFinder::Dissolve> ShotFinder::half_way(std::size_t a, std::size_t b) const {
    double residual = 0;
    double last_share = 0;
    std::optional<double> half;
    for (std::size_t i = a + 1; i <= b; ++i) {
        const Mix mix = mix_of(samples_[a].picture, samples_[b].picture, samples_[i].picture);
        const double rise = mix.share - last_share;
        if (rise < -kDissolveStepBack || rise > kDissolveStepMax) {
            return std::nullopt;
        }
        if (!half && mix.share >= 0.5) {
            half = crossing(static_cast<double>(samples_[i - 1].frame), last_share,
                            static_cast<double>(samples_[i].frame), mix.share, 0.5);
        }
        residual += mix.residual;
        last_share = mix.share;
    }
    residual /= static_cast<double>(b - a);
    if (!half || residual > kDissolveResidual) {
        return std::nullopt;
    }
    return Dissolve{*half, residual};
}

/// Dissolves whose middle is at frame `from` or later, among samples [first, last).
void ShotFinder::find_dissolves(std::size_t first, std::size_t last, std::int64_t from,
                                std::vector<std::int64_t>& into) const {
    std::optional<Dissolve> best;
    for (std::size_t center = first + 1; center + 1 < last; ++center) {
        const std::int64_t frame = samples_[center].frame;
        if (frame < from) {
            continue;
        }
        if (best && static_cast<double>(frame) > best->middle + kGradualSpacingFrames) {
            into.push_back(std::llround(best->middle));
            best.reset();
        }
        for (const int reach : kDissolveReaches) {
            const auto found = dissolve_at(first, last, center, reach);
            if (found && (!best || found->weight > best->weight)) {
                best = found;
            }
        }
    }
    if (best) {
        into.push_back(std::llround(best->middle));
    }
}

std::vector<Boundary> ShotFinder::decide(std::int64_t until) {
    std::vector<std::int64_t> hard = cuts();
    hard.insert(hard.end(), told_cuts_.begin(), told_cuts_.end());
    std::ranges::sort(hard);
    std::vector<std::int64_t> all = hard;
    std::size_t first = 0;
    for (std::size_t k = 0; k <= hard.size(); ++k) {
        std::size_t last = samples_.size();
        if (k < hard.size()) {
            const auto at = std::ranges::lower_bound(samples_, hard[k], {}, &Sample::frame);
            last = static_cast<std::size_t>(at - samples_.begin());
        }
        std::vector<std::int64_t> gradual;
        find_fades(first, last, gradual);
        std::vector<std::int64_t> dissolves;
        find_dissolves(first, last, settled_, dissolves);
        for (const std::int64_t frame : dissolves) {
            const bool is_fade = std::ranges::any_of(gradual, [&](std::int64_t fade) {
                return std::abs(fade - frame) < kGradualSpacingFrames;
            });
            if (!is_fade) {
                all.push_back(frame);
            }
        }
        all.insert(all.end(), gradual.begin(), gradual.end());
        first = last;
    }
    std::ranges::sort(all);
    std::vector<Boundary> decided;
    for (const std::int64_t frame : all) {
        const bool is_hard = std::ranges::binary_search(hard, frame);
        const std::int64_t spacing = is_hard ? kShotFramesMin : kGradualSpacingFrames;
        if (frame < settled_ || frame >= until || frame - last_boundary_ < spacing) {
            continue;
        }
        decided.push_back({frame, time_of(frame)});
        last_boundary_ = frame;
    }
    settled_ = std::max(settled_, until);
    return decided;
}

/// Keeps what decisions after `settled_` may look back at.
void ShotFinder::forget() {
    const std::int64_t keep = settled_ - 2 * kTransitionReachFrames;
    while (!told_cuts_.empty() && told_cuts_.front() < keep) {
        told_cuts_.pop_front();
    }
    while (samples_.size() > kUsualReach + 1 && samples_[kUsualReach + 1].frame < keep) {
        samples_.pop_front();
    }
    const std::int64_t oldest = std::min(keep, samples_.empty() ? keep : samples_.front().frame);
    while (first_time_ < oldest && times_.size() > 1) {
        times_.pop_front();
        ++first_time_;
    }
}

std::vector<Boundary> ShotFinder::settle() {
    if (samples_.empty()) {
        return {};
    }
    const std::int64_t until = samples_.back().frame - 2 * kTransitionReachFrames;
    // Looking again is only worth it for a good stretch.
    if (until < settled_ + kTransitionReachFrames / 2) {
        return {};
    }
    std::vector<Boundary> decided = decide(until);
    forget();
    return decided;
}

std::vector<Boundary> ShotFinder::finish() {
    return decide(frame_count() + 1);
}

}  // namespace kinodex::media::plan
