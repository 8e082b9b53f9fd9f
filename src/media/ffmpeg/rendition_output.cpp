#include "media/ffmpeg/rendition_output.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "media/ffmpeg/file_io.h"
#include "media/ffmpeg/playback_init.h"

namespace kinodex::media {
namespace {

base::Errc code_of(int error) {
    const bool is_full =
        error == AVERROR(ENOSPC) || error == AVERROR(EDQUOT) || error == AVERROR(EFBIG);
    return is_full ? base::Errc::storage_full : base::Errc::file_unprocessable;
}

}  // namespace

struct RenditionOutput::State {
    FileIo io;
    AVFormatContext* format = nullptr;
    std::vector<std::int64_t> last_dts;

    State() = default;
    ~State() { avformat_free_context(format); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

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
    if (::ftruncate(fd, 0) != 0) {
        return base::fail(base::Errc::internal, {}, "emptying the rendition failed");
    }
    const int error = avformat_alloc_output_context2(&state->format, nullptr, "mp4", nullptr);
    if (error < 0) {
        return av_fail(base::Errc::internal, "mp4 muxer", error);
    }
    KN_PASS(state->io.open(fd, 0, FileIo::Use::write));
    state->format->pb = state->io.get();
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
    avio_flush(state_->io.get());
    error = error < 0 ? error : state_->io.get()->error;
    return error < 0 ? base::Result<void>(av_fail(code_of(error), "write trailer", error))
                     : base::Result<void>{};
}

}  // namespace kinodex::media
