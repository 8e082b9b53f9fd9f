// A rendition: one MP4 that can be served, for files that cannot be served from their own bytes.
#include <unistd.h>

#include <algorithm>
#include <map>

#include "media/child.h"
#include "media/ffmpeg/playback.h"
#include "media/ffmpeg/playback_tracks.h"
#include "media/ffmpeg/rendition_tracks.h"

namespace kinodex::media {
namespace {

// Errors in a row, without a packet between them, after which the rest is given up.
constexpr int kReadErrorsMax = 1000;
constexpr int kPacketsPerReport = 256;

enum class Effort { copy_all, encode_needed, encode_all };

using Tracks = std::map<int, RenditionTrackPtr>;  // by stream of the source

base::Result<Tracks> make_tracks(RenditionOutput& output, const Input& input, Effort effort) {
    Tracks tracks;
    for (const int number : played_streams(input).all()) {
        const AVStream& stream = *input->streams[number];
        const bool is_video = stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
        const bool is_copied = effort == Effort::copy_all ||
                               (effort == Effort::encode_needed && is_playable(*stream.codecpar));
        auto track = is_copied  ? copy_track(output, stream)
                     : is_video ? video_track(output, input, stream)
                                : audio_track(output, stream);
        if (!track) {
            return std::unexpected(std::move(track).error());
        }
        tracks[number] = std::move(*track);
    }
    if (tracks.empty()) {
        return base::fail(base::Errc::file_unprocessable, {}, "nothing to play");
    }
    return tracks;
}

/// Shifts times so that the file starts at zero; a file that starts earlier keeps its times, since
/// what lies before zero is an encoder's priming.
void shift_times(AVPacket& packet, std::int64_t start_us, AVRational time_base) {
    const std::int64_t shift =
        av_rescale_q(std::max<std::int64_t>(start_us, 0), {1, AV_TIME_BASE}, time_base);
    if (packet.pts != AV_NOPTS_VALUE) {
        packet.pts -= shift;
    }
    if (packet.dts != AV_NOPTS_VALUE) {
        packet.dts -= shift;
    }
}

base::Result<void> pump(Input& input, Tracks& tracks, const Progress& progress) {
    const std::int64_t start_us = input->start_time == AV_NOPTS_VALUE ? 0 : input->start_time;
    const Packet packet = new_packet();
    int errors = 0;
    int until_report = 0;
    for (;;) {
        const int error = av_read_frame(input.get(), packet.get());
        if (error == AVERROR_EOF) {
            break;
        }
        if (error < 0) {
            if (++errors > kReadErrorsMax || avio_feof(input->pb) != 0) {
                break;
            }
            continue;
        }
        errors = 0;
        if (until_report-- == 0 && progress) {
            until_report = kPacketsPerReport;
            const auto at = static_cast<double>(avio_tell(input->pb));
            progress(std::clamp(at / static_cast<double>(input.size_bytes() + 1), 0.0, 1.0));
        }
        const auto track = tracks.find(packet->stream_index);
        if (track == tracks.end() || (packet->flags & AV_PKT_FLAG_CORRUPT) != 0) {
            av_packet_unref(packet.get());
            continue;
        }
        shift_times(*packet, start_us, input->streams[packet->stream_index]->time_base);
        KN_PASS(track->second->take(*packet));
    }
    for (auto& [number, track] : tracks) {
        KN_PASS(track->flush());
    }
    return {};
}

/// Writes the MP4 and its plan; the result says whether the plan stands.
base::Result<Playback> attempt(const RenditionRequest& request, Effort effort,
                               const Progress& progress) {
    KN_TRY(input, Input::open(request.source_fd));
    KN_PASS(input.find_streams());
    KN_TRY(output, RenditionOutput::open(request.out_fd));
    KN_TRY(tracks, make_tracks(output, input, effort));
    KN_PASS(output.start());
    KN_PASS(pump(input, tracks, progress));
    KN_PASS(output.finish());
    KN_TRY(written, Input::open(request.out_fd));
    KN_PASS(written.find_streams());
    return write_plan(written, request.out_fd, request.plan_fd);
}

Effort first_effort(const RenditionRequest& request, const Input& input) {
    if (request.copy_streams) {
        return Effort::copy_all;
    }
    const auto streams = played_streams(input).all();
    const bool is_all_playable = std::ranges::all_of(
        streams, [&](int stream) { return is_playable(*input->streams[stream]->codecpar); });
    // Then it was not a codec that stood in the way but times, edits or key frames.
    return is_all_playable ? Effort::encode_all : Effort::encode_needed;
}

}  // namespace

base::Result<void> make_rendition(const RenditionRequest& request, const Progress& progress) {
    Effort effort = Effort::encode_all;
    {
        KN_TRY(input, Input::open(request.source_fd));
        KN_PASS(input.find_streams());
        effort = first_effort(request, input);
    }
    auto done = attempt(request, effort, progress);
    const bool is_disk = !done && done.error().code == base::Errc::storage_full;
    if (effort != Effort::encode_all && !is_disk && (!done || *done != Playback::packaged)) {
        // What was copied is itself at fault: make everything new.
        done = attempt(request, Effort::encode_all, progress);
    }
    KN_PASS(done);
    if (*done != Playback::packaged) {
        return base::fail(base::Errc::file_unprocessable, {}, "the rendition cannot be served");
    }
    return {};
}

}  // namespace kinodex::media
