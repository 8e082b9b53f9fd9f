#include "media/ffmpeg/rendition_recoder.h"

namespace kinodex::media {

base::Result<void> Recoder::decode(AVPacket& packet, const TakeFrame& take) {
    const int error = avcodec_send_packet(decoder_.get(), &packet);
    av_packet_unref(&packet);
    if (error < 0 && error != AVERROR(EAGAIN)) {
        return {};
    }
    return drain_decoder(take);
}

base::Result<void> Recoder::decode_rest(const TakeFrame& take) {
    avcodec_send_packet(decoder_.get(), nullptr);
    return drain_decoder(take);
}

base::Result<void> Recoder::encode(const AVFrame& frame, std::string_view what) {
    const int error = avcodec_send_frame(encoder_.get(), &frame);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, what, error);
    }
    return drain_encoder();
}

base::Result<void> Recoder::encode_rest() {
    avcodec_send_frame(encoder_.get(), nullptr);
    return drain_encoder();
}

base::Result<void> Recoder::drain_decoder(const TakeFrame& take) {
    while (avcodec_receive_frame(decoder_.get(), frame_.get()) >= 0) {
        auto taken = take(*frame_);
        av_frame_unref(frame_.get());
        KN_PASS(taken);
    }
    return {};
}

base::Result<void> Recoder::drain_encoder() {
    while (avcodec_receive_packet(encoder_.get(), packet_.get()) >= 0) {
        KN_PASS(output_.write(*packet_, stream_, encoder_->time_base));
    }
    return {};
}

}  // namespace kinodex::media
