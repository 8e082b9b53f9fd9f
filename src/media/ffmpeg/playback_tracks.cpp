#include "media/ffmpeg/playback_tracks.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kinodex::media {
namespace {

bool is_420(int format, bool may_have_ten_bits) {
    switch (format) {
        case AV_PIX_FMT_NONE:  // not seen by the probe; the profile has decided
        case AV_PIX_FMT_YUV420P:
        case AV_PIX_FMT_YUVJ420P:
            return true;
        case AV_PIX_FMT_YUV420P10LE:
            return may_have_ten_bits;
        default:
            return false;
    }
}

/// High 10, 4:2:2 and 4:4:4 play in Chromium on desktops only, so they count as not playable.
bool is_playable_h264(const AVCodecParameters& p) {
    const int profile = p.profile & ~(FF_PROFILE_H264_CONSTRAINED | FF_PROFILE_H264_INTRA);
    const bool is_known = profile == FF_PROFILE_H264_BASELINE || profile == FF_PROFILE_H264_MAIN ||
                          profile == FF_PROFILE_H264_EXTENDED || profile == FF_PROFILE_H264_HIGH;
    return is_known && is_420(p.format, false);
}

bool is_playable_hevc(const AVCodecParameters& p) {
    const bool is_known = p.profile == FF_PROFILE_HEVC_MAIN || p.profile == FF_PROFILE_HEVC_MAIN_10;
    return is_known && is_420(p.format, true);
}

/// MPEG-2 and later variants of AAC that no browser decodes have other object types.
bool is_playable_aac(const AVCodecParameters& p) {
    return p.profile == FF_PROFILE_UNKNOWN || p.profile == FF_PROFILE_AAC_LOW ||
           p.profile == FF_PROFILE_AAC_HE || p.profile == FF_PROFILE_AAC_HE_V2 ||
           p.profile == FF_PROFILE_MPEG2_AAC_LOW || p.profile == FF_PROFILE_MPEG2_AAC_HE;
}

// ISO 639-2 codes (terminology and bibliographic) of languages that have a two-letter code, which
// RFC 5646 prefers. Others keep three letters.
constexpr std::array<std::array<std::string_view, 2>, 52> kLanguages = {{
    {"ara", "ar"}, {"bul", "bg"}, {"cat", "ca"}, {"ces", "cs"}, {"chi", "zh"}, {"cym", "cy"},
    {"cze", "cs"}, {"dan", "da"}, {"deu", "de"}, {"dut", "nl"}, {"ell", "el"}, {"eng", "en"},
    {"est", "et"}, {"eus", "eu"}, {"fas", "fa"}, {"fin", "fi"}, {"fra", "fr"}, {"fre", "fr"},
    {"ger", "de"}, {"gle", "ga"}, {"gre", "el"}, {"heb", "he"}, {"hin", "hi"}, {"hrv", "hr"},
    {"hun", "hu"}, {"ice", "is"}, {"ind", "id"}, {"isl", "is"}, {"ita", "it"}, {"jpn", "ja"},
    {"kor", "ko"}, {"lav", "lv"}, {"lit", "lt"}, {"may", "ms"}, {"msa", "ms"}, {"nld", "nl"},
    {"nor", "no"}, {"per", "fa"}, {"pol", "pl"}, {"por", "pt"}, {"ron", "ro"}, {"rum", "ro"},
    {"rus", "ru"}, {"slk", "sk"}, {"slv", "sl"}, {"spa", "es"}, {"srp", "sr"}, {"swe", "sv"},
    {"tha", "th"}, {"tur", "tr"}, {"ukr", "uk"}, {"vie", "vi"},
}};

}  // namespace

std::vector<int> PlayedStreams::all() const {
    std::vector<int> streams;
    if (video >= 0) {
        streams.push_back(video);
    }
    streams.insert(streams.end(), audio.begin(), audio.end());
    return streams;
}

PlayedStreams played_streams(const Input& input) {
    PlayedStreams played;
    const AVStream* video = input.best_stream(AVMEDIA_TYPE_VIDEO);
    if (video != nullptr && (video->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0 &&
        video->codecpar->width > 0) {
        played.video = video->index;
    }
    for (unsigned i = 0; i < input->nb_streams && played.audio.size() < kAudioTracksMax; ++i) {
        const AVCodecParameters& p = *input->streams[i]->codecpar;
        if (p.codec_type == AVMEDIA_TYPE_AUDIO && p.codec_id != AV_CODEC_ID_NONE &&
            p.sample_rate > 0) {
            played.audio.push_back(static_cast<int>(i));
        }
    }
    const AVStream* best = input.best_stream(AVMEDIA_TYPE_AUDIO);
    if (best != nullptr && std::ranges::find(played.audio, best->index) != played.audio.end()) {
        played.default_audio = best->index;
    } else if (!played.audio.empty()) {
        played.default_audio = played.audio.front();
    }
    return played;
}

bool is_playable(const AVCodecParameters& p) {
    switch (p.codec_id) {
        case AV_CODEC_ID_H264:
            return is_playable_h264(p);
        case AV_CODEC_ID_HEVC:
            return is_playable_hevc(p);
        case AV_CODEC_ID_AV1:
            return p.profile == FF_PROFILE_AV1_MAIN || p.profile == FF_PROFILE_UNKNOWN;
        case AV_CODEC_ID_VP9:
            return is_420(p.format, true);
        case AV_CODEC_ID_AAC:
            return is_playable_aac(p);
        // AC-3 and E-AC-3 play in Safari and Edge; HLS names them, so they are passed on.
        case AV_CODEC_ID_AC3:
        case AV_CODEC_ID_EAC3:
        case AV_CODEC_ID_OPUS:
        case AV_CODEC_ID_FLAC:
        case AV_CODEC_ID_MP3:
            return true;
        // Vorbis and PCM fit into no segment that a browser takes (MP4 with them is refused by
        // Media Source Extensions), so they are transcoded like the rest.
        default:
            return false;
    }
}

std::string language_of(const AVStream& stream) {
    const auto* entry = av_dict_get(stream.metadata, "language", nullptr, 0);
    if (entry == nullptr || std::string_view(entry->value) == "und") {
        return {};
    }
    const std::string_view code = entry->value;
    for (const auto& [three, two] : kLanguages) {
        if (code == three) {
            return std::string(two);
        }
    }
    return std::string(code);
}

}  // namespace kinodex::media
