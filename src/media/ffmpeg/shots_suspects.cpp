// Telling cuts from single packets: those that could begin a scene are looked at alone.
#include <algorithm>
#include <cmath>
#include <limits>

#include "media/ffmpeg/shots.h"

namespace kinodex::media {
namespace {

// The first packet of a scene is at least this part of the next key frame, which shows that scene.
constexpr double kSceneOfKey = 0.3;
// Such a packet rises above those around it, unless it is larger still: noise fills all of them.
constexpr double kSceneRise = 1.4;
constexpr double kSceneOfKeyInNoise = 0.45;
constexpr std::size_t kSceneReach = 3;
// Looking at more packets alone than this would cost as much as a run.
constexpr std::size_t kSuspectsMax = 3;
// Parts of the picture that are coded by themselves: right after a cut, and in the fastest motion.
constexpr double kOwnShareOfCut = 0.95;
constexpr double kOwnShareOfMotion = 0.85;
// What little is taken from elsewhere spreads over the blocks after it: the picture is not exact.
constexpr double kNearlyAlike = 30;
constexpr double kNearlyAlikeOfChange = 0.75;
// Parts of a B frame that are predicted from its own scene, and by chance from another.
constexpr double kOneSide = 0.8;
constexpr double kOtherSide = 0.15;

// A pan: so much of the picture moves alike, and of what was predicted at all, and so far.
constexpr double kPanMovedShare = 0.25;
constexpr double kPanAgreement = 0.7;
constexpr double kPanPixels = 8;
constexpr double kPanMayDiffer = 0.1;

/// Time of the first of these B frames that is of the scene after them, or `after` if none is;
/// unset where they do not part plainly. A B frame is predicted from its own scene only: from both
/// sides where both are of it.
std::optional<std::int64_t> first_of_scene(std::span<const Glimpse> between, std::int64_t after) {
    std::optional<std::int64_t> first;
    bool is_parted = between.empty();
    for (const Glimpse& each : between) {
        const bool is_old = each.from_before > kOneSide && each.from_after < kOtherSide;
        const bool is_new = each.from_after > kOneSide && each.from_before < kOtherSide;
        if ((is_old && first) || each.own_share > kOtherSide) {
            return std::nullopt;
        }
        is_parted = is_parted || is_old || is_new;
        first = is_new && !first ? each.time : first;
    }
    return is_parted ? std::optional(first.value_or(after)) : std::nullopt;
}

}  // namespace

/// Packets that could be the first of a new scene, or the first that is decoded of it.
std::vector<std::size_t> ShotTrack::possible_cuts() const {
    std::vector<std::size_t> anchors;
    for (std::size_t i = 1; i < group_.size(); ++i) {
        if (!group_[i].is_between) {
            anchors.push_back(i);
        }
    }
    std::vector<std::size_t> found;
    const auto size_of = [&](std::size_t k) {
        return static_cast<double>(group_[anchors[k]].packet->size);
    };
    const double of_key = leading_.empty() ? 0 : leading_.front().packet->size;
    for (std::size_t k = 0; k < anchors.size(); ++k) {
        double beside = 0;
        const std::size_t end = std::min(anchors.size(), k + kSceneReach + 1);
        for (std::size_t other = k > kSceneReach ? k - kSceneReach : 0; other < end; ++other) {
            beside = other != k ? std::max(beside, size_of(other)) : beside;
        }
        const double size = size_of(k);
        if (size > kSceneOfKeyInNoise * of_key ||
            (size > kSceneOfKey * of_key && size > kSceneRise * beside)) {
            found.push_back(anchors[k]);
        }
    }
    return found;
}

/// Nothing but this packet is uneven in the group.
bool ShotTrack::stands_alone(std::size_t suspect) const {
    const std::int64_t frame = number_of(group_[suspect]);
    return is_calm(base_, frame) && is_calm(frame + 1, base_ + std::ssize(times_));
}

ShotTrack::CutSearch ShotTrack::search_cut(std::span<const std::size_t> suspects) {
    if (!glimpses_ || !has_all_times_ || suspects.size() > kSuspectsMax) {
        return {};
    }
    std::optional<std::int64_t> cut;
    for (const std::size_t suspect : suspects) {
        const CutSearch seen = look_at_suspect(suspect);
        if (!seen.has_none && (!seen.cut || cut || !stands_alone(suspect))) {
            return {};
        }
        cut = seen.cut ? seen.cut : cut;
    }
    return {cut, !cut};
}

/// The frame decoded before this one was mostly predicted: no flash or fade is right before.
bool ShotTrack::follows_same_shot(std::size_t suspect) {
    std::size_t before = suspect - 1;
    while (before > 0 && group_[before].is_between) {
        --before;
    }
    if (before == 0) {
        return true;
    }
    const std::vector<const AVPacket*> packets = {group_[before].packet.get()};
    const std::vector<Glimpse> seen = glimpses_->look(packets);
    return seen.size() == 1 && seen.front().own_share < kOwnShareOfMotion;
}

/// Neither a cut nor none: its blocks do not say.
ShotTrack::CutSearch ShotTrack::look_at_suspect(std::size_t suspect) {
    const Held& held = group_[suspect];
    const std::vector<const AVPacket*> alone = {held.packet.get()};
    const std::vector<Glimpse> first_look = glimpses_->look(alone);
    if (first_look.size() != 1) {
        return {};
    }
    if (first_look.front().own_share < kOwnShareOfMotion) {
        return {{}, true};
    }
    // What little it takes from elsewhere looks nearly right from the key frame.
    std::vector<const AVPacket*> packets = {group_.front().packet.get(), held.packet.get()};
    std::int64_t shown_before = group_.front().time;
    for (std::size_t i = 1; i < suspect; ++i) {
        shown_before = std::max(shown_before, group_[i].time);
    }
    for (std::size_t i = suspect + 1; i < group_.size() && group_[i].is_between; ++i) {
        if (group_[i].time > shown_before) {
            packets.push_back(group_[i].packet.get());
        }
    }
    std::vector<Glimpse> seen = glimpses_->look(packets);
    std::ranges::sort(seen, {}, &Glimpse::time);
    if (seen.size() != packets.size() || seen.back().time != held.time) {
        return {};
    }
    const std::span between = std::span(seen).subspan(1, seen.size() - 2);
    const bool is_motion =
        !between.empty() && std::ranges::all_of(between, [](const Glimpse& each) {
            return std::min(each.from_before, each.from_after) > kOtherSide;
        });
    if (is_motion) {
        return {{}, true};
    }
    const auto small = sampler_.sample(*seen.back().frame);
    const double alike =
        std::min(kNearlyAlike, kNearlyAlikeOfChange * plan::difference(*key_, *next_key_));
    const bool is_cut = seen.back().own_share > kOwnShareOfCut && small &&
                        plan::is_plainly_new(*key_, *small) &&
                        plan::difference(*small, *next_key_) < alike && follows_same_shot(suspect);
    const auto first = is_cut ? first_of_scene(between, held.time) : std::nullopt;
    if (!first) {
        return {};
    }
    return {base_ + (std::ranges::lower_bound(times_, *first) - times_.begin()), false};
}

/// The camera's motion against the frame shown `frames` earlier, where nearly all blocks agree.
std::optional<ShotTrack::Motion> ShotTrack::motion_of(std::span<const AVPacket* const> packets,
                                                      std::int64_t time, double frames) {
    const std::vector<Glimpse> seen = glimpses_->look(packets);
    const auto at = std::ranges::find(seen, time, &Glimpse::time);
    if (at == seen.end() || at->moved_share < kPanMovedShare ||
        at->moved_share < kPanAgreement * at->from_before) {
        return std::nullopt;
    }
    return Motion{at->motion_x / frames, at->motion_y / frames};
}

/// Of the first frame that is shown after a key frame; `after` follows it in decoding order.
std::optional<ShotTrack::Motion> ShotTrack::motion_after_key(const Held& key,
                                                             std::span<const Held> after) {
    std::vector<const AVPacket*> packets;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    for (const Held& held : after) {
        if (!packets.empty() && held.time > after.front().time) {
            break;
        }
        packets.push_back(held.packet.get());
        first = held.time > key.time ? std::min(first, held.time) : first;
    }
    return packets.empty() ? std::nullopt : motion_of(packets, first, 1);
}

/// Whether the camera pans on, fast and steadily, from the group's key frame through the next one.
/// No two shots move alike by chance, so nothing was cut in between.
bool ShotTrack::is_steady_pan() {
    if (!glimpses_ || !has_all_times_ || following_.empty() || leading_.size() != 1) {
        return false;
    }
    std::size_t last = group_.size() - 1;
    while (last > 0 && group_[last].is_between) {
        --last;
    }
    std::size_t before = last;
    do {
        before -= before > 0 ? 1 : 0;
    } while (before > 0 && group_[before].is_between);
    if (last == 0 || group_[last].time != times_.back()) {
        return false;
    }
    const auto apart = static_cast<double>(number_of(group_[last]) - number_of(group_[before]));
    const std::vector<const AVPacket*> packets = {group_[last].packet.get()};
    const auto at_end = motion_of(packets, group_[last].time, apart);
    if (!at_end || std::hypot(at_end->x, at_end->y) < kPanPixels) {
        return false;
    }
    const auto is_like_end = [&](const std::optional<Motion>& other) {
        return other && std::hypot(other->x - at_end->x, other->y - at_end->y) <
                            kPanMayDiffer * std::hypot(at_end->x, at_end->y);
    };
    const auto at_start =
        pan_ ? pan_ : motion_after_key(group_.front(), std::span(group_).subspan(1));
    if (!is_like_end(at_start)) {
        return false;
    }
    next_pan_ = motion_after_key(leading_.front(), following_);
    return is_like_end(next_pan_);
}

}  // namespace kinodex::media
