#include "media/ffmpeg/audio_track.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>

extern "C" {
#include <libavutil/channel_layout.h>
}

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/resampler.h"
#include "media/ffmpeg/shots_pictures.h"

namespace kinodex::media {
namespace {

constexpr std::size_t kWavHeaderBytes = 44;
// Samples are written in pieces of this many, 128 KB.
constexpr std::size_t kPendingSamples = 64 * 1024;
// Rounding of timestamps and encoder delay stay below this.
constexpr double kGapSecMin = 0.08;
constexpr int kSilencePieceFrames = 4096;

}  // namespace

std::vector<std::byte> wav_header(std::uint32_t data_bytes) {
    std::vector<std::byte> out;
    const auto text = [&out](const char* four) {
        const auto* bytes = reinterpret_cast<const std::byte*>(four);
        out.insert(out.end(), bytes, bytes + 4);
    };
    const auto number = [&out](std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) {
            out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xFF));
        }
    };
    constexpr std::uint32_t kSampleBytes = 2;
    text("RIFF");
    number(static_cast<std::uint32_t>(kWavHeaderBytes - 8) + data_bytes, 4);
    text("WAVE");
    text("fmt ");
    number(16, 4);
    number(1, 2);  // PCM
    number(1, 2);  // channels
    number(kWavSampleRate, 4);
    number(kWavSampleRate * kSampleBytes, 4);
    number(kSampleBytes, 2);
    number(8 * kSampleBytes, 2);
    text("data");
    number(data_bytes, 4);
    return out;
}

AudioTrack::AudioTrack(const AVStream& stream, CodecContext context, double file_start_sec,
                       int audio_fd)
    : time_base_(stream.time_base),
      file_start_sec_(file_start_sec),
      fd_(audio_fd),
      context_(std::move(context)) {}

base::Result<AudioTrack> AudioTrack::open(const AVStream& stream, double file_start_sec,
                                          int audio_fd) {
    KN_TRY(context, open_decoder(stream));
    return AudioTrack(stream, std::move(context), file_start_sec, audio_fd);
}

base::Result<void> AudioTrack::push(const AVPacket& packet) {
    if (avcodec_send_packet(context_.get(), &packet) < 0) {
        return {};
    }
    return receive();
}

base::Result<void> AudioTrack::receive() {
    while (avcodec_receive_frame(context_.get(), frame_.get()) >= 0) {
        auto taken = take(*frame_);
        av_frame_unref(frame_.get());
        KN_PASS(std::move(taken));
    }
    return {};
}

base::Result<void> AudioTrack::take(const AVFrame& frame) {
    Layout layout{frame.format, frame.sample_rate, frame.ch_layout.nb_channels, 0};
    if (frame.ch_layout.order == AV_CHANNEL_ORDER_NATIVE) {
        layout.channel_mask = frame.ch_layout.u.mask;
    }
    if (layout.channels < 1 || layout.sample_rate < 1 || frame.nb_samples < 1) {
        return {};
    }
    if (!meter_) {
        KN_PASS(begin(layout));
    }
    if (layout != current_) {
        KN_PASS(adapt(layout));
    }
    if (frame.pts != AV_NOPTS_VALUE) {
        KN_PASS(fill_gap(static_cast<double>(frame.pts) * av_q2d(time_base_) - file_start_sec_));
    }
    const int room = swr_get_out_samples(to_float_.get(), frame.nb_samples);
    if (room < 0) {
        return av_fail(base::Errc::internal, "resampler", room);
    }
    floats_.resize(static_cast<std::size_t>(room) * static_cast<std::size_t>(first_.channels));
    auto* into = reinterpret_cast<std::uint8_t*>(floats_.data());
    const int count =
        swr_convert(to_float_.get(), &into, room,
                    const_cast<const std::uint8_t**>(frame.extended_data), frame.nb_samples);
    if (count < 0) {
        return av_fail(base::Errc::internal, "resample", count);
    }
    for (float& sample : floats_) {
        if (!std::isfinite(sample)) {  // hostile float PCM
            sample = 0;
        }
    }
    return measure_and_write(floats_.data(), count);
}

namespace {

AVChannelLayout layout_of(std::uint64_t mask, int channels) {
    AVChannelLayout layout{};
    if (mask == 0 || av_channel_layout_from_mask(&layout, mask) < 0) {
        av_channel_layout_default(&layout, channels);
    }
    return layout;
}

}  // namespace

/// The first layout decides what is measured.
base::Result<void> AudioTrack::begin(const Layout& layout) {
    KN_TRY(meter, LoudnessMeter::open(layout.channels, layout.sample_rate));
    first_ = layout;
    SoundForm mono{{}, AV_SAMPLE_FMT_S16, kWavSampleRate};
    av_channel_layout_default(&mono.layout, 1);
    KN_TRY(to_mono, open_resampler({layout_of(layout.channel_mask, layout.channels),
                                    AV_SAMPLE_FMT_FLT, layout.sample_rate},
                                   mono));
    to_mono_ = std::move(to_mono);
    meter_.emplace(std::move(meter));
    return {};
}

base::Result<void> AudioTrack::adapt(const Layout& layout) {
    const SoundForm from{layout_of(layout.channel_mask, layout.channels), layout.format,
                         layout.sample_rate};
    const SoundForm to{layout_of(first_.channel_mask, first_.channels), AV_SAMPLE_FMT_FLT,
                       first_.sample_rate};
    KN_TRY(to_float, open_resampler(from, to));
    to_float_ = std::move(to_float);
    current_ = layout;
    return {};
}

base::Result<void> AudioTrack::fill_gap(double time_sec) {
    const double now_sec = static_cast<double>(frames_in_) / first_.sample_rate;
    const double gap_sec = time_sec - now_sec;
    if (gap_sec < kGapSecMin || gap_sec > kGapSecMax) {
        return {};
    }
    const std::vector<float> silence(static_cast<std::size_t>(kSilencePieceFrames) *
                                     static_cast<std::size_t>(first_.channels));
    auto left = static_cast<std::int64_t>(gap_sec * first_.sample_rate);
    while (left > 0) {
        const int piece = static_cast<int>(std::min<std::int64_t>(left, kSilencePieceFrames));
        KN_PASS(measure_and_write(silence.data(), piece));
        left -= piece;
    }
    return {};
}

base::Result<void> AudioTrack::measure_and_write(const float* samples, int frames) {
    if (static_cast<double>(frames_in_) > kAudioSecMax * first_.sample_rate) {
        return {};
    }
    frames_in_ += frames;
    const auto count = static_cast<std::size_t>(frames) * static_cast<std::size_t>(first_.channels);
    KN_PASS(meter_->add(std::span(samples, count)));
    const int room = swr_get_out_samples(to_mono_.get(), frames);
    if (room < 0) {
        return av_fail(base::Errc::internal, "resampler", room);
    }
    const std::size_t before = pending_.size();
    pending_.resize(before + static_cast<std::size_t>(room));
    auto* into = reinterpret_cast<std::uint8_t*>(pending_.data() + before);
    const auto* from = reinterpret_cast<const std::uint8_t*>(samples);
    const int made = swr_convert(to_mono_.get(), &into, room, &from, frames);
    if (made < 0) {
        return av_fail(base::Errc::internal, "resample", made);
    }
    pending_.resize(before + static_cast<std::size_t>(made));
    return pending_.size() >= kPendingSamples ? write_samples() : base::Result<void>{};
}

base::Result<void> AudioTrack::write_samples() {
    static_assert(std::endian::native == std::endian::little, "WAV samples are little endian");
    const auto bytes = std::as_bytes(std::span(pending_));
    KN_PASS(write_at(fd_, bytes, kWavHeaderBytes + bytes_written_));
    bytes_written_ += bytes.size();
    pending_.clear();
    return {};
}

base::Result<std::optional<AudioReport>> AudioTrack::finish() {
    avcodec_send_packet(context_.get(), nullptr);
    KN_PASS(receive());
    if (!meter_) {
        return std::optional<AudioReport>{};
    }
    // What the resampler still holds.
    const int room = swr_get_out_samples(to_mono_.get(), 0);
    if (room > 0) {
        const std::size_t before = pending_.size();
        pending_.resize(before + static_cast<std::size_t>(room));
        auto* into = reinterpret_cast<std::uint8_t*>(pending_.data() + before);
        const int made = swr_convert(to_mono_.get(), &into, room, nullptr, 0);
        pending_.resize(before + static_cast<std::size_t>(std::max(0, made)));
    }
    KN_PASS(write_samples());
    const std::vector<std::byte> header = wav_header(static_cast<std::uint32_t>(bytes_written_));
    KN_PASS(write_at(fd_, header, 0));
    KN_TRY(report, meter_->finish());
    return std::optional(std::move(report));
}

}  // namespace kinodex::media
