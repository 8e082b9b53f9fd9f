// What can be known of a group of pictures from its key frames and the sizes of its packets, before
// any of it is decoded in order.
#include <algorithm>
#include <limits>

#include "media/ffmpeg/shots.h"

namespace kinodex::media {
namespace {

// The first frame after a cut is coded nearly like a key frame: well above its neighbours, and not
// tiny beside the last key frame.
constexpr double kSpikeOverUsual = 2.0;
constexpr double kSpikeOfKey = 0.25;
// Neighbours on each side that say what is usual: motion and rate control change it soon.
constexpr std::size_t kSpikeReach = 5;
constexpr std::size_t kGroupLengthsMax = 16;
// A group this part shorter than the longest still ends by the clock.
constexpr std::size_t kClockSlack = 16;
// Bytes a frame, averaged over this many frames, stay this close to their median within a shot.
constexpr std::size_t kSizeWindowFrames = 6;
constexpr double kUnevenRise = 1.45;
constexpr double kUnevenFall = 0.35;
// Right after a key frame sizes start low, as its detail still serves.
constexpr std::int64_t kAfterKeyFrames = 10;
// The last frames before a key frame, where a transition may have begun.
constexpr std::int64_t kTailFrames = 10;
constexpr double kEvenAnchors = 1.8;
// Where noise fills every packet, a cut costs only this much more than its neighbours, once.
constexpr double kFaintSpike = 1.35;
constexpr double kFaintRival = 1.2;
constexpr std::size_t kFaintReach = 3;
// No transition to another scene leaves the colours this equal.
constexpr double kEqualPalette = 0.16;

}  // namespace

/// Which packets of the group are far larger than those around them, as the first one after a cut
/// is: nothing it could be predicted from. B frames have both sides to be predicted from.
std::vector<bool> ShotTrack::spikes() const {
    std::vector<bool> found(group_.size() + leading_.size(), false);
    std::vector<std::size_t> anchors;
    for (std::size_t i = 1; i < group_.size(); ++i) {
        if (!group_[i].is_between) {
            anchors.push_back(i);
        }
    }
    const double least = kSpikeOfKey * group_.front().packet->size;
    const auto usual = [&](std::size_t from, std::size_t to) {
        std::vector<double> sizes;
        for (std::size_t k = from; k < std::min(to, anchors.size()); ++k) {
            sizes.push_back(group_[anchors[k]].packet->size);
        }
        return plan::median_of(std::move(sizes));
    };
    for (std::size_t k = 0; k < anchors.size(); ++k) {
        // Above both sides: where a busier stretch begins, sizes step up and stay.
        const double before = usual(k > kSpikeReach ? k - kSpikeReach : 0, k);
        const double after = usual(k + 1, k + 1 + kSpikeReach);
        const double size = group_[anchors[k]].packet->size;
        found[anchors[k]] = size > least && size > kSpikeOverUsual * std::max(before, after);
    }
    return found;
}

/// Whether bytes a frame rise or sink for a while: transitions cost bits, black frames none. Motion
/// and detail cost the same all along.
/// Looks at frames [from, to) of the group.
bool ShotTrack::is_uneven(std::int64_t from, std::int64_t to) const {
    std::vector<std::pair<std::int64_t, int>> sizes;
    for (std::size_t i = 1; i < group_.size(); ++i) {
        const std::int64_t number = number_of(group_[i]);
        if (number >= from && number < to) {
            sizes.emplace_back(number, group_[i].packet->size);
        }
    }
    std::ranges::sort(sizes);
    std::vector<double> sums;
    double sum = 0;
    double least = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        sum += sizes[i].second;
        if (i + 1 >= kSizeWindowFrames) {
            sums.push_back(sum);
            if (sizes[i].first > base_ + kAfterKeyFrames) {
                least = std::min(least, sum);
            }
            sum -= sizes[i + 1 - kSizeWindowFrames].second;
        }
    }
    if (sums.empty()) {
        return true;
    }
    const double usual = plan::median_of(sums);
    const double most = *std::ranges::max_element(sums);
    return most > kUnevenRise * usual || least < kUnevenFall * usual;
}

/// Frames [from, to) are even, or too few to hide a transition or a flash.
bool ShotTrack::is_calm(std::int64_t from, std::int64_t to) const {
    return to - from < static_cast<std::int64_t>(kSizeWindowFrames) || !is_uneven(from, to);
}

/// The frame of the one large packet in an otherwise even group, shown right after a frame that was
/// decoded before it: nothing but a cut costs bits once.
std::optional<std::int64_t> ShotTrack::clean_spike(const std::vector<bool>& spiking) const {
    if (std::ranges::count(spiking, true) != 1 || !has_all_times_) {
        return std::nullopt;
    }
    const auto index = static_cast<std::size_t>(std::ranges::find(spiking, true) - spiking.begin());
    const std::int64_t frame = number_of(group_[index]);
    const std::int64_t end = base_ + std::ssize(times_);
    std::int64_t shown_before = base_;
    for (std::size_t i = 0; i < index; ++i) {
        shown_before = std::max(shown_before, number_of(group_[i]));
    }
    const bool is_clean =
        shown_before == frame - 1 && !is_uneven(base_, frame) && !is_uneven(frame + 1, end);
    return is_clean ? std::optional(frame) : std::nullopt;
}

/// No frame that others refer to is much larger than usual in the few frames before the group's
/// end: nothing fades or dissolves there. Packets `but_for` are known to be of the same scene.
bool ShotTrack::has_even_tail(std::span<const std::size_t> but_for) const {
    const std::int64_t tail = base_ + std::ssize(times_) - kTailFrames;
    std::vector<double> sizes;
    double largest = 0;
    for (std::size_t i = 1; i < group_.size(); ++i) {
        if (!group_[i].is_between) {
            const double size = group_[i].packet->size;
            sizes.push_back(size);
            if (number_of(group_[i]) >= tail && std::ranges::find(but_for, i) == but_for.end()) {
                largest = std::max(largest, size);
            }
        }
    }
    return !sizes.empty() && largest < kEvenAnchors * plan::median_of(sizes);
}

/// Where nothing else is uneven and the scene is plainly new: the one packet that stands out a bit
/// among those that are coded like it, each right after the frame shown before it.
std::optional<std::int64_t> ShotTrack::faint_spike() const {
    struct Anchor {
        std::int64_t frame = 0;
        double size = 0;
    };
    std::vector<Anchor> anchors;
    std::int64_t latest = base_;
    for (std::size_t i = 1; i < group_.size(); ++i) {
        const std::int64_t frame = number_of(group_[i]);
        if (!group_[i].is_between && frame == latest + 1) {
            anchors.push_back({frame, static_cast<double>(group_[i].packet->size)});
        }
        latest = std::max(latest, frame);
    }
    std::optional<std::int64_t> found;
    double best = 0;
    double second = 0;
    for (std::size_t k = kFaintReach; k + kFaintReach < anchors.size(); ++k) {
        std::vector<double> near;
        for (std::size_t other = k - kFaintReach; other <= k + kFaintReach; ++other) {
            if (other != k) {
                near.push_back(anchors[other].size);
            }
        }
        std::ranges::sort(near);
        // The second largest: one odd neighbour does not count.
        const double ratio = anchors[k].size / std::max(1.0, near[near.size() - 2]);
        if (ratio > best) {
            second = best;
            best = ratio;
            found = anchors[k].frame;
        } else {
            second = std::max(second, ratio);
        }
    }
    return best > kFaintSpike && second < kFaintRival && has_all_times_ ? found : std::nullopt;
}

ShotTrack::Verdict ShotTrack::judge(const std::vector<bool>& spiking) {
    const auto longest = std::ranges::max_element(group_lengths_);
    const bool has_history = longest != group_lengths_.end();
    const bool is_by_clock = has_history && times_.size() + times_.size() / kClockSlack >= *longest;
    group_lengths_.push_back(times_.size());
    if (group_lengths_.size() > kGroupLengthsMax) {
        group_lengths_.pop_front();
    }
    told_cut_.reset();
    if (!key_ || !next_key_) {
        return Verdict::look_inside;
    }
    const auto spike_count = std::ranges::count(spiking, true);
    if (plan::difference(*key_, *next_key_) < plan::kSameScene) {
        // Away to another shot and back takes two cuts.
        return spike_count > 1 ? Verdict::look_inside : Verdict::same_shot;
    }
    if (std::ranges::all_of(group_, &Held::is_key)) {
        return Verdict::look_inside;
    }
    const bool may_tell_cut = is_by_clock && plan::is_plainly_new(*key_, *next_key_);
    const bool is_even = !is_uneven(base_, finder_.frame_count());
    if (may_tell_cut && spike_count > 0) {
        told_cut_ = clean_spike(spiking);
    } else if (!may_tell_cut && spike_count == 0) {
        const Verdict verdict = judge_even(is_by_clock, has_history, {});
        if (verdict != Verdict::look_inside) {
            return verdict;
        }
    }
    if (!told_cut_ && is_by_clock && is_even && is_steady_pan()) {
        return Verdict::same_shot;
    }
    if (may_tell_cut && spike_count == 0) {
        told_cut_ = faint_spike();
    }
    if (told_cut_) {
        return Verdict::cut_at_spike;
    }
    const std::vector<std::size_t> suspects = possible_cuts();
    const Verdict if_none =
        is_even ? judge_even(is_by_clock, has_history, suspects) : Verdict::look_inside;
    const bool is_worth_it =
        if_none != Verdict::look_inside ||
        (may_tell_cut && std::ranges::any_of(suspects, [this](auto k) { return stands_alone(k); }));
    const CutSearch search = is_worth_it ? search_cut(suspects) : CutSearch{};
    if (search.has_none) {
        return if_none;
    }
    told_cut_ = may_tell_cut ? search.cut : std::nullopt;
    return told_cut_ ? Verdict::cut_at_spike : Verdict::look_inside;
}

/// Of a group without a packet that begins a scene; `cleared` packets were looked at alone.
ShotTrack::Verdict ShotTrack::judge_even(bool is_by_clock, bool has_history,
                                         std::span<const std::size_t> cleared) const {
    if (is_uneven(base_, finder_.frame_count())) {
        // Bits come and go with motion too, but that keeps its colours.
        const bool is_motion =
            is_by_clock && plan::palette_difference(*key_, *next_key_) < kEqualPalette;
        return is_motion ? Verdict::same_shot : Verdict::look_inside;
    }
    if (is_by_clock) {
        // The encoder saw no cut, and nothing cost extra. A cut right at the key frame remains.
        return plan::is_motion(*key_, *next_key_) ? Verdict::same_shot : Verdict::look_inside;
    }
    // A key frame that came early is mostly the encoder's answer to a cut; or to a flash or a fade.
    const bool is_cut =
        has_history && plan::is_plainly_new(*key_, *next_key_) && has_even_tail(cleared);
    return is_cut ? Verdict::cut_at_end : Verdict::look_inside;
}

}  // namespace kinodex::media
