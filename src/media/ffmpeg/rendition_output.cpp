#include "media/ffmpeg/rendition_output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "media/ffmpeg/playback_init.h"

namespace kinodex::media {
namespace {

constexpr int kWriteBufferBytes = 1 << 20;

base::Errc code_of(int error) {
    const bool is_full =
        error == AVERROR(ENOSPC) || error == AVERROR(EDQUOT) || error == AVERROR(EFBIG);
    return is_full ? base::Errc::storage_full : base::Errc::file_unprocessable;
}

}  // namespace

struct RenditionOutput::State {
    int fd = -1;
    std::int64_t position = 0;
    std::int64_t size = 0;
    AVIOContext* io = nullptr;
    AVFormatContext* format = nullptr;
    std::vector<std::int64_t> last_dts;

    ~State() {
        if (io != nullptr) {
            av_freep(&io->buffer);
            avio_context_free(&io);
        }
        avformat_free_context(format);
    }

    static int write(void* opaque, std::uint8_t* data, int size) {
        auto& self = *static_cast<State*>(opaque);
        int left = size;
        while (left > 0) {
            const auto done =
                ::pwrite(self.fd, data, static_cast<std::size_t>(left), self.position);
            if (done < 0 && errno == EINTR) {
                continue;
            }
            if (done <= 0) {
                return AVERROR(done < 0 ? errno : EIO);
            }
            data += done;
            left -= static_cast<int>(done);
            self.position += done;
        }
        self.size = std::max(self.size, self.position);
        return size;
    }

    static std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
        auto& self = *static_cast<State*>(opaque);
        switch (whence & ~AVSEEK_FORCE) {
            case AVSEEK_SIZE:
                return self.size;
            case SEEK_SET:
                break;
            case SEEK_CUR:
                offset += self.position;
                break;
            case SEEK_END:
                offset += self.size;
                break;
            default:
                return AVERROR(EINVAL);
        }
        if (offset < 0) {
            return AVERROR(EINVAL);
        }
        self.position = offset;
        return offset;
    }

    base::Result<AVStream*> add(const AVStream& source) {
        last_dts.push_back(AV_NOPTS_VALUE);
        return add_stream_like(*format, source);
    }
};

RenditionOutput::RenditionOutput(std::unique_ptr<State> state) : state_(std::move(state)) {}
RenditionOutput::RenditionOutput(RenditionOutput&&) noexcept = default;
RenditionOutput& RenditionOutput::operator=(RenditionOutput&&) noexcept = default;
RenditionOutput::~RenditionOutput() = default;

base::Result<RenditionOutput> RenditionOutput::open(int fd) {
    auto state = std::make_unique<State>();
    state->fd = fd;
    if (::ftruncate(fd, 0) != 0) {
        return base::fail(base::Errc::internal, {}, "emptying the rendition failed");
    }
    const int error = avformat_alloc_output_context2(&state->format, nullptr, "mp4", nullptr);
    if (error < 0) {
        return av_fail(base::Errc::internal, "mp4 muxer", error);
    }
    auto* buffer = static_cast<unsigned char*>(av_malloc(kWriteBufferBytes));
    state->io = avio_alloc_context(buffer, kWriteBufferBytes, 1, state.get(), nullptr,
                                   &State::write, &State::seek);
    if (buffer == nullptr || state->io == nullptr) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    state->format->pb = state->io;
    state->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    state->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    return RenditionOutput(std::move(state));
}

base::Result<int> RenditionOutput::add_copy(const AVStream& source) {
    KN_TRY(stream, state_->add(source));
    return stream->index;
}

base::Result<int> RenditionOutput::add_encoded(const AVStream& source,
                                               const AVCodecContext& encoder) {
    KN_TRY(stream, state_->add(source));
    if (avcodec_parameters_from_context(stream->codecpar, &encoder) < 0) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    stream->codecpar->codec_tag = 0;
    stream->time_base = encoder.time_base;
    return stream->index;
}

base::Result<void> RenditionOutput::start() {
    const int error = avformat_write_header(state_->format, nullptr);
    return error < 0 ? base::Result<void>(av_fail(code_of(error), "write header", error))
                     : base::Result<void>{};
}

base::Result<void> RenditionOutput::write(AVPacket& packet, int stream, AVRational time_base) {
    AVStream* out = state_->format->streams[stream];
    av_packet_rescale_ts(&packet, time_base, out->time_base);
    packet.stream_index = stream;
    packet.pos = -1;
    if (packet.pts == AV_NOPTS_VALUE) {
        packet.pts = packet.dts;
    }
    if (packet.dts == AV_NOPTS_VALUE) {
        packet.dts = packet.pts;
    }
    if (packet.dts == AV_NOPTS_VALUE) {
        av_packet_unref(&packet);
        return {};  // a packet without any time cannot be placed
    }
    std::int64_t& last = state_->last_dts[static_cast<std::size_t>(stream)];
    if (last != AV_NOPTS_VALUE && packet.dts <= last) {
        packet.dts = last + 1;
        packet.pts = std::max(packet.pts, packet.dts);
    }
    packet.pts = std::max(packet.pts, packet.dts);
    last = packet.dts;
    const int error = av_interleaved_write_frame(state_->format, &packet);
    av_packet_unref(&packet);
    // A packet that the muxer cannot take is a broken packet; a disk that cannot is the end.
    if (error < 0 && error != AVERROR_INVALIDDATA && error != AVERROR(EINVAL)) {
        return av_fail(code_of(error), "write packet", error);
    }
    return {};
}

base::Result<void> RenditionOutput::finish() {
    int error = av_write_trailer(state_->format);
    avio_flush(state_->io);
    error = error < 0 ? error : state_->io->error;
    return error < 0 ? base::Result<void>(av_fail(code_of(error), "write trailer", error))
                     : base::Result<void>{};
}

}  // namespace kinodex::media
