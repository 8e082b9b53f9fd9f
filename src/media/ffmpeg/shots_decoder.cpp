#include "media/ffmpeg/shots_decoder.h"

#include <algorithm>

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/shots_pictures.h"

namespace kinodex::media {

base::Result<ShotDecoder> ShotDecoder::open(const AVStream& stream) {
    std::array<std::unique_ptr<Lane>, 2> lanes;
    for (auto& lane : lanes) {
        KN_TRY(context, open_decoder(stream));
        // Thumbnails need no deblocking, and scaling large frames down to pictures smooths them.
        context->skip_loop_filter =
            context->width > kShotPictureWidth ? AVDISCARD_ALL : AVDISCARD_NONKEY;
        // A key frame alone can look incomplete to a decoder that waits for recovery points.
        context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
        lane = std::make_unique<Lane>();
        context->opaque = lane.get();
        context->get_buffer2 = &ShotDecoder::keep_buffer;
        lane->context = std::move(context);
    }
    return ShotDecoder(std::move(lanes));
}

/// The default, but remembers the buffer: with one thread the picture in it is whole when sending
/// its packet returns, long before reordering lets it out.
int ShotDecoder::keep_buffer(AVCodecContext* context, AVFrame* frame, int flags) {
    const int error = avcodec_default_get_buffer2(context, frame, flags);
    auto* decoded = static_cast<Lane*>(context->opaque)->decoded.get();
    av_frame_unref(decoded);
    if (error >= 0) {
        av_frame_ref(decoded, frame);
    }
    return error;
}

void ShotDecoder::restart(Lane& lane) {
    avcodec_flush_buffers(lane.context.get());
    av_frame_unref(lane.decoded.get());
    lane.context->skip_frame = AVDISCARD_DEFAULT;
    lane.at.reset();
    running_ = &lane;
}

bool ShotDecoder::receive(const FrameTaker& take) {
    while (avcodec_receive_frame(running_->context.get(), frame_.get()) >= 0) {
        const bool goes_on = take(*frame_);
        av_frame_unref(frame_.get());
        if (!goes_on) {
            return false;
        }
    }
    return true;
}

Frame ShotDecoder::decode_key(const AVPacket& packet) {
    Lane& lane = *lanes_[next_];
    next_ = 1 - next_;
    restart(lane);
    Frame found;
    const auto take = [&found](const AVFrame& frame) {
        found.reset(av_frame_clone(&frame));
        return found == nullptr;
    };
    if (avcodec_send_packet(lane.context.get(), &packet) < 0) {
        return nullptr;
    }
    receive(take);
    // Only H.264's decoder is known to be done with a picture at this point; others are drained.
    const bool is_whole = lane.context->codec_id == AV_CODEC_ID_H264;
    const bool is_shown = found != nullptr;
    if (!found && is_whole && lane.decoded->buf[0] != nullptr) {
        found.reset(av_frame_clone(lane.decoded.get()));
        if (found) {
            // The buffer is as large as whole blocks need; this is what will be shown of it.
            found->width = std::min(found->width, lane.context->width);
            found->height = std::min(found->height, lane.context->height);
        }
    }
    if (found && !is_shown) {
        lane.at = packet.pts;
    } else if (!found) {
        end_run(take);
    }
    return found;
}

void ShotDecoder::decode_run(std::span<const PlannedPacket> packets, const FrameTaker& take) {
    if (packets.empty()) {
        return;
    }
    running_ = nullptr;
    for (const auto& lane : lanes_) {
        if (lane->at && *lane->at == packets.front().packet->pts) {
            running_ = lane.get();
            packets = packets.subspan(1);
            break;
        }
    }
    if (running_ == nullptr) {
        // The lane that holds the older key frame is the one that is not needed again.
        restart(*lanes_[next_]);
    }
    running_->at.reset();
    for (const PlannedPacket& each : packets) {
        if (each.feed == Feed::leave_out) {
            continue;
        }
        running_->context->skip_frame =
            each.feed == Feed::for_reference ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
        if (avcodec_send_packet(running_->context.get(), each.packet) >= 0 && !receive(take)) {
            return;
        }
    }
    end_run(take);
}

void ShotDecoder::begin_run() {
    restart(*lanes_[next_]);
}

void ShotDecoder::feed(const AVPacket& packet, const FrameTaker& take) {
    if (avcodec_send_packet(running_->context.get(), &packet) >= 0) {
        receive(take);
    }
}

void ShotDecoder::end_run(const FrameTaker& take) {
    avcodec_send_packet(running_->context.get(), nullptr);
    receive(take);
}

}  // namespace kinodex::media
