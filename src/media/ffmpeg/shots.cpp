#include "media/ffmpeg/shots.h"

#include <algorithm>
#include <cmath>

#include "media/ffmpeg/input.h"

namespace kinodex::media {
namespace {

using plan::SmallPicture;

// Frames after the last spike that are looked at before a run may end: a flash must be over.
constexpr std::int64_t kAfterSpikeFrames = plan::kFlashFramesMax + 2;
// After a slow change, as many frames as finding its middle needs.
constexpr std::int64_t kAfterChangeFrames = 12;
// Local shots of one run that keep a frame as a possible picture.
constexpr int kRunPicturesMax = 6;

bool shows_same(const SmallPicture& a, const SmallPicture& b) {
    // The first test is cheap, and other scenes seldom pass it.
    constexpr double kColoursMayDiffer = 0.3;
    return plan::palette_difference(a, b) < kColoursMayDiffer &&
           (plan::difference(a, b) < plan::kSameScene ||
            plan::panned_difference(a, b, plan::kSameScene) < plan::kSameScene);
}

std::int64_t time_of_frame(const AVFrame& frame) {
    return frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
}

}  // namespace

ShotTrack::ShotTrack(const AVStream& stream, ShotDecoder decoder,
                     std::optional<PacketGlimpses> glimpses, double file_start_sec, int pictures_fd)
    : time_base_(stream.time_base),
      file_start_sec_(file_start_sec),
      codec_(stream.codecpar->codec_id),
      decoder_(std::move(decoder)),
      glimpses_(std::move(glimpses)),
      pictures_(pictures_fd, rotation_of(stream)) {
    AVRational rate = stream.avg_frame_rate;
    if (rate.num <= 0 || rate.den <= 0) {
        rate = {25, 1};
    }
    tick_step_ = std::max<std::int64_t>(1, av_rescale_q(1, av_inv_q(rate), time_base_));
}

base::Result<ShotTrack> ShotTrack::open(const AVStream& stream, double file_start_sec,
                                        int pictures_fd) {
    KN_TRY(decoder, ShotDecoder::open(stream));
    std::optional<PacketGlimpses> glimpses;
    if (PacketGlimpses::can_tell(*stream.codecpar)) {
        KN_TRY(opened, PacketGlimpses::open(stream));
        glimpses.emplace(std::move(opened));
    }
    return ShotTrack(stream, std::move(decoder), std::move(glimpses), file_start_sec, pictures_fd);
}

double ShotTrack::seconds(std::int64_t ticks) const {
    return static_cast<double>(ticks) * av_q2d(time_base_) - file_start_sec_;
}

base::Result<void> ShotTrack::push(const AVPacket& packet) {
    Held held;
    held.is_key = (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (packet.pts != AV_NOPTS_VALUE) {
        held.time = packet.pts;
    } else {
        has_all_times_ = false;
        held.time = packet.dts != AV_NOPTS_VALUE ? packet.dts : last_time_ + tick_step_;
    }
    last_time_ = held.time;
    end_time_ =
        std::max(end_time_, held.time + (packet.duration > 0 ? packet.duration : tick_step_));
    held.packet.reset(av_packet_clone(&packet));
    if (!held.packet) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    held.packet->pts = held.time;
    if (group_.empty()) {
        group_.push_back(std::move(held));
        key_ = look_at_key(group_.front());
        return {};
    }
    if (is_long_ && !held.is_key) {
        decoder_.feed(*held.packet, [this](const AVFrame& frame) {
            take_long(frame);
            return true;
        });
        return long_result_;
    }
    if (leading_.empty() && held.is_key) {
        leading_.push_back(std::move(held));
        return {};
    }
    if (!leading_.empty()) {
        if (!held.is_key && held.time < leading_.front().time) {
            leading_.push_back(std::move(held));
            return {};
        }
        // Only key frames so far: every frame stands alone, so several make one group.
        const bool all_key = held.is_key && leading_.size() == 1 && following_.empty() &&
                             !is_long_ && group_.size() < kIntraGroupPackets &&
                             std::ranges::all_of(group_, &Held::is_key);
        if (all_key) {
            group_.push_back(std::move(leading_.front()));
            leading_.clear();
            leading_.push_back(std::move(held));
            return {};
        }
        if (takes_following(held)) {
            following_.push_back(std::move(held));
            return {};
        }
        KN_PASS(close_group());
        if (held.is_key) {
            leading_.push_back(std::move(held));
            return {};
        }
    }
    group_bytes_ += static_cast<std::size_t>(held.packet->size);
    group_.push_back(std::move(held));
    if (group_bytes_ > kGroupBytesMax || group_.size() > kGroupPacketsMax) {
        begin_long_group();
    }
    return {};
}

/// What comes right after the next key frame also says how it goes on from the group.
bool ShotTrack::takes_following(const Held& held) const {
    if (!glimpses_ || held.is_key || following_.size() >= kFollowingPacketsMax) {
        return false;
    }
    return following_.empty() || held.time < following_.front().time;
}

/// Ends the group and makes the next key frame the start of a new one.
base::Result<void> ShotTrack::close_group() {
    if (is_long_) {
        end_long_group();
        KN_PASS(std::move(long_result_));
        next_key_ = leading_.empty() ? std::nullopt : look_at_key(leading_.front());
        KN_PASS(report(finder_.settle()));
    } else {
        KN_PASS(analyze_group());
    }
    base_ = finder_.frame_count();
    group_.clear();
    group_bytes_ = 0;
    if (!leading_.empty()) {
        group_.push_back(std::move(leading_.front()));
    }
    leading_.clear();
    for (Held& held : following_) {
        group_bytes_ += static_cast<std::size_t>(held.packet->size);
        group_.push_back(std::move(held));
    }
    following_.clear();
    key_ = next_key_;
    next_key_.reset();
    pan_ = next_pan_;
    next_pan_.reset();
    return {};
}

/// Tells the finder when the group's frames are shown.
void ShotTrack::lay_out_times() {
    times_.clear();
    const std::int64_t first = group_.front().time;
    const auto add = [&](const Held& held) {
        // Frames from before the first key frame cannot be decoded, discarded ones are not shown.
        if (held.time >= first && (held.packet->flags & AV_PKT_FLAG_DISCARD) == 0) {
            times_.push_back(held.time);
        }
    };
    std::ranges::for_each(group_, add);
    if (leading_.size() > 1) {
        std::for_each(leading_.begin() + 1, leading_.end(), add);
    }
    std::ranges::sort(times_);
    const auto repeated = std::ranges::unique(times_);
    times_.erase(repeated.begin(), repeated.end());
    base_ = finder_.frame_count();
    for (const std::int64_t time : times_) {
        finder_.add_frame(seconds(time));
    }
    std::int64_t latest = first;
    for (Held& held : group_) {
        held.is_between = held.time < latest;
        latest = std::max(latest, held.time);
    }
    for (Held& held : leading_) {
        held.is_between = held.time < latest && !held.is_key;
        latest = std::max(latest, held.time);
    }
}

std::int64_t ShotTrack::number_of(const Held& held) const {
    return base_ + (std::ranges::lower_bound(times_, held.time) - times_.begin());
}

std::optional<SmallPicture> ShotTrack::look_at_key(const Held& held) {
    const Frame frame = decoder_.decode_key(*held.packet);
    if (!frame) {
        return std::nullopt;
    }
    auto small = sampler_.sample(*frame);
    if (!small) {
        return std::nullopt;
    }
    has_any_ = true;
    pictures_.offer(seconds(held.time), *frame, picture_score(*frame, *small), true);
    return *small;
}

bool ShotTrack::can_leave_out(const Held& held) const {
    switch (codec_) {
        case AV_CODEC_ID_H264:
        case AV_CODEC_ID_MPEG1VIDEO:
        case AV_CODEC_ID_MPEG2VIDEO:
        case AV_CODEC_ID_MPEG4:
            // A reference that is missing is concealed by its neighbour: good enough to measure.
            return held.is_between;
        default:
            return std::ranges::all_of(group_, &Held::is_key);
    }
}

/// `wanted` marks packets that must be shown; what lies between two of the others in presentation
/// order comes along when it is cheap or needed.
ShotTrack::Pass ShotTrack::plan_pass(const std::vector<bool>& wanted,
                                     std::int64_t may_stop_at) const {
    Pass pass;
    pass.may_stop_at = may_stop_at;
    const bool all_key = std::ranges::all_of(group_, &Held::is_key);
    const auto feed_of = [&](std::size_t index, const Held& held) {
        if (!has_all_times_ || wanted[index] || index == 0) {
            return Feed::show;
        }
        if (all_key) {
            return index % 4 == 0 ? Feed::show : Feed::leave_out;
        }
        if (!held.is_between) {
            return Feed::show;
        }
        return can_leave_out(held) ? Feed::leave_out : Feed::for_reference;
    };
    for (std::size_t i = 0; i < group_.size(); ++i) {
        pass.packets.push_back({group_[i].packet.get(), feed_of(i, group_[i])});
    }
    bool needs_leading = false;
    const std::size_t end = pass.packets.size();
    for (std::size_t i = 0; i < leading_.size() && leading_.size() > 1; ++i) {
        const Feed feed = i == 0 ? Feed::show : feed_of(group_.size() + i, leading_[i]);
        needs_leading = needs_leading || (i > 0 && feed != Feed::leave_out);
        pass.packets.push_back({leading_[i].packet.get(), feed});
    }
    if (!needs_leading) {
        pass.packets.resize(end);
    }
    return pass;
}

void ShotTrack::run(const Pass& pass, Samples& into) {
    struct Best {
        double time_sec = 0;
        double score = 0;
        Frame frame;
    };
    std::vector<Best> bests;
    std::optional<SmallPicture> last;
    std::int64_t shown = 0;
    std::int64_t last_jump = -1;
    std::int64_t same_since = -1;
    decoder_.decode_run(pass.packets, [&](const AVFrame& frame) {
        const std::int64_t ticks = time_of_frame(frame);
        const auto at = std::ranges::lower_bound(times_, ticks);
        std::int64_t index = at - times_.begin();
        if (!has_all_times_) {
            index = shown++;
        } else if (at == times_.end() || *at != ticks) {
            return true;  // the next group's key frame
        }
        auto small = sampler_.sample(frame);
        if (!small || index >= std::ssize(times_)) {
            return true;
        }
        has_any_ = true;
        const std::int64_t number = base_ + index;
        const bool is_new = !last || plan::is_jump(plan::difference(*last, *small), 0);
        last_jump = is_new && last ? number : last_jump;
        const double score = picture_score(frame, *small);
        if (is_new && std::ssize(bests) < kRunPicturesMax) {
            bests.push_back({});
        }
        if (Best& best = bests.back(); score > best.score || !best.frame) {
            best = {seconds(times_[static_cast<std::size_t>(index)]), score,
                    Frame(av_frame_clone(&frame))};
        }
        into[number] = *small;
        last = *small;
        // Long enough past all spikes and cuts, and since then like the next key frame: all is
        // told.
        if (!next_key_ || !shows_same(*small, *next_key_)) {
            same_since = -1;
            return true;
        }
        same_since = same_since < 0 ? number : same_since;
        const std::int64_t needed = last_jump >= 0 ? kAfterSpikeFrames : kAfterChangeFrames;
        return number < pass.may_stop_at || number < last_jump + kAfterSpikeFrames ||
               number < same_since + needed;
    });
    for (const Best& best : bests) {
        if (best.frame) {
            pictures_.offer(best.time_sec, *best.frame, best.score, false);
        }
    }
}

/// Packets that were left out between two frames whose difference stands out.
std::vector<bool> ShotTrack::unresolved(const Samples& samples) const {
    std::vector<bool> found(group_.size() + leading_.size(), false);
    std::vector<double> steps;
    for (auto next = samples.begin(); next != samples.end(); ++next) {
        if (next != samples.begin()) {
            steps.push_back(plan::difference(std::prev(next)->second, next->second));
        }
    }
    const double usual = plan::median_of(steps);
    if (samples.empty()) {
        return found;
    }
    std::size_t k = 0;
    for (auto next = std::next(samples.begin()); next != samples.end(); ++next, ++k) {
        const std::int64_t from = std::prev(next)->first;
        const std::int64_t to = next->first;
        // Among steps of its size it is a fade or a pan going on, and needs no exact frame.
        const double beside =
            std::max(k > 0 ? steps[k - 1] : 0, k + 1 < steps.size() ? steps[k + 1] : 0);
        if (to - from < 2 || !plan::is_jump(steps[k], usual) ||
            steps[k] < plan::kStandsOut * beside) {
            continue;
        }
        const auto mark = [&](const Group& all, std::size_t offset) {
            for (std::size_t i = 0; i < all.size(); ++i) {
                const std::int64_t number = number_of(all[i]);
                if (number > from && number < to) {
                    found[offset + i] = true;
                }
            }
        };
        mark(group_, 0);
        mark(leading_, group_.size());
    }
    return found;
}

base::Result<void> ShotTrack::analyze_group() {
    lay_out_times();
    next_key_ = leading_.empty() ? std::nullopt : look_at_key(leading_.front());
    const std::vector<bool> spiking = spikes();
    const bool has_spike = std::ranges::find(spiking, true) != spiking.end();
    const Verdict verdict = judge(spiking);
    Samples samples;
    if (key_) {
        samples[base_] = *key_;
    }
    if (verdict == Verdict::look_inside && times_.size() > 1) {
        std::vector<bool> wanted = spiking;
        std::int64_t may_stop_at = base_;
        if (has_spike) {
            // Around a spike every frame counts: those shown between it and its neighbours.
            std::int64_t last_spike = 0;
            std::int64_t before = base_;
            for (std::size_t i = 0; i < group_.size(); ++i) {
                const std::int64_t number = number_of(group_[i]);
                if (spiking[i]) {
                    last_spike = std::max(last_spike, number);
                    for (std::size_t k = 0; k < group_.size(); ++k) {
                        const std::int64_t other = number_of(group_[k]);
                        wanted[k] = wanted[k] || (other > before && other < number);
                    }
                }
                before = group_[i].is_between ? before : number;
            }
            may_stop_at = last_spike + kAfterSpikeFrames;
        }
        run(plan_pass(wanted, may_stop_at), samples);
        Samples all = samples;
        if (next_key_) {
            all[finder_.frame_count()] = *next_key_;
        }
        const std::vector<bool> missing = unresolved(all);
        if (std::ranges::find(missing, true) != missing.end()) {
            for (std::size_t i = 0; i < missing.size(); ++i) {
                wanted[i] = wanted[i] || missing[i];
            }
            run(plan_pass(wanted, finder_.frame_count()), samples);
        }
    }
    for (const auto& [number, small] : samples) {
        finder_.add_sample(number, small, number == base_ ? link_ : plan::Link::measured);
    }
    if (verdict == Verdict::cut_at_spike) {
        finder_.add_cut(*told_cut_);
    }
    link_ = verdict == Verdict::same_shot || verdict == Verdict::cut_at_spike
                ? plan::Link::same_shot
            : verdict == Verdict::cut_at_end ? plan::Link::cut
                                             : plan::Link::measured;
    return report(finder_.settle());
}

void ShotTrack::begin_long_group() {
    is_long_ = true;
    base_ = finder_.frame_count();
    decoder_.begin_run();
    for (const Held& held : group_) {
        decoder_.feed(*held.packet, [this](const AVFrame& frame) {
            take_long(frame);
            return true;
        });
    }
    group_.resize(1);
}

void ShotTrack::take_long(const AVFrame& frame) {
    auto small = sampler_.sample(frame);
    const std::int64_t number = finder_.frame_count();
    const double time_sec = seconds(time_of_frame(frame));
    finder_.add_frame(time_sec);
    if (!small) {
        return;
    }
    has_any_ = true;
    finder_.add_sample(number, *small);
    if (number % 8 == 0) {
        pictures_.offer(time_sec, frame, picture_score(frame, *small), false);
    }
    if (number % plan::kTransitionReachFrames == 0) {
        auto reported = report(finder_.settle());
        long_result_ = long_result_ ? std::move(reported) : std::move(long_result_);
    }
}

void ShotTrack::end_long_group() {
    decoder_.end_run([this](const AVFrame& frame) {
        take_long(frame);
        return true;
    });
    is_long_ = false;
    link_ = plan::Link::measured;
}

base::Result<void> ShotTrack::report(const std::vector<plan::Boundary>& boundaries) {
    if (!has_frames_ && finder_.frame_count() > 0) {
        has_frames_ = true;
        shot_start_sec_ = finder_.time_of(0);
    }
    for (const plan::Boundary& each : boundaries) {
        if (shots_.size() >= kShotsMax) {
            break;
        }
        Shot shot{shot_start_sec_, each.time_sec};
        KN_PASS(pictures_.take(shot));
        shots_.push_back(shot);
        shot_start_sec_ = each.time_sec;
    }
    pictures_.thin_out(shot_start_sec_, finder_.time_of(finder_.settled_frame()));
    return {};
}

base::Result<std::vector<Shot>> ShotTrack::finish() {
    if (!group_.empty()) {
        KN_PASS(close_group());
    }
    if (!group_.empty()) {
        KN_PASS(close_group());
    }
    if (!has_any_) {
        return std::vector<Shot>{};
    }
    KN_PASS(report(finder_.finish()));
    const double last = finder_.time_of(finder_.frame_count() - 1);
    Shot shot{shot_start_sec_, std::max(seconds(end_time_), last)};
    KN_PASS(pictures_.take(shot));
    shots_.push_back(shot);
    return std::move(shots_);
}

}  // namespace kinodex::media
