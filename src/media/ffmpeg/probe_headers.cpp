#include "media/ffmpeg/probe_headers.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace kinodex::media {
namespace {

// A lower rate of AAC may be half of what is played: spectral band replication need not be
// announced in the header.
constexpr int kPlainAacRateMin = 32'000;

bool video_is_told(const AVStream& stream) {
    const auto& codec = *stream.codecpar;
    const bool has_setup = codec.extradata_size > 0 || codec.codec_id == AV_CODEC_ID_VP8 ||
                           codec.codec_id == AV_CODEC_ID_VP9;
    // Both rates are there only when every picture lasts equally long.
    return has_setup && codec.width > 0 && codec.height > 0 && stream.avg_frame_rate.num > 0 &&
           stream.r_frame_rate.num > 0 && (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) == 0;
}

bool audio_is_told(const AVStream& stream) {
    const auto& codec = *stream.codecpar;
    if (codec.sample_rate <= 0 || codec.ch_layout.nb_channels <= 0 || codec.extradata_size <= 0) {
        return false;
    }
    return codec.codec_id == AV_CODEC_ID_OPUS ||
           (codec.codec_id == AV_CODEC_ID_AAC && codec.sample_rate >= kPlainAacRateMin);
}

}  // namespace

bool headers_suffice(const Input& input) {
    const std::string_view format = input->iformat->name;
    const bool is_known = format.starts_with("mov,") || format.starts_with("matroska,");
    if (!is_known || input->duration == AV_NOPTS_VALUE || input->duration <= 0) {
        return false;
    }
    int videos = 0;
    for (const auto* stream : std::span(input->streams, input->nb_streams)) {
        switch (stream->codecpar->codec_type) {
            case AVMEDIA_TYPE_VIDEO:
                ++videos;
                if (!video_is_told(*stream)) {
                    return false;
                }
                break;
            case AVMEDIA_TYPE_AUDIO:
                if (!audio_is_told(*stream)) {
                    return false;
                }
                break;
            case AVMEDIA_TYPE_DATA:  // timecodes and the like
                break;
            default:
                return false;
        }
    }
    return videos == 1;
}

void complete_parameters(AVStream& stream, const AVCodecContext& decoder) {
    // A copy that fails halfway leaves what the headers said.
    AVCodecParameters* whole = avcodec_parameters_alloc();
    if (whole != nullptr && avcodec_parameters_from_context(whole, &decoder) >= 0) {
        whole->codec_tag = stream.codecpar->codec_tag;
        avcodec_parameters_copy(stream.codecpar, whole);
    }
    avcodec_parameters_free(&whole);
}

}  // namespace kinodex::media
