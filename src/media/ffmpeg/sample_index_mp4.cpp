// The sample index of MP4 and MOV files, from their own tables.
#include <algorithm>

#include "media/ffmpeg/sample_boxes.h"
#include "media/plan/plan.h"

namespace kinodex::media {
namespace {

using plan::Taker;

std::unexpected<base::Error> broken(std::string_view what) {
    return base::fail(base::Errc::file_unprocessable, {}, "mp4: " + std::string(what));
}

/// `mdhd` and `tkhd` put their number behind two dates whose width depends on the version.
std::uint32_t number_after_dates(ByteSpan box) {
    Taker take(box);
    const bool is_wide = take.be<std::uint8_t>() == 1;
    take.bytes(3 + (is_wide ? 16U : 8U));
    return take.be<std::uint32_t>();
}

std::vector<Edit> read_edits(ByteSpan trak) {
    std::vector<Edit> edits;
    Taker take(child(child(trak, "edts"), "elst"));
    const bool is_wide = take.be<std::uint8_t>() == 1;
    take.bytes(3);
    const auto count = take.be<std::uint32_t>();
    const std::size_t row = is_wide ? 20 : 12;
    for (std::uint32_t i = 0; i < count && take.left() >= row && i < kChildBoxesMax; ++i) {
        Edit edit;
        edit.duration = is_wide ? take.be<std::int64_t>() : std::int64_t{take.be<std::uint32_t>()};
        edit.media_time = is_wide ? take.be<std::int64_t>() : std::int64_t{take.be<std::int32_t>()};
        edit.is_plain_speed = take.be<std::uint32_t>() == 0x10000U;
        edits.push_back(edit);
    }
    return edits;
}

/// Encrypted sample entries say so by their type. Source: ISO/IEC 23001-7.
bool is_encrypted(ByteSpan stsd) {
    if (stsd.size() < 8) {
        return false;
    }
    const auto entries = children(stsd.subspan(8));
    return std::ranges::any_of(entries, [](const Box& entry) {
        return entry.type == box_type("encv") || entry.type == box_type("enca");
    });
}

base::Result<void> read_track(ByteSpan trak, std::uint64_t source_bytes, BoxTracks& tracks) {
    BoxTrack track;
    track.id = number_after_dates(child(trak, "tkhd"));
    const auto mdia = child(trak, "mdia");
    track.timescale = number_after_dates(child(mdia, "mdhd"));
    const auto minf = child(mdia, "minf");
    const auto stbl = child(minf, "stbl");
    const auto wanted = tracks.find(track.id);
    if (wanted == tracks.end()) {
        return {};
    }
    if (track.timescale == 0 || track.timescale > plan::kTimescaleMax || stbl.empty()) {
        return broken("a track without a time scale or tables");
    }
    track.is_audio = !child(minf, "smhd").empty();
    track.edits = read_edits(trak);
    track.is_encrypted = is_encrypted(child(stbl, "stsd"));
    KN_PASS(read_sample_tables(stbl, source_bytes, track));
    wanted->second = std::move(track);
    return {};
}

void read_fragment_defaults(ByteSpan moov, BoxTracks& tracks) {
    for (const Box& box : children(child(moov, "mvex"))) {
        if (box.type != box_type("trex")) {
            continue;
        }
        Taker take(box.body);
        take.be<std::uint32_t>();
        const auto track = tracks.find(take.be<std::uint32_t>());
        take.be<std::uint32_t>();
        if (track != tracks.end()) {
            track->second.defaults.duration = take.be<std::uint32_t>();
            track->second.defaults.size = take.be<std::uint32_t>();
            track->second.defaults.flags = take.be<std::uint32_t>();
        }
    }
}

/// Walks the boxes of the file: `moov` into tracks, then each `moof`.
base::Result<std::uint32_t> read_file(int fd, std::uint64_t source_bytes, BoxTracks& tracks) {
    const auto read = plan::read_fd(fd);
    std::uint32_t movie_timescale = 0;
    std::uint64_t at = 0;
    plan::Bytes bytes;
    for (std::size_t boxes = 0; source_bytes - at >= 8; ++boxes) {
        if (boxes == kTopBoxesMax) {
            return broken("too many boxes");
        }
        std::array<std::byte, 16> raw{};
        KN_PASS(read(at, std::span(raw).first(source_bytes - at < 16 ? 8 : 16)));
        Taker take(raw);
        std::uint64_t size = take.be<std::uint32_t>();
        const auto type = take.be<std::uint32_t>();
        std::uint64_t head = 8;
        if (size == 1) {
            size = take.be<std::uint64_t>();
            head = 16;
        } else if (size == 0) {
            size = source_bytes - at;
        }
        if (size < head || size > source_bytes - at) {
            break;  // cut short; the demuxer stops here too
        }
        const bool is_moov = type == box_type("moov") && movie_timescale == 0;
        const bool is_moof = type == box_type("moof") && movie_timescale != 0;
        if (is_moov || is_moof) {
            if (size > (is_moov ? kMoovBytesMax : kMoofBytesMax)) {
                return broken("header box too large");
            }
            bytes.resize(static_cast<std::size_t>(size - head));
            KN_PASS(read(at + head, bytes));
        }
        if (is_moov) {
            movie_timescale = number_after_dates(child(bytes, "mvhd"));
            for (const Box& box : children(bytes)) {
                if (box.type == box_type("trak")) {
                    KN_PASS(read_track(box.body, source_bytes, tracks));
                }
            }
            read_fragment_defaults(bytes, tracks);
        } else if (is_moof) {
            KN_PASS(read_fragment(bytes, at, source_bytes, tracks));
        }
        at += size;
    }
    if (movie_timescale == 0) {
        return broken("no usable moov");
    }
    return movie_timescale;
}

/// Ticks of one clock in another, rounded to the nearest.
std::int64_t rescale(std::int64_t ticks, std::uint32_t to, std::uint32_t from) {
    return av_rescale(ticks, to, from);
}

/// Puts the samples on the movie's timeline. False for edit lists that show anything but one
/// stretch of the media at its own speed after an optional pause: those need a rendition.
bool apply_edits(const BoxTrack& track, std::uint32_t movie_timescale, TrackIndex& index) {
    std::int64_t pause = 0;
    const Edit* shown = nullptr;
    std::int64_t shown_end = 0;  // on the media's timeline; 0: open
    for (const Edit& edit : track.edits) {
        if (edit.media_time < 0) {
            if (shown != nullptr) {
                continue;  // a pause after the end shows nothing
            }
            pause += edit.duration;
            continue;
        }
        const std::int64_t length = rescale(edit.duration, track.timescale, movie_timescale);
        if (!edit.is_plain_speed || edit.media_time > (1LL << 52) ||
            (shown != nullptr && (shown_end == 0 || std::abs(shown_end - edit.media_time) > 1))) {
            return false;
        }
        shown = shown != nullptr ? shown : &edit;
        shown_end = edit.duration == 0 ? 0 : edit.media_time + length;
    }
    if (pause < 0 || pause > (1LL << 40)) {
        return false;
    }
    index.samples = track.samples;
    if (shown == nullptr) {
        return true;
    }
    // Rounded movie ticks may end the edit a hair before the last frame's time: give it one back.
    const std::int64_t grace = track.timescale / movie_timescale + 1;
    while (shown_end > 0 && index.samples.size() > 1 &&
           index.samples.back().pts >= shown_end + grace) {
        index.samples.pop_back();
    }
    const std::int64_t start = rescale(pause, track.timescale, movie_timescale);
    for (IndexedSample& sample : index.samples) {
        sample.pts += start - shown->media_time;
    }
    index.start = start;
    return true;
}

}  // namespace

base::Result<SampleIndex> index_mp4(int source_fd, std::int64_t source_bytes,
                                    const AVFormatContext& format,
                                    const std::vector<int>& streams) {
    BoxTracks tracks;
    for (const int stream : streams) {
        tracks[static_cast<std::uint32_t>(format.streams[stream]->id)];
    }
    KN_TRY(movie_timescale, read_file(source_fd, static_cast<std::uint64_t>(source_bytes), tracks));
    SampleIndex result;
    for (const int stream : streams) {
        const BoxTrack& track = tracks[static_cast<std::uint32_t>(format.streams[stream]->id)];
        if (track.is_encrypted) {
            return SampleIndex{Playback::none, {}};
        }
        if (track.samples.empty()) {
            continue;  // announced but without a single whole sample
        }
        TrackIndex index;
        index.stream = stream;
        index.timescale = track.timescale;
        if (track.has_many_descriptions || !apply_edits(track, movie_timescale, index)) {
            return SampleIndex{Playback::transcode, {}};
        }
        result.tracks.push_back(std::move(index));
    }
    return result;
}

}  // namespace kinodex::media
