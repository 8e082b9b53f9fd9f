// Durations and frame rates that need packets.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "media/ffmpeg/picture.h"
#include "media/ffmpeg/probe.h"
#include "media/ffmpeg/probe_glance.h"
#include "media/ffmpeg/probe_headers.h"

namespace kinodex::media {
namespace {

using base::Errc;

/// Reading this much takes a tenth of a second from memory; more is not worth waiting for.
constexpr std::int64_t kScanBytesMax = 512LL * 1024 * 1024;
constexpr std::int64_t kScanPacketsMax = 5'000'000;
constexpr double kFpsMax = 1000;

/// The first and the last time that was seen.
struct Span {
    double first_sec = 0;
    double last_sec = 0;
    bool is_empty = true;

    void add(double sec) {
        first_sec = is_empty ? sec : std::min(first_sec, sec);
        last_sec = is_empty ? sec : std::max(last_sec, sec);
        is_empty = false;
    }
    [[nodiscard]] double length() const { return last_sec - first_sec; }
};

struct Scan {
    double first_sec = 0;
    double end_sec = 0;
    std::int64_t video_frames = 0;
    Span shown;    // of the video's presentation times
    Span decoded;  // and of its decode times
    bool all_shown_known = true;
    bool is_complete = false;
    bool has_times = false;
};

void add_picture(Scan& scan, const AVPacket& packet, double unit) {
    ++scan.video_frames;
    if (packet.pts != AV_NOPTS_VALUE) {
        scan.shown.add(static_cast<double>(packet.pts) * unit);
    } else {
        scan.all_shown_known = false;  // program streams leave some out
    }
    if (packet.dts != AV_NOPTS_VALUE) {
        scan.decoded.add(static_cast<double>(packet.dts) * unit);
    }
}

Scan scan_packets(Input& input, const AVStream* video) {
    Scan scan;
    const Packet packet = new_packet();
    std::int64_t bytes = 0;
    for (std::int64_t i = 0; i < kScanPacketsMax && bytes < kScanBytesMax; ++i) {
        if (av_read_frame(input.get(), packet.get()) < 0) {
            scan.is_complete = true;
            break;
        }
        bytes += packet->size;
        const AVStream& stream = *input->streams[packet->stream_index];
        const auto start = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
        if (start != AV_NOPTS_VALUE) {
            const double unit = av_q2d(stream.time_base);
            const double from = static_cast<double>(start) * unit;
            const double to = from + static_cast<double>(packet->duration) * unit;
            scan.first_sec = scan.has_times ? std::min(scan.first_sec, from) : from;
            scan.end_sec = scan.has_times ? std::max(scan.end_sec, to) : to;
            scan.has_times = true;
        }
        if (video != nullptr && packet->stream_index == video->index) {
            add_picture(scan, *packet, av_q2d(stream.time_base));
        }
        av_packet_unref(packet.get());
    }
    rewind(input);
    return scan;
}

std::optional<double> sane_fps(double fps) {
    if (!std::isfinite(fps) || fps <= 0 || fps > kFpsMax) {
        return std::nullopt;
    }
    return std::round(fps * 1e6) / 1e6;
}

/// Frames by duration where the container counts them.
std::optional<double> counted_fps(const AVStream& video) {
    if (video.nb_frames > 1 && video.duration != AV_NOPTS_VALUE && video.duration > 0) {
        return sane_fps(static_cast<double>(video.nb_frames) /
                        (static_cast<double>(video.duration) * av_q2d(video.time_base)));
    }
    return std::nullopt;
}

/// The stated and the observed rate agree, so that nothing needs counting.
bool is_steady(const AVStream& video) {
    const double nominal =
        av_q2d(video.r_frame_rate.den > 0 ? video.r_frame_rate : AVRational{0, 1});
    const double average =
        av_q2d(video.avg_frame_rate.den > 0 ? video.avg_frame_rate : AVRational{0, 1});
    return average > 0 && nominal > 0 && std::abs(nominal - average) < 0.01 * average;
}

}  // namespace

void rewind(Input& input) {
    // Program and transport streams have no index: a seek to their first time lands some pictures
    // behind it.
    if ((input->iformat->flags & AVFMT_TS_DISCONT) != 0) {
        av_seek_frame(input.get(), -1, 0, AVSEEK_FLAG_BYTE);
        return;
    }
    const auto start = input->start_time == AV_NOPTS_VALUE ? 0 : input->start_time;
    avformat_seek_file(input.get(), -1, INT64_MIN, start, start, 0);
}

namespace {

base::Result<Frame> first_frame_of(Input& input, const AVStream& stream,
                                   const CodecContext& decoder) {
    decoder->max_pixels = kPicturePixelsMax;
    decoder->skip_loop_filter = AVDISCARD_ALL;  // only whether it decodes, and what it says
    const Packet packet = new_packet();
    Frame frame = new_frame();
    std::int64_t bytes = 0;
    int error = AVERROR_EOF;
    // FFmpeg's MPEG-2 decoder gives the timecode of a group of pictures only to frames that come
    // in their own time.
    bool has_drained = stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
                       stream.codecpar->codec_id == AV_CODEC_ID_MPEG1VIDEO ||
                       stream.codecpar->codec_id == AV_CODEC_ID_MPEG2VIDEO;
    for (int i = 0; i < kFirstFramePacketsMax && bytes < kFirstFrameBytesMax; ++i) {
        const bool has_packet = av_read_frame(input.get(), packet.get()) >= 0;
        bytes += packet->size;
        if (has_packet && packet->stream_index != stream.index) {
            av_packet_unref(packet.get());
            continue;
        }
        const int sent = avcodec_send_packet(decoder.get(), has_packet ? packet.get() : nullptr);
        int got = avcodec_receive_frame(decoder.get(), frame.get());
        if (got < 0 && has_packet && !has_drained) {
            // Draining gives a key frame now instead of after the reordering delay. Should it
            // give nothing, the same packet starts the patient way.
            has_drained = true;
            avcodec_send_packet(decoder.get(), nullptr);
            got = avcodec_receive_frame(decoder.get(), frame.get());
            if (got < 0) {
                avcodec_flush_buffers(decoder.get());
                avcodec_send_packet(decoder.get(), packet.get());
            }
        }
        av_packet_unref(packet.get());
        if (got >= 0) {
            return frame;
        }
        error = sent < 0 && sent != AVERROR(EAGAIN) ? sent : error;
        if (!has_packet) {
            break;
        }
    }
    return av_fail(Errc::file_unprocessable, "no decodable frame", error);
}

}  // namespace

base::Result<Frame> first_frame(Input& input, const AVStream& stream) {
    KN_TRY(decoder, open_decoder(stream));
    return first_frame_of(input, stream, decoder);
}

base::Result<Frame> first_frame_completing(Input& input, AVStream& stream) {
    KN_TRY(decoder, open_decoder(stream));
    decoder->max_pixels = kPicturePixelsMax;
    decoder->skip_loop_filter = AVDISCARD_ALL;  // only whether it decodes, and what it says
    Frame frame = glance_at_first_frame(input, stream, *decoder);
    if (frame == nullptr) {
        rewind(input);
        KN_TRY(afresh, open_decoder(stream));
        decoder = std::move(afresh);
        KN_TRY(whole, first_frame_of(input, stream, decoder));
        frame = std::move(whole);
    }
    complete_parameters(stream, *decoder);
    return frame;
}

Measured measure(Input& input, const AVStream* video) {
    Measured measured;
    if (input->duration != AV_NOPTS_VALUE && input->duration > 0) {
        measured.duration_sec = static_cast<double>(input->duration) / AV_TIME_BASE;
    }
    const bool is_guessed = input->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
    if (video != nullptr) {
        measured.fps = counted_fps(*video);
    }
    // A count over an uneven track divides by decode times, which end before the last picture
    // does; without a count the stated rate is a claim. Both are counted when that is cheap.
    const bool needs_fps = video != nullptr && !(measured.fps && is_steady(*video));
    const bool needs_scan = !measured.duration_sec || is_guessed || needs_fps;
    if (!needs_scan || (measured.duration_sec && input.size_bytes() > kScanBytesMax)) {
        if (video != nullptr && !measured.fps) {
            measured.fps = sane_fps(av_q2d(video->avg_frame_rate));
        }
        return measured;
    }
    const Scan scan = scan_packets(input, video);
    const double duration = scan.end_sec - scan.first_sec;
    if ((!measured.duration_sec || is_guessed) && scan.is_complete && duration > 0) {
        measured.duration_sec = duration;
    }
    if (needs_fps) {
        // From the first picture to the last: program streams do not say how long the last lasts.
        const double span = (scan.all_shown_known ? scan.shown : scan.decoded).length();
        measured.fps = scan.video_frames > 1 && span > 0
                           ? sane_fps(static_cast<double>(scan.video_frames - 1) / span)
                           : sane_fps(av_q2d(video->avg_frame_rate));
    }
    return measured;
}

}  // namespace kinodex::media
