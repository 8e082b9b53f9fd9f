#include "media/plan/plan.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "media/plan/format.h"

namespace kinodex::media::plan {
namespace {

std::unexpected<base::Error> broken(std::string reason) {
    return base::fail(base::Errc::file_unprocessable, {}, "playback plan: " + std::move(reason));
}

struct Head {
    std::uint32_t checksum = 0;
    std::uint64_t header_bytes = 0;
    std::uint32_t tracks = 0;
};

base::Result<Head> parse_head(std::span<const std::byte> bytes, std::uint64_t plan_bytes,
                              std::uint64_t source_bytes) {
    Taker take(bytes);
    if (take.le<std::uint64_t>() != kMagic) {
        return broken("not a plan");
    }
    if (take.le<std::uint32_t>() != kVersion) {
        return broken("of another version");
    }
    Head head;
    head.checksum = take.le<std::uint32_t>();
    head.header_bytes = take.le<std::uint64_t>();
    if (head.header_bytes < kHeadBytes || head.header_bytes > kHeaderBytesMax ||
        head.header_bytes > plan_bytes) {
        return broken("header size out of bounds");
    }
    if (take.le<std::uint64_t>() != plan_bytes) {
        return broken("cut short or padded");
    }
    if (take.le<std::uint64_t>() != source_bytes) {
        return broken("of a source of another size");
    }
    head.tracks = take.le<std::uint32_t>();
    if (head.tracks == 0 || head.tracks > kTracksMax) {
        return broken("number of tracks out of bounds");
    }
    return head;
}

std::string take_text(Taker& take) {
    const auto raw = take.bytes(take.le<std::uint16_t>());
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

bool is_description_sane(const Track& track) {
    if (track.timescale == 0 || track.timescale > kTimescaleMax) {
        return false;
    }
    if (track.codecs.empty() || track.codecs.size() > kCodecsBytesMax || !is_token(track.codecs)) {
        return false;
    }
    if (track.language.size() > kLanguageBytesMax || !is_token(track.language)) {
        return false;
    }
    return track.name.size() <= kNameBytesMax && is_quotable(track.name);
}

/// Reads the segment table; its rows must add up to the track's totals.
base::Result<void> parse_segments(Taker& take, std::uint32_t count, Track& track) {
    if (count == 0 || count > kSegmentsMax || take.left() / kSegmentRowBytes < count) {
        return broken("number of segments out of bounds");
    }
    track.segments.reserve(count);
    std::uint32_t samples = 0;
    std::uint64_t start = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        Segment row;
        row.first_sample = samples;
        row.samples = take.le<std::uint32_t>();
        row.decode_time = take.le<std::uint64_t>();
        row.start = start;
        row.duration = take.le<std::uint64_t>();
        row.payload_bytes = take.le<std::uint64_t>();
        if (row.samples == 0 || row.samples > kSegmentSamplesMax ||
            row.samples > track.sample_count - samples) {
            return broken("samples of a segment out of bounds");
        }
        if (row.decode_time > kTicksMax || row.duration == 0 || row.duration > kTicksMax - start) {
            return broken("times of a segment out of bounds");
        }
        if (!track.segments.empty() && row.decode_time <= track.segments.back().decode_time) {
            return broken("segments out of order");
        }
        if (row.payload_bytes > kSegmentBytesMax) {
            return broken("a segment too large");
        }
        samples += row.samples;
        start += row.duration;
        track.segments.push_back(row);
    }
    if (samples != track.sample_count || start != track.duration) {
        return broken("segments do not add up");
    }
    return {};
}

base::Result<Track> parse_track(Taker& take, std::uint64_t header_bytes, std::uint64_t plan_bytes) {
    Track track;
    const auto kind = take.le<std::uint8_t>();
    if (kind != 1 && kind != 2) {
        return broken("unknown kind of track");
    }
    track.kind = static_cast<TrackKind>(kind);
    track.is_default = take.le<std::uint8_t>() != 0;
    take.le<std::uint16_t>();
    track.timescale = take.le<std::uint32_t>();
    track.width = take.le<std::uint32_t>();
    track.height = take.le<std::uint32_t>();
    track.frame_rate_milli = take.le<std::uint32_t>();
    track.channels = take.le<std::uint32_t>();
    track.sample_rate = take.le<std::uint32_t>();
    track.sample_count = take.le<std::uint32_t>();
    const auto segments = take.le<std::uint32_t>();
    const auto init_bytes = take.le<std::uint32_t>();
    track.average_bps = take.le<std::uint64_t>();
    track.peak_bps = take.le<std::uint64_t>();
    track.duration = take.le<std::uint64_t>();
    track.records_at = take.le<std::uint64_t>();
    track.codecs = take_text(take);
    track.language = take_text(take);
    track.name = take_text(take);
    if (!take.ok() || init_bytes > kInitBytesMax || !is_description_sane(track)) {
        return broken("track description out of bounds");
    }
    const auto init = take.bytes(init_bytes);
    track.init.assign(init.begin(), init.end());
    if (track.sample_count == 0 || track.sample_count > kSamplesMax) {
        return broken("number of samples out of bounds");
    }
    if (track.records_at < header_bytes || track.records_at > plan_bytes ||
        plan_bytes - track.records_at < std::uint64_t{track.sample_count} * kRecordBytes) {
        return broken("sample records outside the plan");
    }
    KN_PASS(parse_segments(take, segments, track));
    return track;
}

Sample take_sample(Taker& take) {
    Sample sample;
    const auto offset = take.le<std::uint64_t>();
    sample.offset = offset & ~kKeyBit;
    sample.is_key = (offset & kKeyBit) != 0;
    sample.size = take.le<std::uint32_t>();
    sample.duration = take.le<std::uint32_t>();
    sample.cts_offset = take.le<std::int32_t>();
    return sample;
}

}  // namespace

bool is_token(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '-' || c == ',';
    });
}

bool is_quotable(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            if (lead < 0x20 || lead == 0x7F || lead == '"') {
                return false;
            }
            continue;
        }
        const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead < 0xC2 || lead > 0xF4 || more > text.size() - i - 1) {
            return false;
        }
        // C1 controls (U+0080 to U+009F) end a line for some readers.
        if (lead == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
            return false;
        }
        for (std::size_t k = 1; k <= more; ++k) {
            if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) {
                return false;
            }
        }
        i += more;
    }
    return true;
}

ReadAt read_fd(int fd) {
    return [fd](std::uint64_t offset, std::span<std::byte> into) -> base::Result<void> {
        while (!into.empty()) {
            const auto got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                return base::fail(base::Errc::internal, {},
                                  got == 0 ? "read past the end of a file"
                                           : std::string("pread: ") + std::strerror(errno));
            }
            offset += static_cast<std::uint64_t>(got);
            into = into.subspan(static_cast<std::size_t>(got));
        }
        return {};
    };
}

base::Result<View> View::open(ReadAt read, std::uint64_t plan_bytes, std::uint64_t source_bytes) {
    if (plan_bytes < kHeadBytes) {
        return broken("too short");
    }
    Bytes bytes(kHeadBytes);
    KN_PASS(read(0, bytes));
    KN_TRY(head, parse_head(bytes, plan_bytes, source_bytes));
    bytes.resize(static_cast<std::size_t>(head.header_bytes));
    KN_PASS(read(kHeadBytes, std::span(bytes).subspan(kHeadBytes)));
    if (header_checksum(std::span(bytes).subspan(kChecksumEnd)) != head.checksum) {
        return broken("checksum differs");
    }
    View view;
    view.read_ = std::move(read);
    view.source_bytes_ = source_bytes;
    Taker take(std::span(bytes).subspan(kHeadBytes));
    for (std::uint32_t i = 0; i < head.tracks; ++i) {
        KN_TRY(track, parse_track(take, head.header_bytes, plan_bytes));
        view.tracks_.push_back(std::move(track));
    }
    if (!take.ok() || take.left() != 0) {
        return broken("header cut short or padded");
    }
    return view;
}

double View::duration_sec() const {
    double longest = 0;
    for (const Track& track : tracks_) {
        longest = std::max(
            longest, static_cast<double>(track.duration) / static_cast<double>(track.timescale));
    }
    return longest;
}

std::size_t View::memory_bytes() const {
    std::size_t bytes = sizeof(View);
    for (const Track& track : tracks_) {
        bytes += sizeof(Track) + track.init.size() + track.segments.size() * sizeof(Segment);
    }
    return bytes;
}

base::Result<std::vector<Sample>> View::samples(std::size_t track_number,
                                                std::size_t segment_number) const {
    if (track_number >= tracks_.size() || segment_number >= tracks_[track_number].segments.size()) {
        return base::fail(base::Errc::resource_not_exist, {}, "no such track or segment");
    }
    const Track& track = tracks_[track_number];
    const Segment& segment = track.segments[segment_number];
    Bytes bytes(segment.samples * kRecordBytes);
    KN_PASS(read_(track.records_at + std::uint64_t{segment.first_sample} * kRecordBytes, bytes));
    Taker take(bytes);
    std::vector<Sample> samples(segment.samples);
    std::uint64_t payload = 0;
    std::uint64_t ticks = 0;
    for (Sample& sample : samples) {
        sample = take_sample(take);
        if (sample.offset > source_bytes_ || sample.size > source_bytes_ - sample.offset) {
            return broken("a sample outside the source");
        }
        payload += sample.size;
        ticks += sample.duration;
    }
    if (payload != segment.payload_bytes) {
        return broken("sample sizes do not add up");
    }
    if (segment_number + 1 < track.segments.size() &&
        track.segments[segment_number + 1].decode_time - segment.decode_time != ticks) {
        return broken("sample durations do not add up");
    }
    if (track.kind == TrackKind::video && !samples.front().is_key) {
        return broken("a segment that does not start with a key frame");
    }
    return samples;
}

}  // namespace kinodex::media::plan
