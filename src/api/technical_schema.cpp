// The technical metadata of an asset, as the media folder writes it.
#include "api/asset_wire.h"

namespace kinodex::api {
namespace {

Schema video_stream_schema() {
    using namespace schema;
    return named(
        "VideoStream",
        object({has("index", integer(0), "Its number in the file."),
                has("codec", text(1), "FFmpeg's name of the codec."),
                may_have("width", integer(1), "Pixels."), may_have("height", integer(1), "Pixels."),
                may_have("pixel_aspect_ratio", text(3), "E.g. `1:1`."),
                may_have("display_aspect_ratio", text(3), "E.g. `16:9`."),
                may_have("fps", number(0), "The rate that the container names."),
                may_have("avg_fps", number(0), "Frames by duration."),
                may_have("duration_seconds", number(0), "Seconds."),
                may_have("bitrate_bps", integer(0), "Bits a second."),
                has("rotation", integer(), "Degrees clockwise for display."),
                may_have("scan_type", words({"progressive", "interlaced"}), "How it was scanned."),
                may_have("pixel_format", text(1), "FFmpeg's name of it."),
                may_have("bit_depth", integer(1), "Bits of a component."),
                may_have("color_range", text(1), "`tv` or `pc`."),
                may_have("color_transfer", text(1), "The transfer function."),
                may_have("color_space", text(1), "The matrix."),
                may_have("color_primaries", text(1), "The primaries.")}));
}

Schema audio_stream_schema() {
    using namespace schema;
    return named("AudioStream", object({has("index", integer(0), "Its number in the file."),
                                        has("codec", text(1), "FFmpeg's name of the codec."),
                                        may_have("codec_long", text(1), "The codec's full name."),
                                        may_have("sample_rate", integer(1), "Hertz."),
                                        may_have("bit_depth", integer(1), "Bits of a sample."),
                                        may_have("channels", integer(1), "How many."),
                                        may_have("channel_layout", text(1), "E.g. `stereo`."),
                                        may_have("bitrate_bps", integer(0), "Bits a second."),
                                        may_have("language", text(1), "As the file names it."),
                                        may_have("duration_seconds", number(0), "Seconds.")}));
}

}  // namespace

Schema technical_metadata_schema() {
    using namespace schema;
    return named(
        "TechnicalMetadata",
        object({has("file_size_bytes", integer(0), "Bytes."),
                has("file_mime_type", text(1), "The type that was found in the bytes."),
                has("file_container_format", text(1), "FFmpeg's name of the container."),
                may_have("container_creation_time", time(), "As the container says."),
                may_have("video_streams", list(video_stream_schema()), "Up to 64."),
                may_have("audio_streams", list(audio_stream_schema()), "Up to 64."),
                may_have("total_video_streams", integer(0), "How many there are."),
                may_have("total_audio_streams", integer(0), "How many there are."),
                may_have("video_codec", text(1), "Of the best video stream."),
                may_have("video_width", integer(1), "Pixels."),
                may_have("video_height", integer(1), "Pixels."),
                may_have("video_fps", number(0), "Frames by duration."),
                may_have("video_duration_seconds", number(0), "Seconds."),
                may_have("video_bitrate_bps", integer(0), "Bits a second."),
                may_have("audio_codec", text(1), "Of the best audio stream."),
                may_have("audio_sample_rate", integer(1), "Hertz."),
                may_have("audio_channels", integer(1), "How many."),
                may_have("audio_duration_seconds", number(0), "Seconds."),
                may_have("storage_aspect_ratio", number(0), "Width by height in pixels."),
                may_have("start_timecode", text(1), "The first frame's SMPTE timecode."),
                may_have("timecode_source", text(1), "Where that was found."),
                may_have("drop_frame", flag(), "Whether it drops frame numbers."),
                may_have("image_width", integer(1), "Pixels."),
                may_have("image_height", integer(1), "Pixels."),
                may_have("image_format", text(1), "E.g. `jpeg`."),
                may_have("image_orientation", integer(1, 8), "As EXIF counts."),
                may_have("image_color_space", text(1), "E.g. `RGB`."),
                may_have("image_bit_depth", integer(1), "Bits of a component."),
                may_have("has_audio", flag(), "Whether there is an audio stream."),
                may_have("has_alpha", flag(), "Whether it is transparent anywhere."),
                may_have("is_animated", flag(), "Whether it has more than one picture."),
                may_have("is_hdr", flag(), "Whether it is high dynamic range."),
                may_have("geospatial_latitude", number(-90, 90), "Degrees."),
                may_have("geospatial_longitude", number(-180, 180), "Degrees."),
                may_have("geospatial_altitude_meters", number(), "Metres.")})
            .like(R"({"file_size_bytes":30720000,"file_mime_type":"video/mp4",)"
                  R"("file_container_format":"mov,mp4,m4a,3gp,3g2,mj2","video_codec":"h264",)"
                  R"("video_width":1920,"video_height":1080,"video_fps":25,"has_audio":true})"));
}

}  // namespace kinodex::api
