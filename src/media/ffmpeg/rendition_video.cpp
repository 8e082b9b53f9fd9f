#include <algorithm>
#include <deque>
#include <string_view>

#include "media/ffmpeg/rendition_recoder.h"
#include "media/ffmpeg/rendition_tracks.h"

extern "C" {
#include <libavutil/opt.h>
}

namespace kinodex::media {
namespace {

constexpr double kKeyFrameSec = 2.0;
constexpr double kFallbackFps = 25.0;
constexpr const char* kPreset = "veryfast";
constexpr const char* kQuality =
    "21";  // crf: below what is seen on a screen, half of the default's loss
constexpr std::size_t kSlotsMax = 20;  // the longest reordering delay of H.264 is 16 pictures
constexpr int kSideMax = 8192;         // above it no H.264 level exists

/// Softens the comb of two fields in one picture: each line becomes a quarter of each neighbour and
/// half of itself. Plain, but free of artefacts and of another library.
void blend_fields(AVFrame& frame) {
    std::vector<std::uint8_t> above;
    for (int plane = 0; plane < 3; ++plane) {
        const int width = plane == 0 ? frame.width : (frame.width + 1) / 2;
        const int height = plane == 0 ? frame.height : (frame.height + 1) / 2;
        const std::ptrdiff_t stride = frame.linesize[plane];
        std::uint8_t* row = frame.data[plane];
        above.assign(row, row + width);
        for (int y = 0; y + 1 < height; ++y, row += stride) {
            const std::uint8_t* below = row + stride;
            for (int x = 0; x < width; ++x) {
                const auto i = static_cast<std::size_t>(x);
                const unsigned own = row[x];
                row[x] = static_cast<std::uint8_t>((above[i] + 2U * own + below[x] + 2U) / 4U);
                above[i] = static_cast<std::uint8_t>(own);
            }
        }
    }
}

class VideoTrack : public RenditionTrack {
  public:
    VideoTrack(Recoder recoder, bool has_slots)
        : recoder_(std::move(recoder)), encoder_(recoder_.encoder()), has_slots_(has_slots) {}

    base::Result<void> take(AVPacket& packet) override {
        if (has_slots_ && packet.dts != AV_NOPTS_VALUE) {
            slots_.push_back(packet.dts);
        }
        return recoder_.decode(packet, [this](AVFrame& frame) { return encode(frame); });
    }

    base::Result<void> flush() override {
        KN_PASS(recoder_.decode_rest([this](AVFrame& frame) { return encode(frame); }));
        return recoder_.encode_rest();
    }

  private:
    base::Result<void> encode(const AVFrame& frame) {
        const std::int64_t time = time_of(frame);
        // Two pictures at one time: the encoder takes ascending times only.
        if (time == AV_NOPTS_VALUE || (last_time_ != AV_NOPTS_VALUE && time <= last_time_)) {
            return {};
        }
        KN_PASS(convert(frame));
        const std::int64_t key_ticks = av_rescale_q(static_cast<std::int64_t>(kKeyFrameSec * 1000),
                                                    {1, 1000}, encoder_.time_base);
        // By time, not by count: pictures may come at any rate.
        const bool is_due = last_time_ == AV_NOPTS_VALUE || time >= next_key_;
        if (is_due) {
            next_key_ = time + key_ticks;
        }
        picture_->pict_type = is_due ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        picture_->pts = time;
        last_time_ = time;
        return recoder_.encode(*picture_, "encode a picture");
    }

    /// AVI has one time slot per packet, in decode order, and no presentation times: the pictures
    /// take the slots in the order in which they are shown. Slots of lost pictures are given up.
    std::int64_t time_of(const AVFrame& frame) {
        if (slots_.empty()) {
            return frame.best_effort_timestamp;
        }
        while (slots_.size() > kSlotsMax) {
            slots_.pop_front();
        }
        const std::int64_t time = slots_.front();
        slots_.pop_front();
        return time;
    }

    /// Into `picture_`, in the encoder's size and format.
    base::Result<void> convert(const AVFrame& frame) {
        scaler_.reset(sws_getCachedContext(scaler_.release(), frame.width, frame.height,
                                           static_cast<AVPixelFormat>(frame.format), encoder_.width,
                                           encoder_.height, encoder_.pix_fmt, SWS_BICUBIC, nullptr,
                                           nullptr, nullptr));
        if (scaler_ == nullptr) {
            return base::fail(base::Errc::file_unprocessable, {}, "no conversion for this picture");
        }
        av_frame_unref(picture_.get());
        picture_->width = encoder_.width;
        picture_->height = encoder_.height;
        picture_->format = encoder_.pix_fmt;
        if (av_frame_get_buffer(picture_.get(), 0) < 0) {
            return base::fail(base::Errc::internal, {}, "out of memory");
        }
        sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, picture_->data,
                  picture_->linesize);
        if (frame.interlaced_frame != 0) {
            blend_fields(*picture_);
        }
        return {};
    }

    Recoder recoder_;
    const AVCodecContext& encoder_;  // the recoder's
    bool has_slots_;
    Scaler scaler_;
    Frame picture_ = new_frame();
    std::deque<std::int64_t> slots_;
    std::int64_t last_time_ = AV_NOPTS_VALUE;
    std::int64_t next_key_ = 0;
};

class CopyTrack : public RenditionTrack {
  public:
    CopyTrack(RenditionOutput& output, int stream, AVRational time_base)
        : output_(output), stream_(stream), time_base_(time_base) {}

    base::Result<void> take(AVPacket& packet) override {
        return output_.write(packet, stream_, time_base_);
    }
    base::Result<void> flush() override { return {}; }

  private:
    RenditionOutput& output_;
    int stream_;
    AVRational time_base_;
};

base::Result<CodecContext> open_encoder(const Input& input, const AVStream& source) {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    if (codec == nullptr) {
        return base::fail(base::Errc::internal, {}, "this FFmpeg has no libx264");
    }
    CodecContext encoder(avcodec_alloc_context3(codec));
    const AVCodecParameters& p = *source.codecpar;
    if (encoder == nullptr || p.width <= 0 || p.height <= 0 || p.width > kSideMax ||
        p.height > kSideMax) {
        return base::fail(base::Errc::file_unprocessable, {}, "picture size out of bounds");
    }
    // 4:2:0 needs even sides; one line or column is scaled in.
    encoder->width = std::max(2, p.width & ~1);
    encoder->height = std::max(2, p.height & ~1);
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->time_base = source.time_base;
    encoder->sample_aspect_ratio = p.sample_aspect_ratio;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->color_primaries = p.color_primaries;
    encoder->color_trc = p.color_trc;
    encoder->colorspace = p.color_space == AVCOL_SPC_RGB ? AVCOL_SPC_BT709 : p.color_space;
    const AVRational rate =
        av_guess_frame_rate(input.get(), const_cast<AVStream*>(&source), nullptr);
    const double fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : kFallbackFps;
    if (rate.num > 0 && rate.den > 0) {
        encoder->framerate = rate;
    }
    encoder->gop_size = std::max(1, static_cast<int>(kKeyFrameSec * std::min(fps, 240.0) * 2));
    encoder->thread_count = 1;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    av_opt_set(encoder->priv_data, "preset", kPreset, 0);
    av_opt_set(encoder->priv_data, "crf", kQuality, 0);
    av_opt_set(encoder->priv_data, "forced-idr", "1", 0);
    const int error = avcodec_open2(encoder.get(), codec, nullptr);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "open the H.264 encoder", error);
    }
    return encoder;
}

}  // namespace

base::Result<RenditionTrackPtr> copy_track(RenditionOutput& output, const AVStream& source) {
    KN_TRY(stream, output.add_copy(source));
    return std::make_unique<CopyTrack>(output, stream, source.time_base);
}

base::Result<RenditionTrackPtr> video_track(RenditionOutput& output, const Input& input,
                                            const AVStream& source) {
    KN_TRY(decoder, open_decoder(source));
    KN_TRY(encoder, open_encoder(input, source));
    KN_TRY(stream, output.add_encoded(source, *encoder));
    const bool is_avi = std::string_view(input->iformat->name) == "avi";
    Recoder recoder(output, std::move(decoder), std::move(encoder), stream);
    return std::make_unique<VideoTrack>(std::move(recoder), is_avi);
}

}  // namespace kinodex::media
