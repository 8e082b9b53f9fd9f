#include <algorithm>
#include <cmath>

#include "media/ffmpeg/rendition_recoder.h"
#include "media/ffmpeg/rendition_tracks.h"
#include "media/ffmpeg/resampler.h"

extern "C" {
#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>
}

namespace kinodex::media {
namespace {

constexpr int kRateMax = 48'000;
constexpr int kChannelsKeptMax = 6;  // 5.1; more becomes stereo
constexpr std::int64_t kBitsPerChannel = 80'000;

// Sound this far from where it should be is moved there; less is a container's rounding.
constexpr double kDriftSec = 0.04;
constexpr double kSilenceSecMax = 3600;  // a longer hole is a broken clock and is closed

struct FreeFifo {
    void operator()(AVAudioFifo* p) const { av_audio_fifo_free(p); }
};
using Fifo = std::unique_ptr<AVAudioFifo, FreeFifo>;

class AudioTrack : public RenditionTrack {
  public:
    AudioTrack(Recoder recoder, Fifo fifo)
        : recoder_(std::move(recoder)), encoder_(recoder_.encoder()), fifo_(std::move(fifo)) {}
    ~AudioTrack() override { av_channel_layout_uninit(&from_layout_); }
    AudioTrack(const AudioTrack&) = delete;
    AudioTrack& operator=(const AudioTrack&) = delete;

    base::Result<void> take(AVPacket& packet) override {
        return recoder_.decode(packet, [this](AVFrame& frame) { return take_frame(frame); });
    }

    base::Result<void> flush() override {
        KN_PASS(recoder_.decode_rest([this](AVFrame& frame) { return take_frame(frame); }));
        if (resampler_ != nullptr) {
            KN_PASS(resample(nullptr, 0));
        }
        KN_PASS(encode_whole_frames());
        if (const int rest = av_audio_fifo_size(fifo_.get()); rest > 0) {
            KN_PASS(encode_frame(rest));
        }
        return recoder_.encode_rest();
    }

  private:
    base::Result<void> take_frame(AVFrame& frame) {
        KN_PASS(place(frame));
        return encode_whole_frames();
    }

    /// Puts the frame's sound into the queue, where its time says.
    base::Result<void> place(AVFrame& frame) {
        if (frame.nb_samples <= 0 || frame.sample_rate <= 0) {
            return {};
        }
        KN_PASS(set_up(frame));
        if (frame.pts == AV_NOPTS_VALUE) {
            return resample(frame.extended_data, frame.nb_samples);
        }
        const std::int64_t stated =
            av_rescale_q(frame.pts, recoder_.decoder().pkt_timebase, {1, encoder_.sample_rate});
        if (!has_started_) {
            next_time_ = stated;
            has_started_ = true;
            return resample(frame.extended_data, frame.nb_samples);
        }
        const std::int64_t reached = next_time_ + av_audio_fifo_size(fifo_.get()) +
                                     swr_get_delay(resampler_.get(), encoder_.sample_rate);
        const double off =
            static_cast<double>(stated - reached) / static_cast<double>(encoder_.sample_rate);
        if (off < -kDriftSec && off > -kSilenceSecMax) {
            return {};  // already heard
        }
        if (off > kDriftSec && off < kSilenceSecMax) {
            KN_PASS(add_silence(stated - reached));
        }
        return resample(frame.extended_data, frame.nb_samples);
    }

    /// (Re)opens the resampler when the sound's shape differs from the frame before.
    base::Result<void> set_up(const AVFrame& frame) {
        AVChannelLayout layout{};
        if (frame.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
            av_channel_layout_default(&layout, frame.ch_layout.nb_channels);
        } else if (av_channel_layout_copy(&layout, &frame.ch_layout) < 0) {
            return base::fail(base::Errc::internal, {}, "out of memory");
        }
        const bool is_same = resampler_ != nullptr && from_rate_ == frame.sample_rate &&
                             from_format_ == frame.format &&
                             av_channel_layout_compare(&from_layout_, &layout) == 0;
        if (is_same) {
            av_channel_layout_uninit(&layout);
            return {};
        }
        if (resampler_ != nullptr) {
            KN_PASS(resample(nullptr, 0));
        }
        av_channel_layout_uninit(&from_layout_);
        from_layout_ = layout;
        from_rate_ = frame.sample_rate;
        from_format_ = frame.format;
        const SoundForm from{from_layout_, frame.format, frame.sample_rate};
        const SoundForm to{encoder_.ch_layout, encoder_.sample_fmt, encoder_.sample_rate};
        KN_TRY(resampler, open_resampler(from, to));
        resampler_ = std::move(resampler);
        return {};
    }

    /// Converts into the queue; without input, what the resampler still holds.
    base::Result<void> resample(std::uint8_t** data, int samples) {
        const int room = swr_get_out_samples(resampler_.get(), samples);
        if (room <= 0) {
            return {};
        }
        KN_PASS(shape(*converted_, room));
        const int got = swr_convert(resampler_.get(), converted_->extended_data, room,
                                    const_cast<const std::uint8_t**>(data), samples);
        if (got < 0) {
            return av_fail(base::Errc::file_unprocessable, "resample", got);
        }
        return queue(got);
    }

    base::Result<void> add_silence(std::int64_t samples) {
        while (samples > 0) {
            const int count = static_cast<int>(std::min<std::int64_t>(samples, kRateMax));
            KN_PASS(shape(*converted_, count));
            av_samples_set_silence(converted_->extended_data, 0, count,
                                   encoder_.ch_layout.nb_channels, encoder_.sample_fmt);
            KN_PASS(queue(count));
            KN_PASS(encode_whole_frames());
            samples -= count;
        }
        return {};
    }

    base::Result<void> queue(int count) {
        if (av_audio_fifo_write(fifo_.get(), reinterpret_cast<void**>(converted_->extended_data),
                                count) < count) {
            return base::fail(base::Errc::internal, {}, "out of memory");
        }
        return {};
    }

    base::Result<void> shape(AVFrame& frame, int samples) {
        av_frame_unref(&frame);
        frame.nb_samples = samples;
        frame.format = encoder_.sample_fmt;
        frame.sample_rate = encoder_.sample_rate;
        if (av_channel_layout_copy(&frame.ch_layout, &encoder_.ch_layout) < 0 ||
            av_frame_get_buffer(&frame, 0) < 0) {
            return base::fail(base::Errc::internal, {}, "out of memory");
        }
        return {};
    }

    base::Result<void> encode_whole_frames() {
        while (av_audio_fifo_size(fifo_.get()) >= encoder_.frame_size) {
            KN_PASS(encode_frame(encoder_.frame_size));
        }
        return {};
    }

    base::Result<void> encode_frame(int samples) {
        KN_PASS(shape(*frame_, samples));
        av_audio_fifo_read(fifo_.get(), reinterpret_cast<void**>(frame_->extended_data), samples);
        frame_->pts = next_time_;
        next_time_ += samples;
        return recoder_.encode(*frame_, "encode sound");
    }

    Recoder recoder_;
    const AVCodecContext& encoder_;  // the recoder's
    Fifo fifo_;
    Resampler resampler_;
    AVChannelLayout from_layout_{};
    int from_rate_ = 0;
    int from_format_ = -1;
    Frame converted_ = new_frame();
    Frame frame_ = new_frame();
    std::int64_t next_time_ = 0;  // of the next sample to encode, in samples
    bool has_started_ = false;
};

/// The nearest rate that the encoder has, at most what the source has (no sound is made up).
int encoder_rate(const AVCodec& codec, int wished) {
    wished = std::min(wished, kRateMax);
    int best = kRateMax;
    for (const int* rate = codec.supported_samplerates; rate != nullptr && *rate != 0; ++rate) {
        if (std::abs(*rate - wished) < std::abs(best - wished)) {
            best = *rate;
        }
    }
    return best;
}

base::Result<CodecContext> open_encoder(const AVStream& source) {
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
    if (codec == nullptr) {
        return base::fail(base::Errc::internal, {}, "this FFmpeg has no AAC encoder");
    }
    CodecContext encoder(avcodec_alloc_context3(codec));
    const AVCodecParameters& p = *source.codecpar;
    if (encoder == nullptr || p.sample_rate <= 0 || p.ch_layout.nb_channels <= 0) {
        return base::fail(base::Errc::file_unprocessable, {}, "no usable sound parameters");
    }
    const int channels = p.ch_layout.nb_channels;
    av_channel_layout_default(&encoder->ch_layout, channels == 1                  ? 1
                                                   : channels == kChannelsKeptMax ? channels
                                                                                  : 2);
    encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
    encoder->sample_rate = encoder_rate(*codec, p.sample_rate);
    encoder->time_base = {1, encoder->sample_rate};
    encoder->bit_rate = kBitsPerChannel * encoder->ch_layout.nb_channels;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    const int error = avcodec_open2(encoder.get(), codec, nullptr);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "open the AAC encoder", error);
    }
    return encoder;
}

}  // namespace

base::Result<RenditionTrackPtr> audio_track(RenditionOutput& output, const AVStream& source) {
    KN_TRY(decoder, open_decoder(source));
    KN_TRY(encoder, open_encoder(source));
    Fifo fifo(av_audio_fifo_alloc(encoder->sample_fmt, encoder->ch_layout.nb_channels, kRateMax));
    if (fifo == nullptr) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    KN_TRY(stream, output.add_encoded(source, *encoder));
    Recoder recoder(output, std::move(decoder), std::move(encoder), stream);
    return std::make_unique<AudioTrack>(std::move(recoder), std::move(fifo));
}

}  // namespace kinodex::media
