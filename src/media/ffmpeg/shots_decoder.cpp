#include "media/ffmpeg/shots_decoder.h"

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/shots_pictures.h"

namespace kinodex::media {

base::Result<ShotDecoder> ShotDecoder::open(const AVStream& stream) {
    KN_TRY(context, open_decoder(stream));
    // Thumbnails need no deblocking, and scaling large frames down to pictures smooths them anyway.
    context->skip_loop_filter =
        context->width > kShotPictureWidth ? AVDISCARD_ALL : AVDISCARD_NONKEY;
    // A key frame alone can look incomplete to a decoder that waits for recovery points.
    context->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    return ShotDecoder(std::move(context));
}

bool ShotDecoder::receive(const FrameTaker& take) {
    while (avcodec_receive_frame(context_.get(), frame_.get()) >= 0) {
        const bool goes_on = take(*frame_);
        av_frame_unref(frame_.get());
        if (!goes_on) {
            return false;
        }
    }
    return true;
}

Frame ShotDecoder::decode_key(const AVPacket& packet) {
    begin_run();
    Frame found;
    const auto take = [&found](const AVFrame& frame) {
        found.reset(av_frame_clone(&frame));
        return found == nullptr;
    };
    feed(packet, take);
    if (!found) {
        end_run(take);
    }
    return found;
}

void ShotDecoder::decode_run(std::span<const PlannedPacket> packets, const FrameTaker& take) {
    begin_run();
    bool goes_on = true;
    for (const PlannedPacket& each : packets) {
        if (each.feed == Feed::leave_out) {
            continue;
        }
        context_->skip_frame =
            each.feed == Feed::for_reference ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
        if (avcodec_send_packet(context_.get(), each.packet) >= 0) {
            goes_on = receive(take);
        }
        if (!goes_on) {
            return;
        }
    }
    end_run(take);
}

void ShotDecoder::begin_run() {
    avcodec_flush_buffers(context_.get());
    context_->skip_frame = AVDISCARD_DEFAULT;
}

void ShotDecoder::feed(const AVPacket& packet, const FrameTaker& take) {
    if (avcodec_send_packet(context_.get(), &packet) >= 0) {
        receive(take);
    }
}

void ShotDecoder::end_run(const FrameTaker& take) {
    avcodec_send_packet(context_.get(), nullptr);
    receive(take);
}

}  // namespace kinodex::media
