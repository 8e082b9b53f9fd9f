#include "media/ffmpeg/technical.h"

extern "C" {
#include <libavutil/avstring.h>
#include <libavutil/channel_layout.h>
#include <libavutil/pixdesc.h>
}

#include <array>
#include <boost/json.hpp>
#include <cmath>

#include "media/ffmpeg/picture_hdr.h"

namespace kinodex::media {
namespace {

namespace json = boost::json;

constexpr unsigned kStreamsMax = 64;  // described one by one; the totals count all

std::optional<std::string> tag(const AVDictionary* tags, const char* name) {
    const AVDictionaryEntry* found = av_dict_get(tags, name, nullptr, 0);
    return found == nullptr ? std::nullopt : std::optional<std::string>(found->value);
}

double rounded(double value, double scale) {
    return std::round(value * scale) / scale;
}

void put(json::object& into, std::string_view key, const auto& optional) {
    if (optional) {
        into[key] = *optional;
    }
}

/// A colour word, unless the file leaves it open.
void put_color(json::object& into, std::string_view key, int value, int unspecified,
               const char* name) {
    if (value != unspecified && name != nullptr) {
        into[key] = name;
    }
}

std::string ratio_text(AVRational ratio) {
    return std::to_string(ratio.num) + ":" + std::to_string(ratio.den);
}

std::optional<double> positive(AVRational rate) {
    if (rate.num <= 0 || rate.den <= 0) {
        return std::nullopt;
    }
    return rounded(av_q2d(rate), 1e6);
}

std::string codec_name(const AVStream& stream) {
    return avcodec_get_name(stream.codecpar->codec_id);
}

bool is_picture_stream(const AVStream& stream) {
    return (stream.disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) !=
           0;
}

bool is_of(const AVStream& stream, AVMediaType type) {
    return stream.codecpar->codec_type == type && !is_picture_stream(stream);
}

std::optional<std::int64_t> bitrate_of(const Input& input, const AVStream& stream) {
    if (stream.codecpar->bit_rate > 0) {
        return stream.codecpar->bit_rate;
    }
    for (const char* name : {"BPS", "BPS-eng"}) {  // Matroska's statistics tags
        if (auto text = tag(stream.metadata, name)) {
            const long long value = std::atoll(text->c_str());
            if (value > 0) {
                return value;
            }
        }
    }
    if (input->nb_streams == 1 && input->bit_rate > 0) {
        return input->bit_rate;
    }
    return std::nullopt;
}

std::optional<std::string> scan_type(const AVStream& stream, const AVFrame* frame) {
    switch (stream.codecpar->field_order) {
        case AV_FIELD_PROGRESSIVE:
            return "progressive";
        case AV_FIELD_UNKNOWN:
            break;
        default:
            return "interlaced";
    }
    if (frame == nullptr) {
        return std::nullopt;
    }
    return frame->interlaced_frame != 0 ? "interlaced" : "progressive";
}

AVColorTransferCharacteristic transfer_of(const AVStream& stream, const AVFrame* frame) {
    const auto stated = stream.codecpar->color_trc;
    return stated == AVCOL_TRC_UNSPECIFIED && frame != nullptr ? frame->color_trc : stated;
}

void put_colors(json::object& out, const AVStream& stream, const AVFrame* frame) {
    const AVCodecParameters& codec = *stream.codecpar;
    const bool ask_frame = frame != nullptr;
    const auto range = codec.color_range == AVCOL_RANGE_UNSPECIFIED && ask_frame
                           ? frame->color_range
                           : codec.color_range;
    const auto space = codec.color_space == AVCOL_SPC_UNSPECIFIED && ask_frame ? frame->colorspace
                                                                               : codec.color_space;
    const auto primaries = codec.color_primaries == AVCOL_PRI_UNSPECIFIED && ask_frame
                               ? frame->color_primaries
                               : codec.color_primaries;
    const auto transfer = transfer_of(stream, frame);
    put_color(out, "color_range", range, AVCOL_RANGE_UNSPECIFIED, av_color_range_name(range));
    put_color(out, "color_transfer", transfer, AVCOL_TRC_UNSPECIFIED,
              av_color_transfer_name(transfer));
    put_color(out, "color_space", space, AVCOL_SPC_UNSPECIFIED, av_color_space_name(space));
    put_color(out, "color_primaries", primaries, AVCOL_PRI_UNSPECIFIED,
              av_color_primaries_name(primaries));
}

json::object video_json(const Input& input, AVStream& stream, const AVFrame* frame) {
    const AVCodecParameters& codec = *stream.codecpar;
    json::object out{{"index", stream.index}, {"codec", codec_name(stream)}};
    if (codec.width > 0 && codec.height > 0) {
        out["width"] = codec.width;
        out["height"] = codec.height;
        AVRational pixel = av_guess_sample_aspect_ratio(input.get(), &stream, nullptr);
        if (pixel.num <= 0 || pixel.den <= 0) {
            pixel = {1, 1};
        }
        AVRational display{};
        av_reduce(&display.num, &display.den, std::int64_t{codec.width} * pixel.num,
                  std::int64_t{codec.height} * pixel.den, 1024 * 1024);
        out["pixel_aspect_ratio"] = ratio_text(pixel);
        out["display_aspect_ratio"] = ratio_text(display);
    }
    put(out, "fps", positive(stream.r_frame_rate));
    put(out, "avg_fps", positive(stream.avg_frame_rate));
    put(out, "duration_seconds", duration_of(input, stream));
    put(out, "bitrate_bps", bitrate_of(input, stream));
    out["rotation"] = rotation_of(stream);
    put(out, "scan_type", scan_type(stream, frame));
    const auto format = static_cast<AVPixelFormat>(codec.format);
    if (const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(format)) {
        out["pixel_format"] = pixels->name;
        out["bit_depth"] = pixels->comp[0].depth;
    }
    put_colors(out, stream, frame);
    return out;
}

std::optional<int> audio_bit_depth(const AVCodecParameters& codec) {
    if (codec.bits_per_raw_sample > 0) {
        return codec.bits_per_raw_sample;
    }
    const int exact = av_get_exact_bits_per_sample(codec.codec_id);
    return exact > 0 ? std::optional(exact) : std::nullopt;
}

/// A WAV of one or two channels need not say which they are; everyone hears mono and stereo.
std::optional<std::string> channel_layout_of(AVChannelLayout layout) {
    if (layout.order == AV_CHANNEL_ORDER_UNSPEC) {
        if (layout.nb_channels > 2) {
            return std::nullopt;
        }
        av_channel_layout_default(&layout, layout.nb_channels);
    }
    std::array<char, 128> text{};
    if (av_channel_layout_describe(&layout, text.data(), text.size()) <= 0) {
        return std::nullopt;
    }
    return text.data();
}

json::object audio_json(const Input& input, const AVStream& stream) {
    const AVCodecParameters& codec = *stream.codecpar;
    json::object out{{"index", stream.index}, {"codec", codec_name(stream)}};
    const AVCodecDescriptor* described = avcodec_descriptor_get(codec.codec_id);
    if (described != nullptr && described->long_name != nullptr) {
        out["codec_long"] = described->long_name;
    }
    if (codec.sample_rate > 0) {
        out["sample_rate"] = codec.sample_rate;
    }
    put(out, "bit_depth", audio_bit_depth(codec));
    if (codec.ch_layout.nb_channels > 0) {
        out["channels"] = codec.ch_layout.nb_channels;
        put(out, "channel_layout", channel_layout_of(codec.ch_layout));
    }
    put(out, "bitrate_bps", bitrate_of(input, stream));
    const auto language = tag(stream.metadata, "language");
    if (language && *language != "und") {
        out["language"] = *language;
    }
    put(out, "duration_seconds", duration_of(input, stream));
    return out;
}

void put_summary(json::object& out, const json::object& stream, std::string_view prefix,
                 std::initializer_list<std::string_view> names) {
    for (const auto name : names) {
        if (const json::value* value = stream.if_contains(name)) {
            out[std::string(prefix) + std::string(name)] = *value;
        }
    }
}

bool has_dolby_vision(const AVStream& stream) {
    return av_stream_get_side_data(&stream, AV_PKT_DATA_DOVI_CONF, nullptr) != nullptr;
}

void put_streams(json::object& out, const Input& input, const Measured& measured) {
    const AVStream* best_video = input.best_stream(AVMEDIA_TYPE_VIDEO);
    const AVStream* best_audio = input.best_stream(AVMEDIA_TYPE_AUDIO);
    json::array videos;
    json::array audios;
    int video_count = 0;
    int audio_count = 0;
    for (unsigned i = 0; i < input->nb_streams; ++i) {
        AVStream& stream = *input->streams[i];
        if (is_of(stream, AVMEDIA_TYPE_VIDEO)) {
            ++video_count;
            const bool is_best = &stream == best_video;
            auto described = video_json(input, stream, is_best ? measured.frame : nullptr);
            if (is_best) {
                put_summary(out, described, "video_",
                            {"codec", "width", "height", "duration_seconds", "bitrate_bps"});
                put(out, "video_fps", measured.fps);
            }
            if (i < kStreamsMax) {
                videos.push_back(std::move(described));
            }
        } else if (is_of(stream, AVMEDIA_TYPE_AUDIO)) {
            ++audio_count;
            auto described = audio_json(input, stream);
            if (&stream == best_audio) {
                put_summary(out, described, "audio_",
                            {"codec", "sample_rate", "channels", "duration_seconds"});
            }
            if (i < kStreamsMax) {
                audios.push_back(std::move(described));
            }
        }
    }
    out["video_streams"] = std::move(videos);
    out["audio_streams"] = std::move(audios);
    out["total_video_streams"] = video_count;
    out["total_audio_streams"] = audio_count;
    out["has_audio"] = audio_count > 0;
    if (best_video != nullptr) {
        out["is_hdr"] = is_hdr_transfer(transfer_of(*best_video, measured.frame)) ||
                        has_dolby_vision(*best_video);
        const AVCodecParameters& codec = *best_video->codecpar;
        if (codec.width > 0 && codec.height > 0) {
            out["storage_aspect_ratio"] =
                rounded(static_cast<double>(codec.width) / codec.height, 1e6);
        }
    }
}

void put_place(json::object& out, const std::optional<Place>& place) {
    if (place) {
        out["geospatial_latitude"] = rounded(place->latitude, 1e7);
        out["geospatial_longitude"] = rounded(place->longitude, 1e7);
        put(out, "geospatial_altitude_meters", place->altitude_meters);
    }
}

std::string_view image_format_of(std::string_view mime) {
    return mime.starts_with("image/") ? mime.substr(6) : mime;
}

}  // namespace

std::optional<Place> place_of(const Input& input) {
    constexpr const char* kNames[] = {"location", "com.apple.quicktime.location.ISO6709",
                                      "location-eng"};
    for (const char* name : kNames) {
        if (const auto text = tag(input->metadata, name)) {
            if (const auto place = parse_iso6709(*text)) {
                return place;
            }
        }
    }
    return std::nullopt;
}

std::optional<double> duration_of(const Input& input, const AVStream& stream) {
    if (stream.duration != AV_NOPTS_VALUE && stream.duration > 0) {
        return rounded(static_cast<double>(stream.duration) * av_q2d(stream.time_base), 1e6);
    }
    if (input->duration != AV_NOPTS_VALUE && input->duration > 0) {
        return rounded(static_cast<double>(input->duration) / AV_TIME_BASE, 1e6);
    }
    return std::nullopt;
}

std::string technical_metadata(const Input& input, const std::string& mime,
                               const Measured& measured) {
    json::object out{{"file_size_bytes", input.size_bytes()},
                     {"file_mime_type", mime},
                     {"file_container_format", input->iformat->name}};
    if (const auto text = tag(input->metadata, "creation_time")) {
        if (const auto time = base::parse_rfc3339(*text)) {
            out["container_creation_time"] = base::rfc3339_seconds(*time);
        }
    }
    put_streams(out, input, measured);
    if (const auto timecode = timecode_of(input, measured.frame)) {
        out["start_timecode"] = timecode->text;
        out["timecode_source"] = timecode->source;
        out["drop_frame"] = timecode->text.contains(';');
    }
    put_place(out, place_of(input));
    return json::serialize(out);
}

std::string technical_metadata(const Still& still, const std::string& mime,
                               std::int64_t size_bytes) {
    json::object out{
        {"file_size_bytes", size_bytes},
        {"file_mime_type", mime},
        {"file_container_format", image_format_of(mime)},
        {"image_width", still.frame->width},
        {"image_height", still.frame->height},
        {"image_format", image_format_of(mime)},
        {"image_color_space", still.color_space},
        {"image_bit_depth", still.bit_depth},
        {"is_hdr", is_hdr_transfer(still.frame->color_trc)},
        {"has_audio", false},
        {"has_alpha", still.has_alpha},
        {"is_animated", still.is_animated},
    };
    put(out, "image_orientation", still.exif.orientation);
    put_place(out, still.exif.place);
    return json::serialize(out);
}

}  // namespace kinodex::media
