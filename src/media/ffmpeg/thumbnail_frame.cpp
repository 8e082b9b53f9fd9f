#include "media/ffmpeg/thumbnail_frame.h"

#include "media/ffmpeg/picture.h"
#include "media/ffmpeg/probe.h"
#include "media/ffmpeg/thumbnail_score.h"

namespace kinodex::media {
namespace {

using base::Errc;

/// Where to look, as parts of the duration: a tenth in is past most titles and before most ends.
constexpr double kPlaces[] = {0.10, 0.20, 0.35, 0.50, 0.05, 0.65, 0.02, 0.80};
/// A title sequence of a long film is not over after ten seconds, but the fade-in is.
constexpr double kEarliestSec = 1;
constexpr int kPacketsToKeyMax = 3000;
constexpr int kScoredWidth = 192;

/// The key frame at or before `seconds`; null when none can be had there.
Frame key_frame_at(Input& input, AVStream& video, AVCodecContext& decoder, double seconds) {
    const auto from = video.start_time == AV_NOPTS_VALUE ? 0 : video.start_time;
    const auto target = from + static_cast<std::int64_t>(seconds / av_q2d(video.time_base));
    if (avformat_seek_file(input.get(), video.index, INT64_MIN, target, target, 0) < 0 &&
        av_seek_frame(input.get(), video.index, target, AVSEEK_FLAG_BACKWARD) < 0) {
        return nullptr;
    }
    avcodec_flush_buffers(&decoder);
    const Packet packet = new_packet();
    Frame frame = new_frame();
    for (int i = 0; i < kPacketsToKeyMax; ++i) {
        if (av_read_frame(input.get(), packet.get()) < 0) {
            return nullptr;
        }
        const bool is_key =
            packet->stream_index == video.index && (packet->flags & AV_PKT_FLAG_KEY) != 0;
        if (is_key) {
            avcodec_send_packet(&decoder, packet.get());
            // Draining gives the frame now instead of after the reordering delay.
            avcodec_send_packet(&decoder, nullptr);
            if (avcodec_receive_frame(&decoder, frame.get()) >= 0) {
                return frame;
            }
            avcodec_flush_buffers(&decoder);
        }
        av_packet_unref(packet.get());
    }
    return nullptr;
}

}  // namespace

base::Result<Frame> representative_frame(Input& input, AVStream& video) {
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        if (input->streams[i] != &video) {
            input->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    KN_TRY(decoder, open_decoder(video));
    decoder->max_pixels = kPicturePixelsMax;
    const double duration = duration_of(input, video).value_or(0);
    Frame best;
    double best_score = -1;
    std::int64_t last_time = AV_NOPTS_VALUE;
    for (const double place : kPlaces) {
        const double seconds = std::min(std::max(place * duration, kEarliestSec), duration / 2);
        Frame frame = key_frame_at(input, video, *decoder, seconds);
        if (frame == nullptr || (best != nullptr && frame->pts == last_time)) {
            continue;  // few key frames: the same one again
        }
        last_time = frame->pts;
        const auto small = rgb_of(*frame, 0, kScoredWidth);
        const double score = small ? score_of(*small).total : -1;
        if (best == nullptr || score > best_score) {
            best = std::move(frame);
            best_score = score;
        }
        if (best_score >= kGoodScore) {
            break;
        }
    }
    if (best != nullptr) {
        return best;
    }
    rewind(input);
    auto first = first_frame(input, video);
    if (!first) {
        return base::fail(Errc::video_file_broken, {}, first.error().detail);
    }
    return first;
}

}  // namespace kinodex::media
