#include "media/ffmpeg/picture_still.h"

#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include <libavutil/pixdesc.h>
}

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/picture.h"

namespace kinodex::media {
namespace {

using base::Errc;

AVCodecID codec_of(std::string_view mime) {
    constexpr std::pair<std::string_view, AVCodecID> kCodecs[] = {
        {"image/jpeg", AV_CODEC_ID_MJPEG},   {"image/png", AV_CODEC_ID_PNG},
        {"image/gif", AV_CODEC_ID_GIF},      {"image/webp", AV_CODEC_ID_WEBP},
        {"image/bmp", AV_CODEC_ID_BMP},      {"image/tiff", AV_CODEC_ID_TIFF},
        {"image/jp2", AV_CODEC_ID_JPEG2000},
    };
    for (const auto& [name, id] : kCodecs) {
        if (name == mime) {
            return id;
        }
    }
    return AV_CODEC_ID_NONE;
}

/// The whole file, with the zeros behind it that FFmpeg's readers may touch.
base::Result<std::string> read_file(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0 || info.st_size > kStillBytesMax) {
        return base::fail(Errc::image_broken, {}, "the image file is too large");
    }
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto got = ::pread(fd, &bytes[at], bytes.size() - at, static_cast<off_t>(at));
        if (got <= 0) {
            return base::fail(Errc::internal, {}, "the source could not be read");
        }
        at += static_cast<std::size_t>(got);
    }
    return bytes;
}

base::Result<Frame> decode_whole(AVCodecID id, const std::string& bytes) {
    const AVCodec* codec = avcodec_find_decoder(id);
    if (codec == nullptr) {
        return base::fail(Errc::asset_type_unsupported, {}, "no decoder for this image");
    }
    CodecContext decoder(avcodec_alloc_context3(codec));
    decoder->thread_count = 1;
    decoder->max_pixels = kPicturePixelsMax;
    int error = avcodec_open2(decoder.get(), codec, nullptr);
    if (error < 0) {
        return av_fail(Errc::image_broken, "open decoder", error);
    }
    const Packet packet = new_packet();
    error = av_new_packet(packet.get(), static_cast<int>(bytes.size()));
    if (error < 0) {
        return av_fail(Errc::image_broken, "image memory", error);
    }
    std::copy(bytes.begin(), bytes.end(), packet->data);
    packet->flags |= AV_PKT_FLAG_KEY;
    Frame frame = new_frame();
    error = avcodec_send_packet(decoder.get(), packet.get());
    if (error >= 0) {
        avcodec_send_packet(decoder.get(), nullptr);
        error = avcodec_receive_frame(decoder.get(), frame.get());
    }
    if (error < 0) {
        return av_fail(Errc::image_broken, "decode image", error);
    }
    return frame;
}

/// AVIF, and HEIC where FFmpeg can: a movie box structure around one key frame.
base::Result<Frame> decode_boxed(int fd, const std::string& mime) {
    auto input = Input::open(fd);
    if (!input || !input->find_streams()) {
        return base::fail(Errc::asset_type_unsupported, {{"asset_type", mime}},
                          "this FFmpeg does not open it");
    }
    const AVStream* stream = input->best_stream(AVMEDIA_TYPE_VIDEO);
    if (stream == nullptr || avcodec_find_decoder(stream->codecpar->codec_id) == nullptr) {
        return base::fail(Errc::asset_type_unsupported, {{"asset_type", mime}}, "no decoder");
    }
    KN_TRY(decoder, open_decoder(*stream));
    decoder->max_pixels = kPicturePixelsMax;
    const Packet packet = new_packet();
    Frame frame = new_frame();
    while (av_read_frame(input->get(), packet.get()) >= 0) {
        if (packet->stream_index == stream->index) {
            avcodec_send_packet(decoder.get(), packet.get());
            avcodec_send_packet(decoder.get(), nullptr);
            if (avcodec_receive_frame(decoder.get(), frame.get()) >= 0) {
                return frame;
            }
            break;
        }
        av_packet_unref(packet.get());
    }
    return base::fail(Errc::image_broken, {}, "no picture could be decoded");
}

std::string color_space_of(const AVPixFmtDescriptor& format) {
    if ((format.flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0) {
        return "RGB";
    }
    return format.nb_components <= 2 ? "Gray" : "YCbCr";
}

}  // namespace

base::Result<Still> read_still(int fd, const Sniffed& sniffed) {
    Still still;
    StillHeader header;
    const AVCodecID codec = codec_of(sniffed.mime);
    if (codec == AV_CODEC_ID_NONE) {
        KN_TRY(frame, decode_boxed(fd, sniffed.mime));
        still.frame = std::move(frame);
    } else {
        KN_TRY(bytes, read_file(fd));
        header = read_still_header(bytes, sniffed.mime);
        if (!header.is_whole) {
            return base::fail(Errc::image_broken, {}, "the image file is cut off");
        }
        KN_TRY(frame, decode_whole(codec, header.one_frame.empty() ? bytes : header.one_frame));
        still.frame = std::move(frame);
    }
    const AVPixFmtDescriptor* format =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(still.frame->format));
    if (format == nullptr) {
        return base::fail(Errc::image_broken, {}, "unknown pixel format");
    }
    still.exif = read_exif(header.exif);
    still.orientation = still.exif.orientation.value_or(1);
    still.is_animated = header.is_animated;
    still.has_alpha = header.has_alpha.value_or((format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0);
    still.bit_depth = header.bit_depth.value_or(format->comp[0].depth);
    still.color_space = header.color_space.empty() ? color_space_of(*format) : header.color_space;
    return still;
}

}  // namespace kinodex::media
