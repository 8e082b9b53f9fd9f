// Movie fragments: the samples that a `moof` box adds.
#include "media/ffmpeg/sample_boxes.h"
#include "media/plan/plan.h"

namespace kinodex::media {
namespace {

using plan::Taker;

std::unexpected<base::Error> broken(std::string_view what) {
    return base::fail(base::Errc::file_unprocessable, {}, "mp4 fragment: " + std::string(what));
}

constexpr std::uint32_t kNonSyncFlag = 0x0001'0000;

struct FragmentHead {
    std::uint32_t track_id = 0;
    std::uint64_t base = 0;  // offsets of the runs count from here
    bool has_own_base = false;
    bool base_is_moof = false;
    FragmentDefaults defaults;
};

/// `tfhd`, ISO/IEC 14496-12, 8.8.7.
FragmentHead read_tfhd(ByteSpan tfhd, const BoxTracks& tracks) {
    Taker take(tfhd);
    const auto flags = take.be<std::uint32_t>() & 0xFFFFFFU;
    FragmentHead head;
    head.track_id = take.be<std::uint32_t>();
    if (const auto track = tracks.find(head.track_id); track != tracks.end()) {
        head.defaults = track->second.defaults;
    }
    head.base_is_moof = (flags & 0x020000U) != 0;
    if ((flags & 0x01U) != 0) {
        head.base = take.be<std::uint64_t>();
        head.has_own_base = true;
    }
    if ((flags & 0x02U) != 0) {
        take.be<std::uint32_t>();
    }
    if ((flags & 0x08U) != 0) {
        head.defaults.duration = take.be<std::uint32_t>();
    }
    if ((flags & 0x10U) != 0) {
        head.defaults.size = take.be<std::uint32_t>();
    }
    if ((flags & 0x20U) != 0) {
        head.defaults.flags = take.be<std::uint32_t>();
    }
    return head;
}

/// `trun`, 8.8.8. `at`: where its data starts unless it says so itself; moved past the data.
base::Result<void> read_trun(ByteSpan trun, const FragmentHead& head, std::uint64_t source_bytes,
                             std::uint64_t& at, BoxTrack& track) {
    Taker take(trun);
    const auto flags = take.be<std::uint32_t>() & 0xFFFFFFU;
    const auto count = take.be<std::uint32_t>();
    if ((flags & 0x01U) != 0) {
        at = head.base + static_cast<std::uint64_t>(std::int64_t{take.be<std::int32_t>()});
    }
    std::optional<std::uint32_t> first_flags;
    if ((flags & 0x04U) != 0) {
        first_flags = take.be<std::uint32_t>();
    }
    const std::size_t row = std::size_t{4} * (((flags >> 8U) & 1U) + ((flags >> 9U) & 1U) +
                                              ((flags >> 10U) & 1U) + ((flags >> 11U) & 1U));
    if (!take.ok() || count > plan::kSamplesMax - track.samples.size() ||
        (row > 0 ? take.left() / row < count : count > plan::kSegmentSamplesMax)) {
        return broken("run out of bounds");
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        IndexedSample sample;
        sample.duration = (flags & 0x100U) != 0 ? take.be<std::uint32_t>() : head.defaults.duration;
        sample.size = (flags & 0x200U) != 0 ? take.be<std::uint32_t>() : head.defaults.size;
        std::uint32_t sample_flags = head.defaults.flags;
        if ((flags & 0x400U) != 0) {
            sample_flags = take.be<std::uint32_t>();
        } else if (i == 0 && first_flags) {
            sample_flags = *first_flags;
        }
        const std::int32_t offset = (flags & 0x800U) != 0 ? take.be<std::int32_t>() : 0;
        sample.offset = at;
        sample.pts = track.next_dts + offset;
        sample.is_key = track.is_audio || (sample_flags & kNonSyncFlag) == 0;
        track.next_dts += sample.duration;
        if (at > source_bytes || sample.size > source_bytes - at) {
            return {};  // cut short: what follows is not there either
        }
        at += sample.size;
        if (sample.size > 0) {
            track.samples.push_back(sample);
        }
    }
    return {};
}

}  // namespace

base::Result<void> read_fragment(ByteSpan moof, std::uint64_t moof_at, std::uint64_t source_bytes,
                                 BoxTracks& tracks) {
    std::uint64_t data_end = moof_at;  // of the track fragment before: where the next one starts
    for (const Box& traf : children(moof)) {
        if (traf.type != box_type("traf")) {
            continue;
        }
        FragmentHead head = read_tfhd(child(traf.body, "tfhd"), tracks);
        if (!head.has_own_base) {
            head.base = head.base_is_moof ? moof_at : data_end;
        }
        std::uint64_t at = head.base;
        BoxTrack skipped;  // still read, because the next track fragment may start where it ends
        const auto known = tracks.find(head.track_id);
        BoxTrack& track = known != tracks.end() ? known->second : skipped;
        if (const auto tfdt = child(traf.body, "tfdt"); !tfdt.empty()) {
            Taker take(tfdt);
            const bool is_wide = take.be<std::uint8_t>() == 1;
            take.bytes(3);
            const std::uint64_t time =
                is_wide ? take.be<std::uint64_t>() : std::uint64_t{take.be<std::uint32_t>()};
            if (time > (1ULL << 52U)) {
                return broken("time out of bounds");
            }
            track.next_dts = static_cast<std::int64_t>(time);
        }
        for (const Box& trun : children(traf.body)) {
            if (trun.type == box_type("trun")) {
                KN_PASS(read_trun(trun.body, head, source_bytes, at, track));
            }
        }
        data_end = at;
    }
    return {};
}

}  // namespace kinodex::media
