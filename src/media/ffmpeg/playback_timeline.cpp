#include "media/ffmpeg/playback_timeline.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kinodex::media {
namespace {

// A frame shown this much later than it is decoded, or a hole this long, is a broken clock.
constexpr std::int64_t kReorderSecMax = 20;
constexpr std::int64_t kHoleSecMax = 3600;

// hls.js takes a segment's decode time for its playlist time; up to this much they may differ.
constexpr std::int64_t kLateStartSec = 1;

constexpr double kPrimingKeptSec = 0.1;  // Opus asks for 80 ms of pre-roll (RFC 7845, 4.6)

// Pictures before an edit are put within one millisecond, in a clock fine enough for that.
constexpr std::uint32_t kHiddenPicturesMax = 1000;
constexpr std::uint32_t kTimescaleForHidden = 1000;
constexpr std::int64_t kFinerMax = 1024;

constexpr std::int64_t kTicksMax = 1LL << 50;

std::int64_t in_ticks(Moment moment, std::uint32_t timescale) {
    return av_rescale(moment.ticks, timescale, moment.timescale);
}

std::int64_t start_of(const TrackIndex& track) {
    if (track.start) {
        return *track.start;
    }
    std::int64_t earliest = track.samples.front().pts;
    for (const IndexedSample& sample : track.samples) {
        earliest = std::min(earliest, sample.pts);
    }
    return earliest;
}

/// From the last key frame at or before `start` on: earlier ones are neither seen nor needed.
std::vector<IndexedSample> from_start(const TrackIndex& track, std::int64_t start) {
    auto first = std::ranges::find(track.samples, true, &IndexedSample::is_key);
    for (auto each = first; each != track.samples.end(); ++each) {
        if (each->is_key && each->pts <= start) {
            first = each;
        }
    }
    return {first, track.samples.end()};
}

/// Leading pictures of a first open group refer to what is not there.
void drop_leading(std::vector<IndexedSample>& samples) {
    const std::int64_t key = samples.front().pts;
    const auto end = std::find_if(samples.begin() + 1, samples.end(),
                                  [](const IndexedSample& s) { return s.is_key; });
    const auto kept = std::remove_if(samples.begin() + 1, end,
                                     [key](const IndexedSample& s) { return s.pts < key; });
    samples.erase(kept, end);
}

struct Order {
    std::vector<std::int64_t> decode;  // times, strictly ascending
    std::vector<std::int64_t> shown;   // by sample
};

/// Presentation times made distinct, none before `start`, and the same times in ascending order.
Order put_in_order(const std::vector<IndexedSample>& samples, std::int64_t start) {
    std::vector<std::uint32_t> by_time(samples.size());
    for (std::uint32_t i = 0; i < by_time.size(); ++i) {
        by_time[i] = i;
    }
    std::ranges::sort(by_time, [&](std::uint32_t a, std::uint32_t b) {
        return samples[a].pts != samples[b].pts ? samples[a].pts < samples[b].pts : a < b;
    });
    Order order;
    order.decode.reserve(samples.size());
    order.shown.resize(samples.size());
    std::int64_t next = start;
    for (const std::uint32_t i : by_time) {
        const std::int64_t time = std::max(samples[i].pts, next);
        order.decode.push_back(time);
        order.shown[i] = time;
        next = time + 1;
    }
    return order;
}

std::optional<Timeline> make_samples(const std::vector<IndexedSample>& samples, const Order& order,
                                     std::uint32_t timescale) {
    Timeline timeline;
    timeline.plan.info.timescale = timescale;
    auto& out = timeline.plan.samples;
    out.reserve(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const bool is_last = i + 1 == samples.size();
        std::int64_t duration = is_last ? 0 : order.decode[i + 1] - order.decode[i];
        if (is_last) {
            // The last picture stays as long as the container says, or as the one before.
            const auto shown_last = std::ranges::max_element(order.shown) - order.shown.begin();
            duration = samples[static_cast<std::size_t>(shown_last)].duration;
            if (duration == 0 || duration > kReorderSecMax * timescale) {
                duration = i > 0 ? out.back().duration : timescale / 25;
            }
            duration = std::max<std::int64_t>(duration, 1);
        }
        const std::int64_t offset = order.shown[i] - order.decode[i];
        if (duration > std::min<std::int64_t>(kHoleSecMax * timescale, UINT32_MAX) ||
            std::abs(offset) > std::min<std::int64_t>(kReorderSecMax * timescale, INT32_MAX)) {
            return std::nullopt;
        }
        out.push_back({samples[i].offset, samples[i].size, static_cast<std::uint32_t>(duration),
                       static_cast<std::int32_t>(offset), samples[i].is_key});
    }
    return timeline;
}

/// Adds `late` to all presentation offsets and makes them positive; an edit list takes back what
/// that cost. False when an offset no longer fits.
bool lift_offsets(Timeline& timeline, std::int64_t late) {
    std::int64_t least = 0;
    for (const plan::Sample& sample : timeline.plan.samples) {
        least = std::min(least, sample.cts_offset + late);
    }
    for (plan::Sample& sample : timeline.plan.samples) {
        const std::int64_t lifted = sample.cts_offset + late - least;
        if (lifted > INT32_MAX) {
            return false;
        }
        sample.cts_offset = static_cast<std::int32_t>(lifted);
    }
    timeline.skipped = static_cast<std::uint32_t>(-least);
    return true;
}

/// No sum or product of times that pass this overflows.
bool has_sane_times(const TrackIndex& track) {
    return std::ranges::all_of(track.samples, [](const IndexedSample& sample) {
        return std::abs(sample.pts) <= kTicksMax;
    });
}

}  // namespace

Moment presentation_start(const std::vector<TrackIndex>& tracks) {
    Moment earliest;
    bool is_first = true;
    for (const TrackIndex& track : tracks) {
        const std::int64_t ticks = start_of(track);
        if (is_first || av_compare_ts(ticks, {1, static_cast<int>(track.timescale)}, earliest.ticks,
                                      {1, static_cast<int>(earliest.timescale)}) < 0) {
            earliest = {ticks, track.timescale};
        }
        is_first = false;
    }
    return earliest;
}

std::optional<Timeline> make_video_timeline(const TrackIndex& track, Moment start) {
    if (!has_sane_times(track)) {
        return std::nullopt;
    }
    const std::int64_t own_start = start_of(track);
    std::vector<IndexedSample> samples = from_start(track, own_start);
    if (samples.empty()) {
        return std::nullopt;
    }
    drop_leading(samples);
    const auto hidden =
        std::ranges::count_if(samples, [&](const IndexedSample& s) { return s.pts < own_start; });
    if (hidden > kHiddenPicturesMax) {
        return std::nullopt;
    }
    std::uint32_t timescale = track.timescale;
    std::int64_t finer = 1;
    if (hidden > 0) {
        const std::int64_t wished = hidden * kTimescaleForHidden;
        finer = (wished + timescale - 1) / timescale;
        if (finer > kFinerMax || finer * timescale > plan::kTimescaleMax) {
            return std::nullopt;
        }
        timescale *= static_cast<std::uint32_t>(finer);
    }
    const std::int64_t zero = in_ticks(start, timescale);
    for (IndexedSample& sample : samples) {
        sample.pts = sample.pts * finer - zero;
        sample.duration *= static_cast<std::uint32_t>(finer);
    }
    const std::int64_t gap = std::max<std::int64_t>(own_start * finer - zero, 0);
    const Order order = put_in_order(samples, gap);
    auto timeline = make_samples(samples, order, timescale);
    if (!timeline) {
        return std::nullopt;
    }
    const std::int64_t first = order.decode.front();
    // Decoded from zero on, shown later: see kLateStartSec.
    const std::int64_t late = first <= kLateStartSec * timescale ? first : 0;
    timeline->plan.decode_start = static_cast<std::uint64_t>(first - late);
    timeline->plan.playlist_shift = late;
    return lift_offsets(*timeline, late) ? timeline : std::nullopt;
}

std::optional<Timeline> make_audio_timeline(const TrackIndex& track, Moment start) {
    if (!has_sane_times(track)) {
        return std::nullopt;
    }
    const std::uint32_t timescale = track.timescale;
    const std::int64_t zero = in_ticks(start, timescale);
    const std::int64_t own_start = start_of(track) - zero;
    // Behind a silent gap nothing may be heard early, so there priming goes.
    const std::int64_t kept_from =
        own_start > 0 ? own_start
                      : own_start - static_cast<std::int64_t>(kPrimingKeptSec * timescale);
    Timeline timeline;
    timeline.plan.info.timescale = timescale;
    auto& out = timeline.plan.samples;
    std::int64_t first = 0;
    std::int64_t last = 0;
    for (const IndexedSample& sample : track.samples) {
        std::int64_t pts = sample.pts - zero;
        if (pts + sample.duration <= kept_from && pts < kept_from) {
            continue;
        }
        if (out.empty()) {
            pts = own_start > 0 ? std::max<std::int64_t>(pts, 0) : pts;
            first = pts;
        } else {
            pts = std::max(pts, last + 1);  // a step back in time: play on without a gap
            const std::int64_t duration = pts - last;
            if (duration > std::min<std::int64_t>(kHoleSecMax * timescale, UINT32_MAX)) {
                return std::nullopt;
            }
            out.back().duration = static_cast<std::uint32_t>(duration);
        }
        last = pts;
        out.push_back({sample.offset, sample.size, std::max(sample.duration, 1U), 0, true});
    }
    if (out.empty()) {
        return std::nullopt;
    }
    if (first < 0) {
        timeline.skipped = static_cast<std::uint32_t>(-first);
        timeline.plan.playlist_shift = first;
    } else {
        timeline.plan.decode_start = static_cast<std::uint64_t>(first);
    }
    return timeline;
}

}  // namespace kinodex::media
