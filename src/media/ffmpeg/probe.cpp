#include "media/ffmpeg/probe.h"

#include <unistd.h>

#include <array>
#include <cmath>

#include "media/child.h"
#include "media/ffmpeg/picture_still.h"
#include "media/ffmpeg/playback.h"
#include "media/ffmpeg/probe_headers.h"
#include "media/ffmpeg/probe_sniff.h"

namespace kinodex::media {
namespace {

using base::Errc;
using domain::AssetType;

constexpr const char* kAudioFormats = "WAV, MP3, FLAC, AAC, M4A, OGG, OPUS, AIFF";

ProbeReport refused(const Sniffed& sniffed, Errc code, std::string detail,
                    std::vector<base::ErrorValue> values = {}) {
    ProbeReport report;
    report.file_type = sniffed.mime;
    report.refusal =
        base::Error{code, std::move(values), std::move(detail), std::source_location::current()};
    return report;
}

ProbeReport unsupported(const Sniffed& sniffed, std::string detail) {
    return refused(sniffed, Errc::asset_type_unsupported, std::move(detail),
                   {{"asset_type", sniffed.mime}});
}

/// The refusal of a file that calls itself something and is not.
ProbeReport broken(const Sniffed& sniffed, std::string detail) {
    if (sniffed.kind != SniffedKind::media) {
        return unsupported(sniffed, std::move(detail));  // nothing said that it is media at all
    }
    const bool is_audio = sniffed.mime.starts_with("audio/");
    return refused(sniffed, is_audio ? Errc::audio_file_broken : Errc::video_file_broken,
                   std::move(detail));
}

/// The container's MIME type, corrected by what is inside.
std::string mime_of(const Sniffed& sniffed, const Input& input, bool is_video) {
    constexpr std::pair<std::string_view, std::string_view> kTwins[] = {
        {"audio/mp4", "video/mp4"},           {"audio/webm", "video/webm"},
        {"audio/ogg", "video/ogg"},           {"audio/x-matroska", "video/x-matroska"},
        {"audio/3gpp", "video/3gpp"},         {"audio/3gpp2", "video/3gpp2"},
        {"audio/x-ms-wma", "video/x-ms-wmv"},
    };
    std::string mime = sniffed.mime;
    if (mime == "application/octet-stream") {
        // Formats without a magic number, known by FFmpeg's look at their frames.
        const std::string_view format = input->iformat->name;
        mime = std::string(is_video ? "video/" : "audio/") + "x-" +
               std::string(format.substr(0, format.find(',')));
        if (format == "mp3") {
            mime = "audio/mpeg";
        } else if (format.starts_with("mov,")) {
            mime = "video/mp4";
        }
    }
    if (mime == "video/x-ms-asf") {
        mime = "video/x-ms-wmv";
    }
    for (const auto& [audio, video] : kTwins) {
        if (mime == audio || mime == video) {
            return std::string(is_video ? video : audio);
        }
    }
    return mime;
}

ProbeReport probe_image(int fd, const Sniffed& sniffed, std::int64_t size_bytes) {
    auto still = read_still(fd, sniffed);
    if (!still) {
        auto report = refused(sniffed, still.error().code, still.error().detail,
                              std::move(still.error().values));
        if (report.refusal->code == Errc::asset_type_unsupported) {
            report.refusal->values = {{"asset_type", sniffed.mime}};
        }
        return report;
    }
    ProbeReport report;
    report.type = AssetType::image;
    report.file_type = sniffed.mime;
    report.container_format = sniffed.mime.substr(sniffed.mime.find('/') + 1);
    report.width = still->frame->width;
    report.height = still->frame->height;
    if (turn_of(still->orientation).degrees % 180 != 0) {
        std::swap(report.width, report.height);
    }
    report.technical_metadata = technical_metadata(*still, sniffed.mime, size_bytes);
    return report;
}

/// How it can be played; last, because writing the plan may read to the end.
base::Result<void> add_playback(ProbeReport& report, Input& input, const ProbeRequest& request) {
    report.playback = classify_playback(input);
    if (report.playback != Playback::packaged || request.plan_fd < 0) {
        return {};
    }
    rewind(input);
    KN_TRY(written, write_plan(input, request.source_fd, request.plan_fd));
    report.playback = written;
    report.plan_written = written == Playback::packaged;
    return {};
}

/// The first frame of the video when the headers say everything else; null, at the first packet,
/// when the streams have to be searched.
Frame frame_after_headers(Input& input) {
    if (!headers_suffice(input)) {
        return nullptr;
    }
    AVStream* video = input.best_stream(AVMEDIA_TYPE_VIDEO);
    auto frame = first_frame_completing(input, *video);
    rewind(input);
    return frame ? std::move(*frame) : nullptr;
}

base::Result<ProbeReport> probe_streams(Input& input, const Sniffed& sniffed,
                                        const ProbeRequest& request, Frame frame) {
    const AVStream* video = input.best_stream(AVMEDIA_TYPE_VIDEO);
    const AVStream* audio = input.best_stream(AVMEDIA_TYPE_AUDIO);
    const AVStream* main = video != nullptr ? video : audio;
    if (main == nullptr) {
        return broken(sniffed, "neither video nor audio inside");
    }
    Sniffed typed = sniffed;
    typed.mime = mime_of(sniffed, input, video != nullptr);
    if (avcodec_find_decoder(main->codecpar->codec_id) == nullptr) {
        const std::string codec = avcodec_get_name(main->codecpar->codec_id);
        if (video != nullptr) {
            return unsupported(typed, "no decoder for " + codec);
        }
        return refused(typed, Errc::audio_format_unsupported, "no decoder for " + codec,
                       {{"format", codec}, {"supported_formats", kAudioFormats}});
    }
    if (frame == nullptr) {
        auto first = first_frame(input, *main);
        if (!first) {
            return broken(sniffed.kind == SniffedKind::media ? typed : sniffed,
                          first.error().detail);
        }
        frame = std::move(*first);
        rewind(input);
    }
    Measured measured = measure(input, video);
    measured.frame = video != nullptr ? frame.get() : nullptr;
    ProbeReport report;
    report.type = video != nullptr ? AssetType::video : AssetType::audio;
    report.file_type = typed.mime;
    report.container_format = input->iformat->name;
    report.duration_sec = measured.duration_sec;
    report.fps = measured.fps;
    report.has_audio = audio != nullptr;
    report.has_video = video != nullptr;
    if (video != nullptr) {
        const bool is_turned = rotation_of(*video) % 180 != 0;
        const int width = frame->width;
        const int height = frame->height;
        report.width = is_turned ? height : width;
        report.height = is_turned ? width : height;
    }
    report.technical_metadata = technical_metadata(input, typed.mime, measured);
    KN_PASS(add_playback(report, input, request));
    return report;
}

}  // namespace

base::Result<ProbeReport> probe_file(const ProbeRequest& request) {
    std::array<char, kSniffBytes> head{};
    const auto got = ::pread(request.source_fd, head.data(), head.size(), 0);
    if (got < 0) {
        return base::fail(Errc::internal, {}, "the source could not be read");
    }
    const Sniffed sniffed = sniff(std::string_view(head.data(), static_cast<std::size_t>(got)));
    if (got == 0) {
        return refused(sniffed, Errc::file_unprocessable, "the file is empty");
    }
    if (sniffed.kind == SniffedKind::playlist || sniffed.kind == SniffedKind::other) {
        return unsupported(sniffed, "not media");
    }
    if (sniffed.kind == SniffedKind::image) {
        return probe_image(request.source_fd, sniffed, ::lseek(request.source_fd, 0, SEEK_END));
    }
    auto input = Input::open(request.source_fd);
    if (!input) {
        return broken(sniffed, input.error().detail);
    }
    Frame frame = frame_after_headers(*input);
    if (frame == nullptr) {
        if (auto found = input->find_streams(); !found) {
            return broken(sniffed, found.error().detail);
        }
    }
    return probe_streams(*input, sniffed, request, std::move(frame));
}

}  // namespace kinodex::media
