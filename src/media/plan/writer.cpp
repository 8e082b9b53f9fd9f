#include "media/plan/writer.h"

#include <algorithm>

#include "media/plan/format.h"
#include "media/plan/segment.h"

namespace kinodex::media::plan {
namespace {

// Pictures that lead an open group are decoded after its key frame and shown before it, so the
// key frame comes that much before its time.
constexpr double kKeyEarlySec = 0.25;

constexpr std::size_t kWriteBytes = 256U << 10U;

/// Where segments start: indexes of samples, the first is 0.
using Cuts = std::vector<std::size_t>;

std::unexpected<base::Error> refuse(std::string reason) {
    return base::fail(base::Errc::file_unprocessable, {}, "playback plan: " + std::move(reason));
}

/// Seconds on the playlist when each sample is decoded.
std::vector<double> playlist_times(const TrackPlan& track) {
    std::vector<double> times;
    times.reserve(track.samples.size());
    std::int64_t ticks = static_cast<std::int64_t>(track.decode_start) + track.playlist_shift;
    for (const Sample& sample : track.samples) {
        times.push_back(static_cast<double>(ticks) / static_cast<double>(track.info.timescale));
        ticks += sample.duration;
    }
    return times;
}

Cuts cut_at_keys(const TrackPlan& track, const std::vector<double>& times) {
    Cuts cuts = {0};
    double next = std::max(times[0], 0.0) + kSegmentTargetSec;
    for (std::size_t i = 1; i < times.size(); ++i) {
        if (track.samples[i].is_key && times[i] > times[cuts.back()] &&
            times[i] + kKeyEarlySec >= next) {
            cuts.push_back(i);
            next = times[i] + kSegmentTargetSec;
        }
    }
    return cuts;
}

/// Cuts at the first sample at or after each boundary, and every target duration after the last.
Cuts cut_at_times(const std::vector<double>& times, const std::vector<double>& boundaries) {
    Cuts cuts = {0};
    std::size_t at = 0;
    double next = boundaries.empty() ? kSegmentTargetSec : boundaries[0];
    for (std::size_t i = 1; i < times.size(); ++i) {
        if (times[i] + 0.0005 < next) {
            continue;
        }
        if (times[i] > times[cuts.back()] && times[i] > 0) {
            cuts.push_back(i);
        }
        while (at < boundaries.size() && boundaries[at] <= times[i] + 0.0005) {
            ++at;
        }
        next =
            at < boundaries.size() ? boundaries[at] : std::max(next, times[i]) + kSegmentTargetSec;
    }
    return cuts;
}

base::Result<void> fill_segments(TrackPlan& plan, const Cuts& cuts) {
    Track& track = plan.info;
    track.sample_count = static_cast<std::uint32_t>(plan.samples.size());
    track.segments.clear();
    track.duration = 0;
    std::uint64_t decode_time = plan.decode_start;
    for (std::size_t c = 0; c < cuts.size(); ++c) {
        const std::size_t end = c + 1 < cuts.size() ? cuts[c + 1] : plan.samples.size();
        Segment row;
        row.first_sample = static_cast<std::uint32_t>(cuts[c]);
        row.samples = static_cast<std::uint32_t>(end - cuts[c]);
        row.decode_time = decode_time;
        row.start = track.duration;
        for (std::size_t i = cuts[c]; i < end; ++i) {
            row.payload_bytes += plan.samples[i].size;
            decode_time += plan.samples[i].duration;
        }
        const std::int64_t playlist_end =
            static_cast<std::int64_t>(decode_time) + plan.playlist_shift;
        if (playlist_end <= static_cast<std::int64_t>(track.duration)) {
            return refuse("a segment without a duration");
        }
        row.duration = static_cast<std::uint64_t>(playlist_end) - track.duration;
        track.duration += row.duration;
        if (row.payload_bytes > kSegmentBytesMax || row.samples > kSegmentSamplesMax) {
            return refuse("key frames too far apart");
        }
        track.segments.push_back(row);
    }
    if (track.segments.size() > kSegmentsMax || track.duration > kTicksMax) {
        return refuse("too long");
    }
    return {};
}

void fill_bitrates(Track& track) {
    const double scale = track.timescale;
    double bits = 0;
    double peak = 0;
    for (const Segment& segment : track.segments) {
        const double seconds = static_cast<double>(segment.duration) / scale;
        const double segment_bits = 8.0 * static_cast<double>(segment_file_bytes(track, segment));
        bits += segment_bits;
        // The peak is taken over at least half a target duration (RFC 8216, 4.3.4.2), so a last
        // segment of a few frames does not count.
        if (seconds >= kSegmentTargetSec / 2) {
            peak = std::max(peak, segment_bits / seconds);
        }
    }
    const double average = bits / (static_cast<double>(track.duration) / scale);
    track.average_bps = static_cast<std::uint64_t>(average) + 1;
    track.peak_bps = std::max(track.average_bps, static_cast<std::uint64_t>(peak) + 1);
}

void put_short_text(Bytes& out, std::string_view text) {
    put_le(out, static_cast<std::uint16_t>(text.size()));
    put_text(out, text);
}

void put_track(Bytes& out, const Track& track) {
    put_le(out, static_cast<std::uint8_t>(track.kind));
    put_le(out, static_cast<std::uint8_t>(track.is_default ? 1 : 0));
    put_le(out, std::uint16_t{0});
    for (const std::uint32_t field :
         {track.timescale, track.width, track.height, track.frame_rate_milli, track.channels,
          track.sample_rate, track.sample_count, static_cast<std::uint32_t>(track.segments.size()),
          static_cast<std::uint32_t>(track.init.size())}) {
        put_le(out, field);
    }
    for (const std::uint64_t field :
         {track.average_bps, track.peak_bps, track.duration, track.records_at}) {
        put_le(out, field);
    }
    put_short_text(out, track.codecs);
    put_short_text(out, track.language);
    put_short_text(out, track.name);
    out.insert(out.end(), track.init.begin(), track.init.end());
    for (const Segment& segment : track.segments) {
        put_le(out, segment.samples);
        put_le(out, segment.decode_time);
        put_le(out, segment.duration);
        put_le(out, segment.payload_bytes);
    }
}

/// The header, given where records start; its own size does not depend on that.
Bytes make_header(const std::vector<TrackPlan>& tracks, std::uint64_t header_bytes,
                  std::uint64_t plan_bytes, std::uint64_t source_bytes) {
    Bytes rest;
    put_le(rest, header_bytes);
    put_le(rest, plan_bytes);
    put_le(rest, source_bytes);
    put_le(rest, static_cast<std::uint32_t>(tracks.size()));
    put_le(rest, std::uint32_t{0});
    for (const TrackPlan& track : tracks) {
        put_track(rest, track.info);
    }
    Bytes out;
    put_le(out, kMagic);
    put_le(out, kVersion);
    put_le(out, header_checksum(rest));
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
}

/// Cuts, sanitises and checks; after this every track of the plan will pass the reader's checks.
base::Result<void> complete(std::vector<TrackPlan>& tracks, std::uint64_t source_bytes) {
    std::vector<double> boundaries;
    bool has_boundaries = false;
    const auto leader = std::ranges::find(tracks, TrackKind::video,
                                          [](const TrackPlan& track) { return track.info.kind; });
    if (leader != tracks.end()) {
        std::rotate(tracks.begin(), leader, std::next(leader));
    }
    for (TrackPlan& track : tracks) {
        if (track.samples.empty() || track.samples.size() > kSamplesMax) {
            return refuse("number of samples out of bounds");
        }
        for (const Sample& sample : track.samples) {
            if (sample.offset > source_bytes || sample.size > source_bytes - sample.offset) {
                return refuse("a sample outside the source");
            }
        }
        const auto times = playlist_times(track);
        const bool is_video = track.info.kind == TrackKind::video;
        const Cuts cuts = is_video ? cut_at_keys(track, times) : cut_at_times(times, boundaries);
        KN_PASS(fill_segments(track, cuts));
        fill_bitrates(track.info);
        if (is_video && !has_boundaries) {
            has_boundaries = true;
            for (std::size_t c = 1; c < cuts.size(); ++c) {
                boundaries.push_back(times[cuts[c]]);
            }
        }
        if (!is_token(track.info.language) || track.info.language.size() > kLanguageBytesMax) {
            track.info.language.clear();
        }
        if (!is_quotable(track.info.name) || track.info.name.size() > kNameBytesMax) {
            track.info.name.clear();
        }
    }
    return {};
}

}  // namespace

base::Result<void> write_plan_file(
    std::vector<TrackPlan> tracks, std::uint64_t source_bytes,
    const std::function<base::Result<void>(std::span<const std::byte>)>& write) {
    if (tracks.empty() || tracks.size() > kTracksMax) {
        return refuse("number of tracks out of bounds");
    }
    KN_PASS(complete(tracks, source_bytes));
    const std::uint64_t header_bytes = make_header(tracks, 0, 0, source_bytes).size();
    if (header_bytes > kHeaderBytesMax) {
        return refuse("header too large");
    }
    std::uint64_t at = header_bytes;
    for (TrackPlan& track : tracks) {
        track.info.records_at = at;
        at += std::uint64_t{track.info.sample_count} * kRecordBytes;
    }
    KN_PASS(write(make_header(tracks, header_bytes, at, source_bytes)));
    Bytes records;
    records.reserve(kWriteBytes + kRecordBytes);
    for (const TrackPlan& track : tracks) {
        for (const Sample& sample : track.samples) {
            put_le(records, sample.offset | (sample.is_key ? kKeyBit : 0));
            put_le(records, sample.size);
            put_le(records, sample.duration);
            put_le(records, sample.cts_offset);
            if (records.size() >= kWriteBytes) {
                KN_PASS(write(records));
                records.clear();
            }
        }
    }
    return records.empty() ? base::Result<void>{} : write(records);
}

}  // namespace kinodex::media::plan
