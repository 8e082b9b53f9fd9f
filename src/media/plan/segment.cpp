#include "media/plan/segment.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/plan/bytes.h"

namespace kinodex::media::plan {
namespace {

constexpr std::uint32_t kTrackId = 1;  // as in the init segment, which has one track

// Sample flags. Source: ISO/IEC 14496-12, 8.8.3.1.
constexpr std::uint32_t kKeyFlags = 0x0200'0000;    // depends on no other
constexpr std::uint32_t kDeltaFlags = 0x0101'0000;  // depends on others, not a sync sample

constexpr std::size_t kStypBytes = 24;
constexpr std::size_t kMfhdBytes = 16;
constexpr std::size_t kTfhdBytes = 20;
constexpr std::size_t kTfdtBytes = 20;
constexpr std::size_t kTrunHeadBytes = 20;
constexpr std::size_t kBoxHeadBytes = 8;

// Two interleaved tracks leave gaps of one audio frame between video frames: cheaper to copy than
// to ask the kernel again.
constexpr std::uint64_t kGapReadAcross = 8U << 10U;
constexpr std::size_t kScratchBytes = 512U << 10U;

// ID3 tag of a packed audio segment. Source: RFC 8216, section 3.4.
constexpr std::string_view kTimestampOwner = "com.apple.streaming.transportStreamTimestamp";
constexpr std::size_t kId3HeadBytes = 10;
constexpr std::size_t kId3Bytes = 2 * kId3HeadBytes + kTimestampOwner.size() + 1 + 8;

bool is_packed(const Track& track) {
    return track.init.empty();
}

std::size_t sample_row_bytes(const Track& track) {
    return track.kind == TrackKind::video ? 16 : 8;
}

std::size_t trun_bytes(const Track& track, std::size_t samples) {
    return kTrunHeadBytes + samples * sample_row_bytes(track);
}

std::size_t moof_bytes(const Track& track, std::size_t samples) {
    return kBoxHeadBytes + kMfhdBytes + kBoxHeadBytes + kTfhdBytes + kTfdtBytes +
           trun_bytes(track, samples);
}

std::size_t head_bytes(const Track& track, std::size_t samples) {
    return is_packed(track) ? kId3Bytes : kStypBytes + moof_bytes(track, samples) + kBoxHeadBytes;
}

void put_box_head(Bytes& out, std::size_t bytes, std::string_view type) {
    put_be(out, static_cast<std::uint32_t>(bytes));
    put_text(out, type);
}

void put_full_box_head(Bytes& out, std::size_t bytes, std::string_view type, std::uint8_t version,
                       std::uint32_t flags) {
    put_box_head(out, bytes, type);
    put_be(out, (std::uint32_t{version} << 24U) | flags);
}

void put_trun(Bytes& out, const Track& track, std::span<const Sample> samples) {
    const bool is_video = track.kind == TrackKind::video;
    // data offset, durations and sizes; for video flags and signed presentation offsets (version
    // 1).
    const std::uint32_t flags = is_video ? 0x000F01 : 0x000301;
    put_full_box_head(out, trun_bytes(track, samples.size()), "trun", is_video ? 1 : 0, flags);
    put_be(out, static_cast<std::uint32_t>(samples.size()));
    put_be(out, static_cast<std::uint32_t>(moof_bytes(track, samples.size()) + kBoxHeadBytes));
    for (const Sample& sample : samples) {
        put_be(out, sample.duration);
        put_be(out, sample.size);
        if (is_video) {
            put_be(out, sample.is_key ? kKeyFlags : kDeltaFlags);
            put_be(out, sample.cts_offset);
        }
    }
}

void put_fragment_head(Bytes& out, const Track& track, std::size_t number,
                       std::span<const Sample> samples) {
    const Segment& segment = track.segments[number];
    put_box_head(out, kStypBytes, "styp");
    put_text(out, "msdh");
    put_be(out, std::uint32_t{0});
    put_text(out, "msdhcmfs");

    const std::size_t moof = moof_bytes(track, samples.size());
    put_box_head(out, moof, "moof");
    put_full_box_head(out, kMfhdBytes, "mfhd", 0, 0);
    put_be(out, static_cast<std::uint32_t>(number + 1));
    put_box_head(out, moof - kBoxHeadBytes - kMfhdBytes, "traf");
    // default-base-is-moof, default sample flags (used where trun has none: audio).
    put_full_box_head(out, kTfhdBytes, "tfhd", 0, 0x020020);
    put_be(out, kTrackId);
    put_be(out, kKeyFlags);
    put_full_box_head(out, kTfdtBytes, "tfdt", 1, 0);
    put_be(out, segment.decode_time);
    put_trun(out, track, samples);
    put_box_head(out, kBoxHeadBytes + static_cast<std::size_t>(segment.payload_bytes), "mdat");
}

void put_id3_size(Bytes& out, std::size_t size) {
    for (int shift = 21; shift >= 0; shift -= 7) {
        out.push_back(static_cast<std::byte>((size >> static_cast<unsigned>(shift)) & 0x7F));
    }
}

/// The time of the first sample, in the 90 kHz clock of MPEG-2 and its 33 bits.
void put_packed_head(Bytes& out, const Track& track, std::size_t number) {
    const double ticks = static_cast<double>(track.segments[number].decode_time) * 90'000.0 /
                         static_cast<double>(track.timescale);
    const auto timestamp = static_cast<std::uint64_t>(std::llround(ticks)) & 0x1'FFFF'FFFF;
    put_text(out, "ID3");
    put_be(out, std::uint16_t{0x0400});
    put_be(out, std::uint8_t{0});
    put_id3_size(out, kId3Bytes - kId3HeadBytes);
    put_text(out, "PRIV");
    put_id3_size(out, kTimestampOwner.size() + 1 + 8);
    put_be(out, std::uint16_t{0});
    put_text(out, kTimestampOwner);
    put_be(out, std::uint8_t{0});
    put_be(out, timestamp);
}

/// Copies into `into` from ranges that lie close together, with one read for many.
class Gatherer {
  public:
    Gatherer(const ReadAt& source, std::span<std::byte> into) : source_(source), into_(into) {}

    base::Result<void> add(Range range) {
        if (!fits(range)) {
            KN_PASS(flush());
        }
        if (pending_.empty()) {
            span_at_ = range.offset;
        }
        pending_.push_back(range);
        return {};
    }

    base::Result<void> flush() {
        if (pending_.empty()) {
            return {};
        }
        const Range last = pending_.back();
        if (pending_.size() == 1) {  // no gap to skip, and perhaps larger than the scratch
            const auto direct = into_.first(static_cast<std::size_t>(last.size));
            into_ = into_.subspan(direct.size());
            pending_.clear();
            return source_(last.offset, direct);
        }
        scratch_.resize(kScratchBytes);
        const auto span =
            std::span(scratch_).first(static_cast<std::size_t>(last.offset + last.size - span_at_));
        KN_PASS(source_(span_at_, span));
        for (const Range& each : pending_) {
            const auto size = static_cast<std::size_t>(each.size);
            std::memcpy(into_.data(), span.data() + (each.offset - span_at_), size);
            into_ = into_.subspan(size);
        }
        pending_.clear();
        return {};
    }

  private:
    [[nodiscard]] bool fits(const Range& next) const {
        if (pending_.empty()) {
            return true;
        }
        const std::uint64_t end = pending_.back().offset + pending_.back().size;
        return next.offset >= end && next.offset - end <= kGapReadAcross &&
               next.offset + next.size - span_at_ <= kScratchBytes;
    }

    const ReadAt& source_;
    std::span<std::byte> into_;
    std::vector<Range> pending_;
    std::uint64_t span_at_ = 0;
    Bytes scratch_;
};

}  // namespace

std::string_view segment_type(const Track& track) {
    if (is_packed(track)) {
        return "audio/mpeg";
    }
    return track.kind == TrackKind::video ? "video/mp4" : "audio/mp4";
}

base::Result<std::uint64_t> segment_bytes(const View& view, std::size_t track_number,
                                          std::size_t segment_number) {
    if (track_number >= view.tracks().size() ||
        segment_number >= view.tracks()[track_number].segments.size()) {
        return base::fail(base::Errc::resource_not_exist, {}, "no such track or segment");
    }
    const Track& track = view.tracks()[track_number];
    return segment_file_bytes(track, track.segments[segment_number]);
}

std::uint64_t segment_file_bytes(const Track& track, const Segment& segment) {
    return head_bytes(track, segment.samples) + segment.payload_bytes;
}

base::Result<Layout> segment_layout(const View& view, std::size_t track_number,
                                    std::size_t segment_number) {
    KN_TRY(samples, view.samples(track_number, segment_number));
    const Track& track = view.tracks()[track_number];
    Layout layout;
    layout.head.reserve(head_bytes(track, samples.size()));
    if (is_packed(track)) {
        put_packed_head(layout.head, track, segment_number);
    } else {
        put_fragment_head(layout.head, track, segment_number, samples);
    }
    for (const Sample& sample : samples) {
        if (sample.size == 0) {
            continue;
        }
        if (!layout.ranges.empty() &&
            layout.ranges.back().offset + layout.ranges.back().size == sample.offset) {
            layout.ranges.back().size += sample.size;
        } else {
            layout.ranges.push_back({sample.offset, sample.size});
        }
    }
    layout.total_bytes = layout.head.size() + track.segments[segment_number].payload_bytes;
    return layout;
}

base::Result<void> read_segment(const Layout& layout, const ReadAt& source, std::uint64_t at,
                                std::span<std::byte> into) {
    if (at > layout.total_bytes || into.size() > layout.total_bytes - at) {
        return base::fail(base::Errc::range_not_satisfiable, {}, "past the end of the segment");
    }
    if (at < layout.head.size()) {
        const auto count = std::min(into.size(), layout.head.size() - static_cast<std::size_t>(at));
        std::memcpy(into.data(), layout.head.data() + at, count);
        into = into.subspan(count);
        at += count;
    }
    std::uint64_t skip = at - layout.head.size();
    std::uint64_t left = into.size();
    Gatherer gatherer(source, into);
    for (const Range& range : layout.ranges) {
        if (left == 0) {
            break;
        }
        if (skip >= range.size) {
            skip -= range.size;
            continue;
        }
        const std::uint64_t size = std::min(range.size - skip, left);
        KN_PASS(gatherer.add({range.offset + skip, size}));
        left -= size;
        skip = 0;
    }
    return gatherer.flush();
}

base::Result<std::vector<std::byte>> build_segment(const Layout& layout, const ReadAt& source) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(layout.total_bytes));
    KN_PASS(read_segment(layout, source, 0, bytes));
    return bytes;
}

}  // namespace kinodex::media::plan
