// The sample index of containers other than MP4: every packet is read, and found again in the file.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/ffmpeg/sample_index.h"
#include "media/plan/plan.h"

namespace kinodex::media {
namespace {

// Where a packet's bytes start is a few header bytes after where its block does; with lacing the
// sizes of up to 256 frames stand in between.
constexpr std::size_t kSearchBytes = 1024;

// Containers with a millisecond clock round the times of audio frames; within this much of where
// the frame before ended, a frame follows it without a gap.
constexpr double kAudioJitterSec = 0.0021;

constexpr double kTimeSecMax = 3e7;  // a year; later times are nonsense and would overflow
constexpr int kSampleRateMax = 1'000'000;

// A few broken packets are skipped; a file of nothing else is not worth reading to its end.
constexpr int kReadErrorsMax = 1000;

/// Finds packets in the file by comparing bytes.
class Finder {
  public:
    explicit Finder(int fd) : fd_(fd) {}

    /// Where the packet's bytes are in one piece; none when they are not near `pos`.
    std::optional<std::uint64_t> find(const AVPacket& packet) {
        const auto size = static_cast<std::size_t>(packet.size);
        // A second frame of the same block, or raw frames one after the other.
        if (last_end_ > 0 && (packet.pos < 0 || packet.pos == last_pos_)) {
            if (const auto at = search(packet, last_end_, size)) {
                return at;
            }
        }
        if (packet.pos < 0) {
            return std::nullopt;
        }
        return search(packet, static_cast<std::uint64_t>(packet.pos), size);
    }

  private:
    std::optional<std::uint64_t> search(const AVPacket& packet, std::uint64_t from,
                                        std::size_t size) {
        buffer_.resize(size + kSearchBytes);
        std::size_t got = 0;
        while (got < buffer_.size()) {
            const auto count = ::pread(fd_, buffer_.data() + got, buffer_.size() - got,
                                       static_cast<off_t>(from + got));
            if (count <= 0) {
                break;  // the end of the file: less to search in
            }
            got += static_cast<std::size_t>(count);
        }
        const void* found = ::memmem(buffer_.data(), got, packet.data, size);
        if (found == nullptr) {
            return std::nullopt;
        }
        const auto at =
            from + static_cast<std::uint64_t>(static_cast<const char*>(found) - buffer_.data());
        last_pos_ = packet.pos;
        last_end_ = at + size;
        return at;
    }

    int fd_;
    std::vector<char> buffer_;
    std::int64_t last_pos_ = -1;
    std::uint64_t last_end_ = 0;
};

/// Bytes of an ADTS header at the front of an AAC packet, which MP4 does not have; 0 for none.
/// Source: ISO/IEC 13818-7, 6.2.
std::size_t adts_header_bytes(const AVPacket& packet) {
    if (packet.size < 7 || packet.data[0] != 0xFF || (packet.data[1] & 0xF6) != 0xF0) {
        return 0;
    }
    const int frame = ((packet.data[3] & 3) << 11) | (packet.data[4] << 3) | (packet.data[5] >> 5);
    if (frame != packet.size) {
        return 0;
    }
    return (packet.data[1] & 1) != 0 ? 7 : 9;
}

/// Samples at 48 kHz in an Opus packet. Source: RFC 6716, section 3.1.
std::int64_t opus_samples(const AVPacket& packet) {
    if (packet.size < 1) {
        return 0;
    }
    const int config = packet.data[0] >> 3;
    static constexpr std::array<int, 4> kSilk = {480, 960, 1920, 2880};
    const int frame = config < 12   ? kSilk[static_cast<std::size_t>(config & 3)]
                      : config < 16 ? 480 << (config & 1)
                                    : 120 << (config & 3);
    const int code = packet.data[0] & 3;
    const int frames = code == 0 ? 1 : code < 3 ? 2 : packet.size > 1 ? packet.data[1] & 0x3F : 0;
    return std::int64_t{frame} * frames;
}

struct Wanted {
    AVStream* stream = nullptr;
    TrackIndex index;
    std::vector<std::int64_t> lengths;  // audio: samples of sound in each packet, 0 when unknown
};

enum class Step { taken, skipped, not_whole, no_time };

/// Adds one packet to its track.
Step take_packet(const AVPacket& packet, Finder& finder, Wanted& wanted) {
    const bool is_audio = wanted.stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    if (packet.size <= 0 || (packet.flags & AV_PKT_FLAG_CORRUPT) != 0) {
        return Step::skipped;
    }
    std::int64_t pts = packet.pts;
    if (pts == AV_NOPTS_VALUE && (is_audio || wanted.stream->codecpar->video_delay == 0)) {
        pts = packet.dts;
    }
    if (pts == AV_NOPTS_VALUE) {
        return Step::no_time;
    }
    const double seconds = static_cast<double>(pts) * av_q2d(wanted.stream->time_base);
    if (!(std::abs(seconds) <= kTimeSecMax)) {
        return Step::skipped;
    }
    const auto at = finder.find(packet);
    if (!at) {
        return Step::not_whole;
    }
    IndexedSample sample;
    sample.offset = *at;
    sample.size = static_cast<std::uint32_t>(packet.size);
    sample.pts = pts;
    sample.is_key = is_audio || (packet.flags & AV_PKT_FLAG_KEY) != 0;
    if (packet.duration > 0 && packet.duration <= UINT32_MAX) {
        sample.duration = static_cast<std::uint32_t>(packet.duration);
    }
    if (wanted.stream->codecpar->codec_id == AV_CODEC_ID_AAC) {
        const auto head = adts_header_bytes(packet);
        if (head > 0 && (packet.data[6] & 3) != 0) {
            return Step::not_whole;  // several raw blocks behind one header
        }
        sample.offset += head;
        sample.size -= static_cast<std::uint32_t>(head);
    }
    if (wanted.stream->codecpar->codec_id == AV_CODEC_ID_OPUS) {
        wanted.lengths.push_back(opus_samples(packet));
    }
    wanted.index.samples.push_back(sample);
    return Step::taken;
}

/// Samples of sound in each packet, from the codec where it is constant, else from the times.
std::int64_t typical_length(const Wanted& wanted, double tick_sec) {
    const auto& samples = wanted.index.samples;
    const int frame = wanted.stream->codecpar->frame_size;
    if (frame <= 0 || samples.size() < 2) {
        return frame;
    }
    const double seconds = static_cast<double>(samples.back().pts - samples.front().pts) * tick_sec;
    const double measured =
        seconds * wanted.stream->codecpar->sample_rate / static_cast<double>(samples.size() - 1);
    // SBR doubles the rate and with it the samples in a frame; which of the two the demuxer names
    // differs by container.
    for (const int each : {frame, frame * 2, frame / 2}) {
        if (std::abs(measured - each) < 0.05 * each) {
            return each;
        }
    }
    return 0;
}

/// Re-times audio in its own sample clock, gap-free where the container's clock only rounds.
void retime_audio(Wanted& wanted) {
    const AVRational from = wanted.stream->time_base;
    const int rate = wanted.stream->codecpar->codec_id == AV_CODEC_ID_OPUS
                         ? 48'000
                         : wanted.stream->codecpar->sample_rate;
    const AVRational to{1, rate};
    const std::int64_t typical = typical_length(wanted, av_q2d(from));
    const auto jitter = static_cast<std::int64_t>(kAudioJitterSec * rate) + 1;
    std::optional<std::int64_t> expected;
    for (std::size_t i = 0; i < wanted.index.samples.size(); ++i) {
        IndexedSample& sample = wanted.index.samples[i];
        const std::int64_t stated = av_rescale_q(sample.pts, from, to);
        std::int64_t length = wanted.lengths.empty() ? typical : wanted.lengths[i];
        if (length <= 0) {
            length = av_rescale_q(sample.duration, from, to);
        }
        sample.pts = expected && std::abs(stated - *expected) <= jitter ? *expected : stated;
        sample.duration =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(length, 0, INT32_MAX));
        expected = length > 0 ? std::optional(sample.pts + length) : std::nullopt;
    }
    wanted.index.timescale = static_cast<std::uint32_t>(rate);
}

/// Video keeps the container's clock when it is one over a whole number.
bool retime_video(Wanted& wanted) {
    const AVRational from = wanted.stream->time_base;
    if (from.num <= 0 || from.den <= 0) {
        return false;
    }
    const int divisor = static_cast<int>(av_gcd(from.num, from.den));
    const int scale = from.num / divisor;
    wanted.index.timescale = static_cast<std::uint32_t>(from.den / divisor);
    if (wanted.index.timescale > plan::kTimescaleMax) {
        return false;
    }
    for (IndexedSample& sample : wanted.index.samples) {
        sample.pts *= scale;
        sample.duration *= static_cast<std::uint32_t>(scale);
    }
    return true;
}

SampleIndex verdict(Playback what) {
    return SampleIndex{what, {}};
}

SampleIndex finish(std::vector<Wanted>& wanted) {
    SampleIndex result;
    for (Wanted& each : wanted) {
        if (each.index.samples.empty()) {
            continue;  // announced but never sent
        }
        if (each.stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO) {
            const int rate = each.stream->codecpar->sample_rate;
            if (rate <= 0 || rate > kSampleRateMax) {
                return verdict(Playback::transcode);
            }
            retime_audio(each);
            // A negative time is the encoder's priming (Opus in Matroska): sound starts at zero.
            if (each.index.samples.front().pts < 0) {
                each.index.start = 0;
            }
        } else if (!retime_video(each)) {
            return verdict(Playback::transcode);
        }
        result.tracks.push_back(std::move(each.index));
    }
    return result;
}

}  // namespace

base::Result<SampleIndex> index_packets(Input& input, int source_fd,
                                        const std::vector<int>& streams) {
    std::vector<Wanted> wanted;
    for (const int stream : streams) {
        wanted.push_back({input->streams[stream], {}, {}});
        wanted.back().index.stream = stream;
    }
    Finder finder(source_fd);
    const Packet packet = new_packet();
    int errors = 0;
    for (;;) {
        const int error = av_read_frame(input.get(), packet.get());
        if (error == AVERROR_EOF) {
            break;
        }
        if (error < 0) {
            if (++errors > kReadErrorsMax || (input->pb != nullptr && avio_feof(input->pb) != 0)) {
                break;
            }
            continue;
        }
        const auto found = std::ranges::find(wanted, packet->stream_index,
                                             [](const Wanted& each) { return each.index.stream; });
        const Step step =
            found == wanted.end() ? Step::skipped : take_packet(*packet, finder, *found);
        av_packet_unref(packet.get());
        if (step == Step::not_whole) {
            return verdict(Playback::remux);
        }
        if (step == Step::no_time) {
            return verdict(Playback::transcode);  // decoding puts the pictures in order
        }
        if (step == Step::taken && found->index.samples.size() > plan::kSamplesMax) {
            return base::fail(base::Errc::file_unprocessable, {}, "too many packets");
        }
    }
    return finish(wanted);
}

}  // namespace kinodex::media
