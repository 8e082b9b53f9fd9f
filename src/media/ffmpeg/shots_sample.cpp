#include "media/ffmpeg/shots_sample.h"

#include <algorithm>
#include <cstring>

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

namespace kinodex::media {
namespace {

using plan::SmallPicture;

// Rows of a cell that are enough for its mean; reading the rest would only cost time. Fewer than
// twice as many are read, so that sums of 8-bit values fit 16 bits.
constexpr int kRowsOfCell = 8;

struct PlaneView {
    const std::uint8_t* bytes = nullptr;
    std::ptrdiff_t stride = 0;
    int width = 0;
    int height = 0;
    int depth = 8;
};

std::uint16_t little_endian(const std::uint8_t* at) {
    std::uint16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
}

void add_row(const PlaneView& plane, int row, std::vector<std::uint16_t>& sums) {
    const std::uint8_t* line = plane.bytes + plane.stride * row;
    const auto width = static_cast<std::size_t>(plane.width);
    std::uint16_t* into = sums.data();
    if (plane.depth == 8) {
        for (std::size_t x = 0; x < width; ++x) {
            into[x] = static_cast<std::uint16_t>(into[x] + line[x]);
        }
        return;
    }
    const int shift = plane.depth - 8;
    for (std::size_t x = 0; x < width; ++x) {
        const int value = little_endian(line + 2 * x) >> shift;
        into[x] = static_cast<std::uint16_t>(into[x] + value);
    }
}

/// Mean of each cell; planes smaller than the grid repeat their pixels.
void cell_means(const PlaneView& plane, std::vector<std::uint16_t>& sums,
                SmallPicture::Plane& into) {
    sums.assign(static_cast<std::size_t>(plane.width), 0);
    for (int row = 0; row < SmallPicture::kRows; ++row) {
        const int top = row * plane.height / SmallPicture::kRows;
        const int bottom = std::max(top + 1, (row + 1) * plane.height / SmallPicture::kRows);
        std::ranges::fill(sums, std::uint16_t{0});
        std::uint32_t rows = 0;
        const int step = std::max(1, (bottom - top) / kRowsOfCell);
        for (int y = top; y < bottom; y += step) {
            add_row(plane, y, sums);
            ++rows;
        }
        for (int column = 0; column < SmallPicture::kColumns; ++column) {
            const int left = column * plane.width / SmallPicture::kColumns;
            const int right =
                std::max(left + 1, (column + 1) * plane.width / SmallPicture::kColumns);
            std::uint32_t sum = 0;
            for (int x = left; x < right; ++x) {
                sum += sums[static_cast<std::size_t>(x)];
            }
            const std::uint32_t count = rows * static_cast<std::uint32_t>(right - left);
            into[static_cast<std::size_t>(row * SmallPicture::kColumns + column)] =
                static_cast<std::uint8_t>(std::min<std::uint32_t>(255, sum / count));
        }
    }
}

/// True for planar YUV and gray whose samples are 8 bits, or 9 to 16 little endian.
bool is_directly_readable(const AVPixFmtDescriptor& format) {
    constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL |
                                     AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                                     AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_FLOAT;
    if ((format.flags & kOther) != 0) {
        return false;
    }
    const int planes = format.nb_components >= 3 ? 3 : 1;
    for (int i = 0; i < planes; ++i) {
        const auto& part = format.comp[i];
        const int bytes = part.depth > 8 ? 2 : 1;
        if (part.plane != i || part.step != bytes || part.offset != 0 || part.shift != 0 ||
            part.depth < 8 || part.depth > 16) {
            return false;
        }
    }
    return true;
}

PlaneView view_of(const AVFrame& frame, const AVPixFmtDescriptor& format, int plane) {
    const int shift_x = plane > 0 ? format.log2_chroma_w : 0;
    const int shift_y = plane > 0 ? format.log2_chroma_h : 0;
    return {frame.data[plane], frame.linesize[plane], AV_CEIL_RSHIFT(frame.width, shift_x),
            AV_CEIL_RSHIFT(frame.height, shift_y), format.comp[plane].depth};
}

SmallPicture sample_planes(const AVFrame& frame, const AVPixFmtDescriptor& format,
                           std::vector<std::uint16_t>& sums) {
    SmallPicture small;
    cell_means(view_of(frame, format, 0), sums, small.luma);
    if (format.nb_components >= 3) {
        cell_means(view_of(frame, format, 1), sums, small.blue);
        cell_means(view_of(frame, format, 2), sums, small.red);
    } else {
        small.blue.fill(128);
        small.red.fill(128);
    }
    return small;
}

}  // namespace

base::Result<SmallPicture> FrameSampler::sample(const AVFrame& frame) {
    const auto* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (format == nullptr || frame.width <= 0 || frame.height <= 0 || frame.data[0] == nullptr) {
        return base::fail(base::Errc::file_unprocessable, {}, "frame without a picture");
    }
    if (!is_directly_readable(*format)) {
        return convert_and_sample(frame);
    }
    return sample_planes(frame, *format, column_sums_);
}

base::Result<SmallPicture> FrameSampler::convert_and_sample(const AVFrame& frame) {
    constexpr AVPixelFormat kFormat = AV_PIX_FMT_YUV444P;
    constexpr int kWidth = SmallPicture::kColumns * 4;
    constexpr int kHeight = SmallPicture::kRows * 4;
    scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height,
                                       static_cast<AVPixelFormat>(frame.format), kWidth, kHeight,
                                       kFormat, SWS_AREA, nullptr, nullptr, nullptr));
    Frame small = new_frame();
    if (!scaler_ || !small) {
        return base::fail(base::Errc::file_unprocessable, {}, "no conversion from this format");
    }
    small->format = kFormat;
    small->width = kWidth;
    small->height = kHeight;
    if (const int error = av_frame_get_buffer(small.get(), 0); error < 0) {
        return av_fail(base::Errc::file_unprocessable, "frame buffer", error);
    }
    const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height,
                               small->data, small->linesize);
    if (rows < 0) {
        return av_fail(base::Errc::file_unprocessable, "convert", rows);
    }
    return sample_planes(*small, *av_pix_fmt_desc_get(kFormat), column_sums_);
}

double picture_score(const AVFrame& frame, const SmallPicture& small) {
    // Below this mean a frame is nearly black, below this deviation nearly empty.
    constexpr double kDarkMean = 32;
    constexpr double kFlatDeviation = 6;
    constexpr double kPoorWeight = 0.05;
    constexpr int kEveryRows = 8;
    constexpr int kApart = 2;
    const auto luma = plan::luma_statistics(small);
    double detail = luma.deviation / 16;
    const auto* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (format != nullptr && is_directly_readable(*format) && format->comp[0].depth == 8 &&
        frame.width > kApart) {
        std::uint64_t sum = 0;
        std::uint64_t count = 0;
        for (int y = kEveryRows / 2; y < frame.height; y += kEveryRows) {
            const std::uint8_t* line = frame.data[0] + std::ptrdiff_t{frame.linesize[0]} * y;
            unsigned row = 0;
            for (int x = 0; x + kApart < frame.width; ++x) {
                row += static_cast<unsigned>(std::abs(line[x + kApart] - line[x]));
            }
            sum += row;
            count += static_cast<unsigned>(frame.width);
        }
        detail += count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : 0;
    }
    const bool is_poor = luma.mean < kDarkMean || luma.deviation < kFlatDeviation;
    return detail * (is_poor ? kPoorWeight : 1.0);
}

}  // namespace kinodex::media
