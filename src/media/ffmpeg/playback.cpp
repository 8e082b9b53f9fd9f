#include "media/ffmpeg/playback.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <string_view>

#include "media/ffmpeg/playback_init.h"
#include "media/ffmpeg/playback_timeline.h"
#include "media/ffmpeg/playback_tracks.h"
#include "media/ffmpeg/sample_index.h"
#include "media/plan/writer.h"

namespace kinodex::media {
namespace {

// E-AC-3 may need up to six packets before it is known what it is.
constexpr std::size_t kFirstPackets = 8;
constexpr std::size_t kFirstPacketBytesMax = 8U << 20U;

bool is_format(const Input& input, std::string_view name) {
    return std::string_view(input->iformat->name).find(name) != std::string_view::npos;
}

/// Containers that cut packets into pieces, by design.
bool splits_packets(const Input& input) {
    constexpr std::array<std::string_view, 3> kSplitting = {"mpegts", "mpeg", "ogg"};
    return std::ranges::any_of(kSplitting, [&](auto name) { return name == input->iformat->name; });
}

/// Streams without a container: pictures carry no times.
bool has_no_times(const Input& input) {
    constexpr std::array<std::string_view, 6> kRaw = {"h264",      "hevc", "m4v",
                                                      "mpegvideo", "av1",  "obu"};
    return std::ranges::any_of(kRaw, [&](auto name) { return name == input->iformat->name; });
}

bool is_picture_format(const Input& input) {
    return is_format(input, "_pipe") || is_format(input, "gif") || is_format(input, "apng");
}

/// Annex B streams have start codes where MP4 has lengths.
bool is_annex_b(const AVCodecParameters& p) {
    const bool has_lengths = p.codec_id == AV_CODEC_ID_H264 || p.codec_id == AV_CODEC_ID_HEVC;
    return has_lengths && (p.extradata_size < 7 || p.extradata[0] != 1);
}

/// An AudioSpecificConfig for a stream that only has ADTS headers. Source: ISO/IEC 14496-3, 1.6.
bool add_aac_config(AVStream& stream, const plan::ReadAt& read, const IndexedSample& first) {
    AVCodecParameters& p = *stream.codecpar;
    if (p.codec_id != AV_CODEC_ID_AAC || p.extradata_size >= 2) {
        return true;
    }
    if (first.offset < 7) {
        return false;
    }
    // The header ends where the sample starts; with a checksum it is two bytes longer.
    std::array<std::byte, 9> raw{};
    const std::uint64_t at = first.offset >= 9 ? first.offset - 9 : first.offset - 7;
    const auto head = std::span(raw).first(static_cast<std::size_t>(first.offset - at));
    if (!read(at, head)) {
        return false;
    }
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(head[i]); };
    for (const std::size_t start : {head.size() - 7, std::size_t{0}}) {
        if (byte(start) != 0xFF || (byte(start + 1) & 0xF6U) != 0xF0) {
            continue;
        }
        const unsigned type = (byte(start + 2) >> 6U) + 1;
        const unsigned rate = (byte(start + 2) >> 2U) & 0xFU;
        const unsigned channels = ((byte(start + 2) & 1U) << 2U) | (byte(start + 3) >> 6U);
        auto* config = static_cast<std::uint8_t*>(av_mallocz(2 + AV_INPUT_BUFFER_PADDING_SIZE));
        if (config == nullptr || rate > 12 || channels == 0) {
            av_free(config);
            return false;
        }
        config[0] = static_cast<std::uint8_t>((type << 3U) | (rate >> 1U));
        config[1] = static_cast<std::uint8_t>(((rate & 1U) << 7U) | (channels << 3U));
        av_freep(&p.extradata);
        p.extradata = config;
        p.extradata_size = 2;
        return true;
    }
    return false;
}

base::Result<std::vector<plan::Bytes>> first_packets(const plan::ReadAt& read,
                                                     const std::vector<plan::Sample>& samples) {
    std::vector<plan::Bytes> packets;
    std::size_t total = 0;
    for (const plan::Sample& sample : samples) {
        total += sample.size;
        if (packets.size() == kFirstPackets || (total > kFirstPacketBytesMax && !packets.empty())) {
            break;
        }
        packets.emplace_back(sample.size);
        KN_PASS(read(sample.offset, packets.back()));
    }
    return packets;
}

void describe(const Input& input, const AVStream& stream, bool is_default, plan::Track& track) {
    const AVCodecParameters& p = *stream.codecpar;
    track.language = language_of(stream);
    if (const auto* title = av_dict_get(stream.metadata, "title", nullptr, 0)) {
        track.name = title->value;
    }
    if (p.codec_type == AVMEDIA_TYPE_AUDIO) {
        track.kind = plan::TrackKind::audio;
        track.is_default = is_default;
        track.channels = static_cast<std::uint32_t>(std::max(p.ch_layout.nb_channels, 0));
        track.sample_rate = static_cast<std::uint32_t>(std::max(p.sample_rate, 0));
        return;
    }
    track.kind = plan::TrackKind::video;
    track.width = static_cast<std::uint32_t>(std::max(p.width, 0));
    track.height = static_cast<std::uint32_t>(std::max(p.height, 0));
    if (rotation_of(stream) % 180 != 0) {
        std::swap(track.width, track.height);
    }
    const AVRational rate =
        av_guess_frame_rate(input.get(), const_cast<AVStream*>(&stream), nullptr);
    const double frames = rate.den > 0 ? av_q2d(rate) : 0;
    if (frames > 0 && frames < 1000) {
        track.frame_rate_milli = static_cast<std::uint32_t>(std::lround(frames * 1000));
    }
}

/// MP3 travels as bare frames (RFC 8216, 3.4): Chromium and Firefox refuse it inside MP4. Without
/// an edit list, whole frames of priming are left out.
void make_packed(Timeline& timeline) {
    auto& track = timeline.plan;
    std::int64_t time = static_cast<std::int64_t>(track.decode_start) + track.playlist_shift;
    auto first = track.samples.begin();
    while (time < 0 && first + 1 != track.samples.end()) {
        time += first->duration;
        ++first;
    }
    track.samples.erase(track.samples.begin(), first);
    track.decode_start = static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0));
    track.playlist_shift = 0;
    timeline.skipped = 0;
    track.info.codecs = "mp4a.40.34";
}

struct Prepared {
    Playback verdict = Playback::packaged;
    std::vector<plan::TrackPlan> tracks;
};

base::Result<Prepared> prepare(Input& input, int source_fd, const PlayedStreams& played,
                               const SampleIndex& index) {
    const auto read = plan::read_fd(source_fd);
    const Moment start = presentation_start(index.tracks);
    Prepared prepared;
    for (const TrackIndex& track : index.tracks) {
        AVStream& stream = *input->streams[track.stream];
        const bool is_video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        auto timeline = track.samples.empty() ? std::nullopt
                        : is_video            ? make_video_timeline(track, start)
                                              : make_audio_timeline(track, start);
        if (!timeline || !add_aac_config(stream, read, track.samples.front())) {
            return Prepared{Playback::transcode, {}};
        }
        if (stream.codecpar->codec_id == AV_CODEC_ID_MP3) {
            make_packed(*timeline);
        } else {
            KN_TRY(packets, first_packets(read, timeline->plan.samples));
            auto init = make_init_segment(stream, packets, timeline->plan.info.timescale,
                                          timeline->skipped);
            if (!init) {
                return Prepared{Playback::transcode, {}};
            }
            timeline->plan.info.init = std::move(init->bytes);
            timeline->plan.info.codecs = std::move(init->codecs);
        }
        describe(input, stream, track.stream == played.default_audio, timeline->plan.info);
        prepared.tracks.push_back(std::move(timeline->plan));
    }
    return prepared;
}

base::Result<void> write_all(int fd, std::uint64_t at, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            const bool is_full = done < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
            return base::fail(is_full ? base::Errc::storage_full : base::Errc::internal, {},
                              "writing the playback plan failed");
        }
        at += static_cast<std::uint64_t>(done);
        bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
    return {};
}

base::Result<SampleIndex> make_index(Input& input, int source_fd, const PlayedStreams& played) {
    if (is_format(input, "mov,mp4")) {
        return index_mp4(source_fd, input.size_bytes(), *input.get(), played.all());
    }
    // A demuxer of its own: wherever the caller's stands, this one starts at the first packet.
    KN_TRY(fresh, Input::open(source_fd));
    KN_PASS(fresh.find_streams());
    for (const int stream : played.all()) {
        if (static_cast<unsigned>(stream) >= fresh->nb_streams ||
            fresh->streams[stream]->codecpar->codec_id !=
                input->streams[stream]->codecpar->codec_id) {
            return SampleIndex{Playback::transcode, {}};
        }
    }
    return index_packets(fresh, source_fd, played.all());
}

}  // namespace

Playback classify_playback(const Input& input) {
    if (is_picture_format(input)) {
        return Playback::none;
    }
    const PlayedStreams played = played_streams(input);
    bool needs_remux = splits_packets(input);
    if (played.all().empty()) {
        return Playback::none;
    }
    for (const int stream : played.all()) {
        const AVCodecParameters& p = *input->streams[stream]->codecpar;
        if (!is_playable(p)) {
            return Playback::transcode;
        }
        needs_remux |= is_annex_b(p);
    }
    if (played.video >= 0 &&
        (has_no_times(input) ||
         (is_format(input, "avi") && input->streams[played.video]->codecpar->video_delay > 0))) {
        return Playback::transcode;  // pictures out of order and no times to order them by
    }
    return needs_remux ? Playback::remux : Playback::packaged;
}

base::Result<Playback> write_plan(Input& input, int source_fd, int plan_fd) {
    const Playback wished = classify_playback(input);
    if (wished != Playback::packaged) {
        return wished;
    }
    const PlayedStreams played = played_streams(input);
    KN_TRY(index, make_index(input, source_fd, played));
    if (index.verdict != Playback::packaged || index.tracks.empty()) {
        return index.tracks.empty() && index.verdict == Playback::packaged ? Playback::none
                                                                           : index.verdict;
    }
    KN_TRY(prepared, prepare(input, source_fd, played, index));
    if (prepared.verdict != Playback::packaged) {
        return prepared.verdict;
    }
    std::uint64_t at = 0;
    const auto written = plan::write_plan_file(
        std::move(prepared.tracks), static_cast<std::uint64_t>(input.size_bytes()),
        [&](std::span<const std::byte> bytes) -> base::Result<void> {
            KN_PASS(write_all(plan_fd, at, bytes));
            at += bytes.size();
            return {};
        });
    if (!written && written.error().code == base::Errc::file_unprocessable) {
        return Playback::transcode;  // e.g. key frames too far apart to serve from
    }
    KN_PASS(written);
    return Playback::packaged;
}

}  // namespace kinodex::media
