#include "media/ffmpeg/picture.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/ffmpeg/picture_hdr.h"

namespace kinodex::media {
namespace {

using base::Errc;

constexpr int kJpegQuality = 3;    // FFmpeg's scale: 2 is best, 31 worst
constexpr int kHeightMax = 8192;   // of a scaled picture: a strip a pixel wide stays bounded
constexpr double kAspectMax = 10;  // of one pixel; beyond it the number is nonsense

struct Size {
    int width = 0;
    int height = 0;
};

/// The size in the frame's own direction that gives at most `max_width` across once it is turned.
Size scaled_size(const AVFrame& frame, bool is_turned, int max_width) {
    double width = frame.width;
    double height = frame.height;
    const AVRational aspect = frame.sample_aspect_ratio;
    if (aspect.num > 0 && aspect.den > 0) {
        const double ratio = av_q2d(aspect);
        if (ratio > 1 && ratio <= kAspectMax) {
            width *= ratio;
        } else if (ratio < 1 && ratio >= 1 / kAspectMax) {
            height /= ratio;
        }
    }
    const double across = is_turned ? height : width;
    const double down = is_turned ? width : height;
    const double scale = std::min({1.0, max_width / across, kHeightMax / down});
    const auto whole = [scale](double length) {
        return std::max(1, static_cast<int>(std::lround(length * scale)));
    };
    return {whole(width), whole(height)};
}

bool is_full_range(const AVFrame& frame) {
    switch (frame.format) {
        case AV_PIX_FMT_YUVJ420P:
        case AV_PIX_FMT_YUVJ422P:
        case AV_PIX_FMT_YUVJ444P:
        case AV_PIX_FMT_YUVJ440P:
        case AV_PIX_FMT_YUVJ411P:
            return true;
        default:
            return frame.color_range == AVCOL_RANGE_JPEG;
    }
}

/// swscale's matrix of a frame; unmarked video is BT.709 from 720 lines on, as players assume.
int matrix_of(const AVFrame& frame) {
    switch (frame.colorspace) {
        case AVCOL_SPC_BT709:
            return SWS_CS_ITU709;
        case AVCOL_SPC_BT2020_NCL:
        case AVCOL_SPC_BT2020_CL:
            return SWS_CS_BT2020;
        case AVCOL_SPC_SMPTE240M:
            return SWS_CS_SMPTE240M;
        case AVCOL_SPC_FCC:
            return SWS_CS_FCC;
        case AVCOL_SPC_UNSPECIFIED:
            return frame.height >= 720 && !is_full_range(frame) ? SWS_CS_ITU709 : SWS_CS_ITU601;
        default:
            return SWS_CS_ITU601;
    }
}

/// The frame in packed `format` at `size`, rows without padding.
base::Result<std::string> converted(const AVFrame& frame, Size size, AVPixelFormat format) {
    const Scaler scaler(sws_getContext(
        frame.width, frame.height, static_cast<AVPixelFormat>(frame.format), size.width,
        size.height, format, SWS_BICUBIC | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
    const int bytes = av_image_get_buffer_size(format, size.width, size.height, 1);
    if (scaler == nullptr || bytes <= 0) {
        return base::fail(Errc::file_unprocessable, {}, "this pixel format cannot be converted");
    }
    sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(matrix_of(frame)),
                             is_full_range(frame) ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1,
                             0, 1 << 16, 1 << 16);
    std::string out(static_cast<std::size_t>(bytes), '\0');
    std::uint8_t* planes[4] = {};
    int strides[4] = {};
    av_image_fill_arrays(planes, strides, reinterpret_cast<std::uint8_t*>(out.data()), format,
                         size.width, size.height, 1);
    const int rows =
        sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
    if (rows <= 0) {
        return av_fail(Errc::file_unprocessable, "scale", rows);
    }
    return out;
}

std::string over_white(const std::string& rgba) {
    std::string rgb;
    rgb.reserve(rgba.size() / 4 * 3);
    for (std::size_t i = 0; i + 3 < rgba.size(); i += 4) {
        const unsigned alpha = static_cast<unsigned char>(rgba[i + 3]);
        for (std::size_t c = 0; c < 3; ++c) {
            const unsigned value = static_cast<unsigned char>(rgba[i + c]);
            rgb += static_cast<char>((value * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
    return rgb;
}

RgbPicture turned(RgbPicture picture, int degrees) {
    if (degrees == 0) {
        return picture;
    }
    const auto width = static_cast<std::size_t>(picture.width);
    const auto height = static_cast<std::size_t>(picture.height);
    RgbPicture out{picture.width, picture.height, std::string(picture.rgb.size(), '\0')};
    if (degrees != 180) {
        std::swap(out.width, out.height);
    }
    const auto out_width = static_cast<std::size_t>(out.width);
    for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t x = 0; x < width; ++x) {
            std::size_t to_x = width - 1 - x;  // 180
            std::size_t to_y = height - 1 - y;
            if (degrees == 90) {
                to_x = height - 1 - y;
                to_y = x;
            } else if (degrees == 270) {
                to_x = y;
                to_y = width - 1 - x;
            }
            std::memcpy(&out.rgb[3 * (to_y * out_width + to_x)], &picture.rgb[3 * (y * width + x)],
                        3);
        }
    }
    return out;
}

base::Result<Frame> jpeg_frame(const RgbPicture& picture) {
    Frame frame = new_frame();
    frame->width = picture.width;
    frame->height = picture.height;
    frame->format = AV_PIX_FMT_YUVJ420P;
    frame->color_range = AVCOL_RANGE_JPEG;
    frame->quality = kJpegQuality * FF_QP2LAMBDA;
    if (const int error = av_frame_get_buffer(frame.get(), 0); error < 0) {
        return av_fail(Errc::file_unprocessable, "picture memory", error);
    }
    const Scaler scaler(sws_getContext(picture.width, picture.height, AV_PIX_FMT_RGB24,
                                       picture.width, picture.height, AV_PIX_FMT_YUVJ420P,
                                       SWS_BICUBIC | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
    if (scaler == nullptr) {
        return base::fail(Errc::file_unprocessable, {}, "no scaler for JPEG");
    }
    const auto* rows = reinterpret_cast<const std::uint8_t*>(picture.rgb.data());
    const int stride = 3 * picture.width;
    sws_scale(scaler.get(), &rows, &stride, 0, picture.height, frame->data, frame->linesize);
    return frame;
}

}  // namespace

base::Result<RgbPicture> rgb_of(const AVFrame& frame, int rotation_degrees, int max_width) {
    const std::int64_t pixels = std::int64_t{frame.width} * frame.height;
    const AVPixFmtDescriptor* format =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (pixels <= 0 || pixels > kPicturePixelsMax || format == nullptr || max_width < 1) {
        return base::fail(Errc::file_unprocessable, {}, "not a picture that can be shown");
    }
    const Size size = scaled_size(frame, rotation_degrees % 180 != 0, max_width);
    RgbPicture picture{size.width, size.height, {}};
    if (is_hdr_transfer(frame.color_trc)) {
        KN_TRY(wide, converted(frame, size, AV_PIX_FMT_RGB48LE));
        picture.rgb = standard_range(wide, frame.color_trc);
    } else if ((format->flags & AV_PIX_FMT_FLAG_ALPHA) != 0 || frame.format == AV_PIX_FMT_PAL8) {
        KN_TRY(rgba, converted(frame, size, AV_PIX_FMT_RGBA));
        picture.rgb = over_white(rgba);
    } else {
        KN_TRY(rgb, converted(frame, size, AV_PIX_FMT_RGB24));
        picture.rgb = std::move(rgb);
    }
    return turned(std::move(picture), rotation_degrees);
}

RgbPicture mirrored(RgbPicture picture) {
    const auto width = static_cast<std::size_t>(picture.width);
    for (std::size_t row = 0; row + 3 * width <= picture.rgb.size(); row += 3 * width) {
        for (std::size_t x = 0; x < width / 2; ++x) {
            char* left = &picture.rgb[row + 3 * x];
            std::swap_ranges(left, left + 3, &picture.rgb[row + 3 * (width - 1 - x)]);
        }
    }
    return picture;
}

base::Result<std::string> jpeg_of(const RgbPicture& picture) {
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    if (codec == nullptr) {
        return base::fail(Errc::internal, {}, "FFmpeg was built without its JPEG encoder");
    }
    CodecContext encoder(avcodec_alloc_context3(codec));
    encoder->width = picture.width;
    encoder->height = picture.height;
    encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
    encoder->color_range = AVCOL_RANGE_JPEG;
    encoder->time_base = {1, 25};
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = kJpegQuality * FF_QP2LAMBDA;
    int error = avcodec_open2(encoder.get(), codec, nullptr);
    if (error < 0) {
        return av_fail(Errc::file_unprocessable, "open JPEG encoder", error);
    }
    KN_TRY(frame, jpeg_frame(picture));
    const Packet packet = new_packet();
    error = avcodec_send_frame(encoder.get(), frame.get());
    if (error >= 0) {
        error = avcodec_receive_packet(encoder.get(), packet.get());
    }
    if (error < 0) {
        return av_fail(Errc::file_unprocessable, "encode JPEG", error);
    }
    return std::string(reinterpret_cast<const char*>(packet->data),
                       static_cast<std::size_t>(packet->size));
}

base::Result<std::string> jpeg_of(const AVFrame& frame, int rotation_degrees, int max_width) {
    KN_TRY(picture, rgb_of(frame, rotation_degrees, max_width));
    return jpeg_of(picture);
}

}  // namespace kinodex::media
