#include "media/ffmpeg/thumbnail_waveform.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/ffmpeg/probe.h"

extern "C" {
#include <libavutil/samplefmt.h>
}

namespace kinodex::media {
namespace {

using base::Errc;

/// Longer files are sampled: decoding an hour of AAC takes two seconds.
constexpr double kReadWholeSec = 240;
constexpr int kFramesPerSample = 6;
constexpr int kErrorsMax = 1000;

float sample_value(const AVFrame& frame, int channel, int index) {
    const auto format = static_cast<AVSampleFormat>(frame.format);
    const bool is_planar = av_sample_fmt_is_planar(format) != 0;
    const int channels = frame.ch_layout.nb_channels;
    const std::uint8_t* plane = frame.extended_data[is_planar ? channel : 0];
    const auto at = static_cast<std::size_t>(is_planar ? index : index * channels + channel);
    const auto read = [plane, at](auto value) {
        std::memcpy(&value, plane + at * sizeof value, sizeof value);
        return value;
    };
    switch (av_get_packed_sample_fmt(format)) {
        case AV_SAMPLE_FMT_U8:
            return static_cast<float>(read(std::uint8_t{}) - 128) / 128;
        case AV_SAMPLE_FMT_S16:
            return static_cast<float>(read(std::int16_t{})) / 32768;
        case AV_SAMPLE_FMT_S32:
            return static_cast<float>(static_cast<double>(read(std::int32_t{})) / 2147483648.0);
        case AV_SAMPLE_FMT_FLT:
            return read(float{});
        case AV_SAMPLE_FMT_DBL:
            return static_cast<float>(read(double{}));
        default:
            return 0;
    }
}

/// The loudest of the first two channels at one sample; 0 for what is no number.
float level_at(const AVFrame& frame, int index) {
    float level = 0;
    for (int channel = 0; channel < std::min(2, frame.ch_layout.nb_channels); ++channel) {
        const float value = std::abs(sample_value(frame, channel, index));
        level = std::isfinite(value) ? std::max(level, value) : level;
    }
    return std::min(level, 1.0F);
}

class PeakReader {
  public:
    PeakReader(Input& input, AVStream& audio, AVCodecContext& decoder, double duration)
        : input_(input),
          audio_(audio),
          decoder_(decoder),
          duration_(duration),
          peaks_(kWaveformBars, 0.0F) {}

    void read_whole() {
        rewind(input_);
        while (read_some(64)) {
        }
    }

    void read_samples() {
        for (int bar = 0; bar < kWaveformBars; ++bar) {
            const double seconds = duration_ * (bar + 0.5) / kWaveformBars;
            const auto from = audio_.start_time == AV_NOPTS_VALUE ? 0 : audio_.start_time;
            const auto target =
                from + static_cast<std::int64_t>(seconds / av_q2d(audio_.time_base));
            if (av_seek_frame(input_.get(), audio_.index, target, AVSEEK_FLAG_BACKWARD) < 0) {
                continue;
            }
            avcodec_flush_buffers(&decoder_);
            bar_ = bar;
            read_some(kFramesPerSample);
        }
    }

    [[nodiscard]] bool has_any() const { return frames_ > 0; }
    std::vector<float> take() { return std::move(peaks_); }

  private:
    /// Decodes `packets` packets; false at the end of the file.
    bool read_some(int packets) {
        for (int i = 0; i < packets;) {
            if (av_read_frame(input_.get(), packet_.get()) < 0) {
                return false;
            }
            if (packet_->stream_index == audio_.index) {
                ++i;
                if (avcodec_send_packet(&decoder_, packet_.get()) < 0 && ++errors_ > kErrorsMax) {
                    av_packet_unref(packet_.get());
                    return false;
                }
                while (avcodec_receive_frame(&decoder_, frame_.get()) >= 0) {
                    take_frame();
                }
            }
            av_packet_unref(packet_.get());
        }
        return true;
    }

    void take_frame() {
        ++frames_;
        const auto from = audio_.start_time == AV_NOPTS_VALUE ? 0 : audio_.start_time;
        const auto time = frame_->best_effort_timestamp;
        const double start = time == AV_NOPTS_VALUE
                                 ? 0
                                 : static_cast<double>(time - from) * av_q2d(audio_.time_base);
        const double step = 1.0 / std::max(1, frame_->sample_rate);
        // Every fourth sample shows the same outline.
        for (int i = 0; i < frame_->nb_samples; i += 4) {
            const double part = duration_ > 0 ? (start + i * step) / duration_ : 0;
            const int bar =
                bar_ >= 0 ? bar_
                          : static_cast<int>(std::clamp(part, 0.0, 1.0) * (kWaveformBars - 1));
            float& peak = peaks_[static_cast<std::size_t>(bar)];
            peak = std::max(peak, level_at(*frame_, i));
        }
    }

    Input& input_;
    AVStream& audio_;
    AVCodecContext& decoder_;
    double duration_;
    std::vector<float> peaks_;
    Packet packet_ = new_packet();
    Frame frame_ = new_frame();
    int bar_ = -1;  // -1: by the frame's time
    int errors_ = 0;
    std::int64_t frames_ = 0;
};

struct Color {
    float r, g, b;
};

Color mixed(Color from, Color to, float part) {
    return {from.r + (to.r - from.r) * part, from.g + (to.g - from.g) * part,
            from.b + (to.b - from.b) * part};
}

constexpr Color kGroundTop{24, 27, 38};
constexpr Color kGroundBottom{14, 16, 24};
constexpr Color kBarLeft{86, 156, 255};
constexpr Color kBarRight{170, 110, 255};

/// How much of the pixel at a distance from a bar's spine belongs to the bar, 0 to 1.
float coverage(float dx, float dy, float half_height, float radius) {
    const float beyond = std::max(0.0F, std::abs(dy) - std::max(0.0F, half_height - radius));
    const float distance = std::sqrt(dx * dx + beyond * beyond);
    return std::clamp(radius - distance + 0.5F, 0.0F, 1.0F);
}

}  // namespace

base::Result<std::vector<float>> peaks_of(Input& input, AVStream& audio) {
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        if (input->streams[i] != &audio) {
            input->streams[i]->discard = AVDISCARD_ALL;
        }
    }
    KN_TRY(decoder, open_decoder(audio));
    const double duration = duration_of(input, audio).value_or(0);
    PeakReader reader(input, audio, *decoder, duration);
    if (duration > kReadWholeSec) {
        reader.read_samples();
    } else {
        reader.read_whole();
    }
    if (!reader.has_any()) {
        return base::fail(Errc::audio_file_broken, {}, "no sound could be decoded");
    }
    return reader.take();
}

RgbPicture draw_waveform(const std::vector<float>& peaks, int width, int height) {
    RgbPicture picture{width, height, {}};
    picture.rgb.reserve(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    const float margin = 0.06F * static_cast<float>(width);
    const auto bars = static_cast<float>(peaks.size());
    const float step = (static_cast<float>(width) - 2 * margin) / bars;
    const float radius = 0.32F * step;
    const float half = 0.36F * static_cast<float>(height);
    const float loudest = std::max(0.05F, peaks.empty() ? 0 : *std::ranges::max_element(peaks));
    for (int y = 0; y < height; ++y) {
        const float down = static_cast<float>(y) / static_cast<float>(height);
        for (int x = 0; x < width; ++x) {
            Color color = mixed(kGroundTop, kGroundBottom, down);
            const float along = (static_cast<float>(x) + 0.5F - margin) / step;
            if (along >= 0 && along < bars) {
                const float peak = peaks[static_cast<std::size_t>(along)] / loudest;
                const float dx = (along - std::floor(along) - 0.5F) * step;
                const float dy = static_cast<float>(y) + 0.5F - 0.5F * static_cast<float>(height);
                const float covered = coverage(dx, dy, std::max(radius, peak * half), radius);
                color = mixed(color, mixed(kBarLeft, kBarRight, along / bars), covered);
            }
            for (const float channel : {color.r, color.g, color.b}) {
                picture.rgb += static_cast<char>(std::lround(channel));
            }
        }
    }
    return picture;
}

}  // namespace kinodex::media
