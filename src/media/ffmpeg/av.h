// Owning wrappers for FFmpeg's C objects, and its errors as ours. Child side only.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "base/result.h"

namespace kinodex::media {

struct FreeCodecContext {
    void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
};
struct FreeFrame {
    void operator()(AVFrame* p) const { av_frame_free(&p); }
};
struct FreePacket {
    void operator()(AVPacket* p) const { av_packet_free(&p); }
};
struct FreeScaler {
    void operator()(SwsContext* p) const { sws_freeContext(p); }
};
struct FreeResampler {
    void operator()(SwrContext* p) const { swr_free(&p); }
};

using CodecContext = std::unique_ptr<AVCodecContext, FreeCodecContext>;
using Frame = std::unique_ptr<AVFrame, FreeFrame>;
using Packet = std::unique_ptr<AVPacket, FreePacket>;
using Scaler = std::unique_ptr<SwsContext, FreeScaler>;
using Resampler = std::unique_ptr<SwrContext, FreeResampler>;

inline Frame new_frame() {
    return Frame(av_frame_alloc());
}
inline Packet new_packet() {
    return Packet(av_packet_alloc());
}

/// FFmpeg's text for an error number.
std::string av_error_text(int error);

/// An Error of `code` whose detail names the step and FFmpeg's reason.
std::unexpected<base::Error> av_fail(base::Errc code, std::string_view step, int error);

}  // namespace kinodex::media
