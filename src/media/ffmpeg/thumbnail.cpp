// `make_thumbnail` of media/child.h: one JPEG that stands for a video, a sound or an image.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "media/child.h"
#include "media/ffmpeg/picture.h"
#include "media/ffmpeg/picture_still.h"
#include "media/ffmpeg/probe_headers.h"
#include "media/ffmpeg/thumbnail_frame.h"
#include "media/ffmpeg/thumbnail_waveform.h"

namespace kinodex::media {
namespace {

using base::Errc;
using domain::AssetType;

base::Result<std::string> image_thumbnail(int fd, int max_width) {
    std::array<char, kSniffBytes> head{};
    const auto got = ::pread(fd, head.data(), head.size(), 0);
    const Sniffed sniffed =
        sniff({head.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))});
    KN_TRY(still, read_still(fd, sniffed));
    const Turn turn = turn_of(still.orientation);
    KN_TRY(picture, rgb_of(*still.frame, turn.degrees, max_width));
    return jpeg_of(turn.is_mirrored ? mirrored(std::move(picture)) : picture);
}

/// The picture that some audio files carry; an error when there is none that decodes.
base::Result<std::string> cover_art(Input& input, int max_width) {
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        const AVStream& stream = *input->streams[i];
        if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0 ||
            stream.attached_pic.size == 0) {
            continue;
        }
        auto decoder = open_decoder(stream);
        if (!decoder) {
            continue;
        }
        (*decoder)->max_pixels = kPicturePixelsMax;
        const Frame frame = new_frame();
        avcodec_send_packet(decoder->get(), &stream.attached_pic);
        avcodec_send_packet(decoder->get(), nullptr);
        if (avcodec_receive_frame(decoder->get(), frame.get()) >= 0) {
            return jpeg_of(*frame, 0, max_width);
        }
    }
    return base::fail(Errc::file_unprocessable, {}, "no cover art");
}

base::Result<std::string> stream_thumbnail(int fd, int max_width) {
    KN_TRY(input, Input::open(fd));
    if (!headers_suffice(input)) {
        KN_PASS(input.find_streams());
    }
    if (AVStream* video = input.best_stream(AVMEDIA_TYPE_VIDEO)) {
        KN_TRY(frame, representative_frame(input, *video));
        return jpeg_of(*frame, rotation_of(*video), max_width);
    }
    AVStream* audio = input.best_stream(AVMEDIA_TYPE_AUDIO);
    if (audio == nullptr) {
        return base::fail(Errc::file_unprocessable, {}, "neither video nor audio inside");
    }
    if (auto cover = cover_art(input, max_width)) {
        return cover;
    }
    KN_TRY(peaks, peaks_of(input, *audio));
    const int width = std::min(max_width, 1280);
    return jpeg_of(draw_waveform(peaks, width, width * 9 / 16));
}

base::Result<void> write_out(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            const bool is_full = errno == ENOSPC || errno == EDQUOT;
            return base::fail(is_full ? Errc::storage_full : Errc::internal, {},
                              std::string("write the thumbnail: ") + std::strerror(errno));
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace

base::Result<void> make_thumbnail(const ThumbnailRequest& request) {
    KN_TRY(jpeg, request.type == AssetType::image
                     ? image_thumbnail(request.source_fd, request.max_width)
                     : stream_thumbnail(request.source_fd, request.max_width));
    return write_out(request.out_fd, jpeg);
}

}  // namespace kinodex::media
