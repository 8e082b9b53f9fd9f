#include "media/ffmpeg/shots_pictures.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

extern "C" {
#include <libavutil/imgutils.h>
}

#include "media/ffmpeg/picture.h"

namespace kinodex::media {
namespace {

// Some twenty 720p frames, 30 MB; only several shots a second need that many.
constexpr std::size_t kCandidatesMax = 20;
// Frames above 2 MB (larger than 720p at 4:2:0) are scaled down before they are kept.
constexpr int kKeptBytesMax = 2 * 1024 * 1024;
constexpr int kKeptWidth = 960;
// Near a boundary a picture may still show a mix of two shots.
constexpr double kEdgeSec = 0.4;
constexpr double kEdgeWeight = 0.4;
// Frames between key frames are decoded without their deblocking filter.
constexpr double kBetweenKeysWeight = 0.5;

Frame scaled_down(const AVFrame& frame) {
    const auto format = static_cast<AVPixelFormat>(frame.format);
    const int width = std::min(frame.width, kKeptWidth) & ~1;
    const auto height = static_cast<int>(std::int64_t{frame.height} * width / frame.width) & ~1;
    if (width < 2 || height < 2) {
        return nullptr;
    }
    const Scaler scaler(sws_getContext(frame.width, frame.height, format, width, height, format,
                                       SWS_AREA, nullptr, nullptr, nullptr));
    Frame small = new_frame();
    if (!scaler || !small) {
        return nullptr;
    }
    av_frame_copy_props(small.get(), &frame);
    small->format = frame.format;
    small->width = width;
    small->height = height;
    if (av_frame_get_buffer(small.get(), 0) < 0 ||
        sws_scale(scaler.get(), frame.data, frame.linesize, 0, frame.height, small->data,
                  small->linesize) < 0) {
        return nullptr;
    }
    return small;
}

}  // namespace

base::Result<void> write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            const bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
            return base::fail(is_full ? base::Errc::storage_full : base::Errc::internal, {},
                              std::string("writing a result: ") + std::strerror(errno));
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

void ShotPictures::offer(double time_sec, const AVFrame& frame, double score, bool is_key) {
    const int bytes = av_image_get_buffer_size(static_cast<AVPixelFormat>(frame.format),
                                               frame.width, frame.height, 1);
    Frame kept(bytes > kKeptBytesMax ? scaled_down(frame).release() : av_frame_clone(&frame));
    if (!kept) {
        kept.reset(av_frame_clone(&frame));
    }
    if (!kept) {
        return;
    }
    const auto at = std::ranges::lower_bound(candidates_, time_sec, {}, &Candidate::time_sec);
    candidates_.insert(at,
                       {time_sec, score * (is_key ? 1.0 : kBetweenKeysWeight), std::move(kept)});
    if (candidates_.size() <= kCandidatesMax) {
        return;
    }
    // The two that are closest in time say nearly the same: the poorer one goes.
    std::size_t closest = 1;
    for (std::size_t i = 2; i < candidates_.size(); ++i) {
        const auto apart = [&](std::size_t k) {
            return candidates_[k].time_sec - candidates_[k - 1].time_sec;
        };
        closest = apart(i) < apart(closest) ? i : closest;
    }
    if (candidates_[closest - 1].score < candidates_[closest].score) {
        --closest;
    }
    candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(closest));
}

void ShotPictures::thin_out(double start_sec, double until_sec) {
    std::size_t best = candidates_.size();
    const auto weight = [&](const Candidate& each) {
        return each.score * (each.time_sec - start_sec < kEdgeSec ? kEdgeWeight : 1.0);
    };
    std::size_t end = 0;
    while (end < candidates_.size() && candidates_[end].time_sec < until_sec) {
        if (best == candidates_.size() || weight(candidates_[end]) > weight(candidates_[best])) {
            best = end;
        }
        ++end;
    }
    if (end < 2) {
        return;
    }
    std::swap(candidates_[end - 1], candidates_[best]);
    candidates_.erase(candidates_.begin(),
                      candidates_.begin() + static_cast<std::ptrdiff_t>(end - 1));
}

base::Result<void> ShotPictures::take(Shot& shot) {
    const auto weight = [&](const Candidate& each) {
        // A shot without any decoded frame takes the nearest one.
        if (each.time_sec < shot.start_sec || each.time_sec >= shot.end_sec) {
            const double middle = (shot.start_sec + shot.end_sec) / 2;
            return -std::abs(each.time_sec - middle);
        }
        const bool is_edge =
            each.time_sec - shot.start_sec < kEdgeSec || shot.end_sec - each.time_sec < kEdgeSec;
        return each.score * (is_edge ? kEdgeWeight : 1.0);
    };
    const auto best = std::ranges::max_element(candidates_, {}, weight);
    if (best == candidates_.end()) {
        return base::fail(base::Errc::file_unprocessable, {}, "no frame of the video decodes");
    }
    KN_TRY(jpeg, jpeg_of(*best->frame, rotation_degrees_, kShotPictureWidth));
    KN_PASS(write_at(fd_, std::as_bytes(std::span(jpeg)), written_));
    shot.picture_sec = best->time_sec;
    shot.picture_offset = written_;
    shot.picture_bytes = jpeg.size();
    written_ += jpeg.size();
    while (candidates_.size() > 1 && candidates_.front().time_sec < shot.end_sec) {
        candidates_.pop_front();
    }
    return {};
}

}  // namespace kinodex::media
