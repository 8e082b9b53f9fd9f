// `warm_up` of media/child.h: does once, in the zygote, what every child would do again.
//
// A short film is made in memory, probed and pictured. That resolves the symbols between FFmpeg's
// libraries and fills tables, which costs a cold child more than probing an ordinary clip.
#include <sys/mman.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "media/child.h"
#include "media/ffmpeg/av.h"
#include "media/ffmpeg/picture.h"
#include "media/ffmpeg/thumbnail_waveform.h"

extern "C" {
#include <libavutil/log.h>
}

namespace kinodex::media {
namespace {

constexpr int kWidth = 320;
constexpr int kHeight = 180;
constexpr int kFrames = 10;

struct FreeMuxer {
    void operator()(AVFormatContext* context) const {
        if (context->pb != nullptr) {
            std::uint8_t* bytes = nullptr;
            avio_close_dyn_buf(context->pb, &bytes);
            av_free(bytes);
        }
        avformat_free_context(context);
    }
};

bool write_frames(AVFormatContext& muxer, const std::string& jpeg) {
    const Packet packet = new_packet();
    for (int i = 0; i < kFrames; ++i) {
        if (av_new_packet(packet.get(), static_cast<int>(jpeg.size())) < 0) {
            return false;
        }
        std::copy(jpeg.begin(), jpeg.end(), packet->data);
        packet->flags |= AV_PKT_FLAG_KEY;
        packet->pts = packet->dts = av_rescale_q(i, {1, 25}, muxer.streams[0]->time_base);
        packet->duration = av_rescale_q(1, {1, 25}, muxer.streams[0]->time_base);
        if (av_write_frame(&muxer, packet.get()) < 0) {
            return false;
        }
        av_packet_unref(packet.get());
    }
    return av_write_trailer(&muxer) >= 0;
}

/// A motion JPEG film in a memory file; empty when this FFmpeg cannot make one.
base::UniqueFd make_film() {
    const auto jpeg = jpeg_of(draw_waveform({0.2F, 0.8F, 0.5F, 1.0F}, kWidth, kHeight));
    AVFormatContext* raw = nullptr;
    if (!jpeg || avformat_alloc_output_context2(&raw, nullptr, "mov", nullptr) < 0) {
        return {};
    }
    const std::unique_ptr<AVFormatContext, FreeMuxer> muxer(raw);
    AVStream* stream = avformat_new_stream(muxer.get(), nullptr);
    if (stream == nullptr || avio_open_dyn_buf(&muxer->pb) < 0) {
        return {};
    }
    stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    stream->codecpar->codec_id = AV_CODEC_ID_MJPEG;
    stream->codecpar->width = kWidth;
    stream->codecpar->height = kHeight;
    stream->time_base = {1, 12800};
    if (avformat_write_header(muxer.get(), nullptr) < 0 || !write_frames(*muxer, *jpeg)) {
        return {};
    }
    std::uint8_t* bytes = nullptr;
    const int size = avio_close_dyn_buf(muxer->pb, &bytes);
    muxer->pb = nullptr;
    base::UniqueFd film(::memfd_create("film", MFD_CLOEXEC));
    const bool is_written =
        film && ::write(film.get(), bytes, static_cast<std::size_t>(size)) == size;
    av_free(bytes);
    return is_written ? std::move(film) : base::UniqueFd();
}

void open_common_decoders() {
    for (const AVCodecID id :
         {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AAC, AV_CODEC_ID_MP3}) {
        const AVCodec* codec = avcodec_find_decoder(id);
        const CodecContext decoder(codec == nullptr ? nullptr : avcodec_alloc_context3(codec));
        if (decoder != nullptr) {
            decoder->thread_count = 1;
            avcodec_open2(decoder.get(), codec, nullptr);
        }
    }
}

}  // namespace

void warm_up() {
    av_log_set_level(AV_LOG_QUIET);  // what a file says about itself has no place in our log
    open_common_decoders();
    const base::UniqueFd film = make_film();
    const base::UniqueFd plan(::memfd_create("plan", MFD_CLOEXEC));
    const base::UniqueFd picture(::memfd_create("picture", MFD_CLOEXEC));
    if (film && plan && picture) {
        // A failure here would only mean that children start colder.
        (void)probe_file({film.get(), plan.get()});
        (void)make_thumbnail({film.get(), picture.get(), kWidth, domain::AssetType::video});
    }
}

}  // namespace kinodex::media
