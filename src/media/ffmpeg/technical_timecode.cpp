// Where a recording's first SMPTE timecode is written down.
#include <array>
#include <cstring>

#include "media/ffmpeg/technical.h"

extern "C" {
#include <libavutil/timecode.h>
}

namespace kinodex::media {
namespace {

/// "hh:mm:ss:ff", with ';' or '.' before the frames for drop frame, which becomes ';'.
std::optional<std::string> timecode_text(const AVDictionary* tags) {
    const AVDictionaryEntry* found = av_dict_get(tags, "timecode", nullptr, 0);
    if (found == nullptr || std::strlen(found->value) < 11) {
        return std::nullopt;
    }
    std::string text = std::string(found->value).substr(0, 11);
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_separator = i % 3 == 2;
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (is_separator ? !std::string_view(":;.").contains(text[i]) : !is_digit) {
            return std::nullopt;
        }
    }
    if (text[8] != ':') {
        text[8] = ';';
    }
    text[2] = text[5] = ':';
    return text;
}

std::string source_of(const Input& input, const AVStream* stream) {
    const std::string_view format = input->iformat->name;
    if (format.starts_with("mxf")) {
        return "mxf";
    }
    const bool is_track =
        stream != nullptr && stream->codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd');
    return is_track ? "tmcd" : "metadata";
}

std::optional<Timecode> from_frame(const AVFrame* frame) {
    if (frame == nullptr) {
        return std::nullopt;
    }
    std::array<char, AV_TIMECODE_STR_SIZE> text{};
    if (const auto* gop = av_frame_get_side_data(frame, AV_FRAME_DATA_GOP_TIMECODE)) {
        std::int64_t value = 0;
        if (gop->size >= sizeof value) {
            std::memcpy(&value, gop->data, sizeof value);
            av_timecode_make_mpeg_tc_string(text.data(), static_cast<std::uint32_t>(value));
            return Timecode{text.data(), "gop"};
        }
    }
    if (const auto* sei = av_frame_get_side_data(frame, AV_FRAME_DATA_S12M_TIMECODE)) {
        std::array<std::uint32_t, 4> values{};
        if (sei->size >= sizeof values) {
            std::memcpy(values.data(), sei->data, sizeof values);
            if (values[0] >= 1) {
                av_timecode_make_smpte_tc_string2(text.data(), {30, 1}, values[1], 0, 0);
                return Timecode{text.data(), "sei"};
            }
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<Timecode> timecode_of(const Input& input, const AVFrame* first_frame) {
    // The track itself before the video stream, onto which FFmpeg copies the same words.
    for (const bool tracks_first : {true, false}) {
        for (unsigned i = 0; i < input->nb_streams; ++i) {
            const AVStream& stream = *input->streams[i];
            const bool is_track = stream.codecpar->codec_type == AVMEDIA_TYPE_DATA;
            if (is_track != tracks_first) {
                continue;
            }
            if (auto text = timecode_text(stream.metadata)) {
                return Timecode{*text, source_of(input, &stream)};
            }
        }
    }
    if (auto text = timecode_text(input->metadata)) {
        return Timecode{*text, source_of(input, nullptr)};
    }
    return from_frame(first_frame);
}

}  // namespace kinodex::media
