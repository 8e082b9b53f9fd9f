#include "media/ffmpeg/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cmath>

#include "media/ffmpeg/file_io.h"

extern "C" {
#include <libavutil/display.h>
}

namespace kinodex::media {
namespace {

// Demuxers of self-contained media files. Everything that follows references (hls, dash, concat,
// imf, image2 sequences) or guesses (tty, raw formats without a header) stays out.
constexpr const char* kFormats =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,asf,asf_o,mpegts,mpeg,mpegvideo,mxf,"
    "ogg,wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,amr,amrnb,amrwb,ape,wv,tta,mpc,mpc8,dsf,"
    "h264,hevc,m4v,av1,obu,ivf,dv,gxf,nut,rm,3dostr,truehd,dts,gif,apng,"
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegls_pipe,j2k_pipe,ppm_pipe";

}  // namespace

std::string av_error_text(int error) {
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(error, text, sizeof text);
    return text;
}

std::unexpected<base::Error> av_fail(base::Errc code, std::string_view step, int error) {
    return base::fail(code, {}, std::string(step) + ": " + av_error_text(error));
}

struct Input::State {
    FileIo io;  // outlives the format, which reads from it to its end
    AVFormatContext* format = nullptr;

    State() = default;
    ~State() { avformat_close_input(&format); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    /// A file that names another file or URL gets nothing.
    static int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
        return AVERROR(EPERM);
    }
};

Input::Input(std::unique_ptr<State> state) : state_(std::move(state)) {}
Input::Input(Input&&) noexcept = default;
Input& Input::operator=(Input&&) noexcept = default;
Input::~Input() = default;

AVFormatContext* Input::get() const {
    return state_->format;
}
std::int64_t Input::size_bytes() const {
    return state_->io.size_bytes();
}

base::Result<Input> Input::open(int fd) {
    auto state = std::make_unique<State>();
    struct stat info{};
    if (::fstat(fd, &info) != 0) {
        return base::fail(base::Errc::internal, {}, "fstat of the source failed");
    }
    KN_PASS(state->io.open(fd, info.st_size, FileIo::Use::read));
    state->format = avformat_alloc_context();
    if (state->format == nullptr) {
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    state->format->pb = state->io.get();
    state->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    state->format->io_open = &State::refuse_open;
    state->format->probesize = kProbeBytesMax;

    AVDictionary* options = nullptr;
    av_dict_set(&options, "protocol_whitelist", "none", 0);
    av_dict_set(&options, "format_whitelist", kFormats, 0);
    // avformat_open_input frees the context itself when it fails.
    const int error = avformat_open_input(&state->format, nullptr, nullptr, &options);
    av_dict_free(&options);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "open", error);
    }
    return Input(std::move(state));
}

base::Result<void> Input::find_streams() {
    const int error = avformat_find_stream_info(state_->format, nullptr);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "find streams", error);
    }
    return {};
}

AVStream* Input::best_stream(AVMediaType type) const {
    AVFormatContext* format = state_->format;
    const int index = av_find_best_stream(format, type, -1, -1, nullptr, 0);
    if (index < 0) {
        return nullptr;
    }
    AVStream* best = format->streams[index];
    if (type != AVMEDIA_TYPE_VIDEO || (best->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
        return best;
    }
    for (unsigned i = 0; i < format->nb_streams; ++i) {
        AVStream* each = format->streams[i];
        if (each->codecpar->codec_type == type &&
            (each->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
            return each;
        }
    }
    return nullptr;  // only cover art
}

base::Result<CodecContext> open_decoder(const AVStream& stream, AVDiscard skip) {
    const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
    if (codec == nullptr) {
        return base::fail(base::Errc::file_unprocessable, {}, "no decoder for this codec");
    }
    CodecContext context(avcodec_alloc_context3(codec));
    int error = avcodec_parameters_to_context(context.get(), stream.codecpar);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "codec parameters", error);
    }
    context->pkt_timebase = stream.time_base;
    context->thread_count = 1;  // children are many; each stays on one core
    context->skip_frame = skip;
    error = avcodec_open2(context.get(), codec, nullptr);
    if (error < 0) {
        return av_fail(base::Errc::file_unprocessable, "open decoder", error);
    }
    return context;
}

int rotation_of(const AVStream& stream) {
    const std::uint8_t* matrix =
        av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
    if (matrix == nullptr) {
        return 0;
    }
    // The matrix turns counterclockwise; players speak of clockwise degrees.
    const double degrees = -av_display_rotation_get(reinterpret_cast<const std::int32_t*>(matrix));
    if (std::isnan(degrees)) {
        return 0;
    }
    const int quarter = static_cast<int>(std::lround(degrees / 90.0));
    return ((quarter % 4) + 4) % 4 * 90;
}

}  // namespace kinodex::media
