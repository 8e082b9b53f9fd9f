// What a file is: real files, made small by the ffmpeg command, and files that only pretend.
#include "media/ffmpeg/probe.h"

#include <gmock/gmock.h>
#include <sys/mman.h>

#include <boost/json.hpp>

#include "media/child.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

namespace json = boost::json;
using base::Errc;
using domain::AssetType;

struct Probed {
    ProbeReport report;
    json::object technical;
    json::object video;  // the first stream
    json::object audio;
};

Probed probe(const base::UniqueFd& file) {
    auto report = probe_file({file.get(), -1});
    if (!report) {
        ADD_FAILURE() << report.error().detail;
        return {};
    }
    Probed out{std::move(*report), {}, {}, {}};
    if (!out.report.technical_metadata.empty()) {
        out.technical = json::parse(out.report.technical_metadata).as_object();
    }
    const auto first = [&](const char* name) {
        const auto* list = out.technical.if_contains(name);
        return list != nullptr && !list->as_array().empty() ? list->as_array()[0].as_object()
                                                            : json::object{};
    };
    out.video = first("video_streams");
    out.audio = first("audio_streams");
    return out;
}

struct Kind {
    const char* name;
    std::string arguments;
    AssetType type;
    const char* mime;
    const char* codec;
};

class Kinds : public testing::TestWithParam<Kind> {};

TEST_P(Kinds, are_told_by_their_bytes) {
    const MadeMedia media;
    // The name says nothing: the bytes are copied to one without an extension.
    media.make(GetParam().name, GetParam().arguments);
    const auto file = media.write("upload", media.read(GetParam().name));
    const auto [report, technical, video, audio] = probe(file);
    ASSERT_FALSE(report.refusal.has_value()) << report.refusal->detail;
    EXPECT_EQ(report.type, GetParam().type);
    EXPECT_EQ(report.file_type, GetParam().mime);
    EXPECT_EQ(technical.at("file_mime_type").as_string(), GetParam().mime);
    if (GetParam().type == AssetType::video) {
        EXPECT_EQ(technical.at("video_codec").as_string(), GetParam().codec);
        EXPECT_EQ(report.width, 320);
        EXPECT_EQ(report.height, 180);
        EXPECT_NEAR(report.duration_sec.value_or(0), 1, 0.1);
        EXPECT_NEAR(report.fps.value_or(0), 25, 0.01);
    } else if (GetParam().type == AssetType::audio) {
        EXPECT_EQ(technical.at("audio_codec").as_string(), GetParam().codec);
        EXPECT_NEAR(report.duration_sec.value_or(0), 1, 0.1);
        EXPECT_FALSE(report.width.has_value());
    } else {
        EXPECT_EQ(technical.at("image_width"), 320);
        EXPECT_EQ(technical.at("image_format").as_string(), GetParam().codec);
        EXPECT_FALSE(report.duration_sec.has_value());
    }
}

const std::string kVideo = kOneSecond;
const std::string kAudio = kOneBeep;
const std::string kImage = kOnePicture;

INSTANTIATE_TEST_SUITE_P(
    files, Kinds,
    testing::Values(
        Kind{"h264.mp4", kVideo + kAudio + "-c:v libx264 -c:a aac", AssetType::video, "video/mp4",
             "h264"},
        Kind{"hevc.mp4", kVideo + "-c:v libx265 -x265-params log-level=0", AssetType::video,
             "video/mp4", "hevc"},
        Kind{"vp9.webm", kVideo + "-c:v libvpx-vp9 -deadline realtime", AssetType::video,
             "video/webm", "vp9"},
        Kind{"av1.mp4", kVideo + "-c:v libaom-av1 -cpu-used 8", AssetType::video, "video/mp4",
             "av1"},
        Kind{"prores.mov", kVideo + "-c:v prores_ks", AssetType::video, "video/quicktime",
             "prores"},
        Kind{"h264.mkv", kVideo + "-c:v libx264", AssetType::video, "video/x-matroska", "h264"},
        Kind{"h264.ts", kVideo + "-c:v libx264", AssetType::video, "video/mp2t", "h264"},
        Kind{"mpeg4.avi", kVideo + "-c:v mpeg4", AssetType::video, "video/x-msvideo", "mpeg4"},
        Kind{"mpeg2.mpg", kVideo + "-c:v mpeg2video", AssetType::video, "video/mpeg", "mpeg2video"},
        Kind{"mpeg2.mxf", kVideo + "-c:v mpeg2video", AssetType::video, "application/mxf",
             "mpeg2video"},
        Kind{"flv.flv", kVideo + "-c:v flv1", AssetType::video, "video/x-flv", "flv1"},
        Kind{"wmv.wmv", kVideo + "-c:v wmv2", AssetType::video, "video/x-ms-wmv", "wmv2"},
        Kind{"pcm.wav", kAudio, AssetType::audio, "audio/wav", "pcm_s16le"},
        Kind{"mp3.mp3", kAudio, AssetType::audio, "audio/mpeg", "mp3"},
        Kind{"flac.flac", kAudio, AssetType::audio, "audio/flac", "flac"},
        Kind{"aac.m4a", kAudio, AssetType::audio, "audio/mp4", "aac"},
        Kind{"aac.mp4", kAudio, AssetType::audio, "audio/mp4", "aac"},
        Kind{"aac.aac", kAudio, AssetType::audio, "audio/aac", "aac"},
        Kind{"opus.ogg", kAudio + "-c:a libopus", AssetType::audio, "audio/ogg", "opus"},
        Kind{"pcm.aiff", kAudio, AssetType::audio, "audio/aiff", "pcm_s16be"},
        Kind{"a.jpg", kImage, AssetType::image, "image/jpeg", "jpeg"},
        Kind{"a.png", kImage, AssetType::image, "image/png", "png"},
        Kind{"a.webp", kImage, AssetType::image, "image/webp", "webp"},
        Kind{"a.gif", kImage, AssetType::image, "image/gif", "gif"},
        Kind{"a.bmp", kImage, AssetType::image, "image/bmp", "bmp"},
        Kind{"a.tiff", kImage, AssetType::image, "image/tiff", "tiff"}),
    [](const auto& row) {
        std::string name = row.param.name;
        std::ranges::replace(name, '.', '_');
        return name;
    });

TEST(Probe, a_cover_does_not_make_a_song_a_video) {
    const MadeMedia media;
    media.make("song.mp3", kAudio);
    media.make("cover.jpg", kImage);
    const auto song =
        media.make("covered.mp3",
                   "-i song.mp3 -i cover.jpg -map 0 -map 1 -c copy -disposition:v attached_pic");
    const auto [report, technical, video, audio] = probe(song);
    EXPECT_EQ(report.type, AssetType::audio);
    EXPECT_EQ(technical.at("total_video_streams"), 0);
    EXPECT_TRUE(video.empty());
}

TEST(Probe, a_phone_video_tells_place_time_rotation_and_timecode) {
    const MadeMedia media;
    media.make("plain.mp4", kVideo + kAudio +
                                "-c:v libx264 -c:a aac -timecode '01:00:00;02' -r 30000/1001 "
                                "-metadata location=+37.7850-122.4060+010.500/ "
                                "-metadata:s:a language=deu");
    const auto turned = media.make("turned.mp4",
                                   "-i plain.mp4 -c copy -metadata:s:v rotate=270 "
                                   "-metadata creation_time=2022-06-02T10:30:00Z");
    const auto [report, technical, video, audio] = probe(turned);
    EXPECT_EQ(report.width, 180);
    EXPECT_EQ(report.height, 320);
    EXPECT_EQ(video.at("width"), 320);
    EXPECT_EQ(video.at("rotation"), 90);  // this command counts the other way round
    EXPECT_EQ(video.at("display_aspect_ratio").as_string(), "16:9");
    EXPECT_EQ(video.at("pixel_aspect_ratio").as_string(), "1:1");
    EXPECT_EQ(video.at("scan_type").as_string(), "progressive");
    EXPECT_EQ(video.at("pixel_format").as_string(), "yuv420p");
    EXPECT_EQ(video.at("bit_depth"), 8);
    EXPECT_NEAR(video.at("fps").as_double(), 29.97003, 1e-4);
    EXPECT_EQ(audio.at("language").as_string(), "deu");
    EXPECT_EQ(audio.at("channel_layout").as_string(), "mono");
    EXPECT_EQ(audio.at("codec_long").as_string(), "AAC (Advanced Audio Coding)");
    EXPECT_EQ(technical.at("container_creation_time").as_string(), "2022-06-02T10:30:00Z");
    EXPECT_NEAR(technical.at("geospatial_latitude").as_double(), 37.785, 1e-6);
    EXPECT_NEAR(technical.at("geospatial_longitude").as_double(), -122.406, 1e-6);
    EXPECT_NEAR(technical.at("geospatial_altitude_meters").as_double(), 10.5, 1e-6);
    EXPECT_EQ(technical.at("start_timecode").as_string(), "01:00:00;02");
    EXPECT_EQ(technical.at("timecode_source").as_string(), "tmcd");
    EXPECT_EQ(technical.at("drop_frame"), true);
    EXPECT_EQ(technical.at("has_audio"), true);
    EXPECT_EQ(technical.at("is_hdr"), false);
    EXPECT_EQ(technical.at("total_audio_streams"), 1);
    EXPECT_NEAR(technical.at("storage_aspect_ratio").as_double(), 16.0 / 9, 1e-5);
}

TEST(Probe, hdr_video_says_so_with_its_colours_and_depth) {
    const MadeMedia media;
    const auto file = media.make(
        "hdr.mp4", kVideo +
                       "-c:v libx265 -x265-params log-level=0 -pix_fmt yuv420p10le "
                       "-color_primaries bt2020 -color_trc smpte2084 -colorspace bt2020nc");
    const auto [report, technical, video, audio] = probe(file);
    EXPECT_EQ(technical.at("is_hdr"), true);
    EXPECT_EQ(video.at("bit_depth"), 10);
    EXPECT_EQ(video.at("color_transfer").as_string(), "smpte2084");
    EXPECT_EQ(video.at("color_primaries").as_string(), "bt2020");
    EXPECT_EQ(video.at("color_space").as_string(), "bt2020nc");
    EXPECT_EQ(video.at("color_range").as_string(), "tv");
}

TEST(Probe, timecodes_of_mpeg2_come_from_the_group_of_pictures_or_mxf) {
    const MadeMedia media;
    const auto gop = media.make("a.mpg", kVideo + "-c:v mpeg2video -gop_timecode 01:02:03:04");
    const auto from_gop = probe(gop).technical;
    EXPECT_EQ(from_gop.at("start_timecode").as_string(), "01:02:03:04");
    EXPECT_EQ(from_gop.at("timecode_source").as_string(), "gop");
    const auto mxf = media.make("a.mxf", kVideo + "-c:v mpeg2video -timecode 10:00:00:00");
    const auto from_mxf = probe(mxf).technical;
    EXPECT_EQ(from_mxf.at("start_timecode").as_string(), "10:00:00:00");
    EXPECT_EQ(from_mxf.at("timecode_source").as_string(), "mxf");
    EXPECT_EQ(from_mxf.at("drop_frame"), false);
}

TEST(Probe, odd_pixels_and_interlacing_are_told) {
    const MadeMedia media;
    const auto file = media.make("dv.mp4", kVideo +
                                               "-vf setsar=4/3 -c:v libx264 "
                                               "-flags +ildct+ilme -top 1");
    const auto [report, technical, video, audio] = probe(file);
    EXPECT_EQ(video.at("pixel_aspect_ratio").as_string(), "4:3");
    EXPECT_EQ(video.at("display_aspect_ratio").as_string(), "64:27");
    EXPECT_EQ(video.at("scan_type").as_string(), "interlaced");
    EXPECT_EQ(report.width, 320);
}

TEST(Probe, the_rate_of_uneven_frames_is_frames_by_duration) {
    const MadeMedia media;
    // 50 frames in two seconds, of which the second half keeps every fifth: 25 + 5 frames.
    for (const char* name : {"uneven.mp4", "uneven.mkv"}) {
        const auto file = media.make(
            name,
            "-f lavfi -i testsrc2=s=320x180:r=25:d=2 -vf \"select='lt(n,25)+not(mod(n,5))'\" "
            "-vsync vfr -c:v libx264");
        const auto report = probe(file).report;
        EXPECT_NEAR(report.fps.value_or(0), 30 / 1.84, 0.3) << name;
    }
}

TEST(Probe, a_recording_without_a_duration_is_counted) {
    const MadeMedia media;
    // Matroska written to a pipe has no duration and no index.
    media.make("live.mkv", kVideo + kAudio + "-c:v libx264 -f matroska - >");
    const auto report = probe(media.open("live.mkv")).report;
    EXPECT_NEAR(report.duration_sec.value_or(0), 1, 0.05);
    EXPECT_NEAR(report.fps.value_or(0), 25, 0.01);
}

TEST(Probe, animated_pictures_and_alpha_are_told) {
    const MadeMedia media;
    for (const char* name : {"a.gif", "a.apng", "a.webp"}) {
        const std::string codec = std::string(name) == "a.webp" ? "-c:v libwebp_anim" : "";
        const auto file = media.make(name, kVideo + codec);
        const auto technical = probe(file).technical;
        EXPECT_EQ(technical.at("is_animated"), true) << name;
        EXPECT_EQ(technical.at("image_width"), 320) << name;
    }
    const auto still = media.make("still.png", kImage + "-pix_fmt rgb48be");
    EXPECT_EQ(probe(still).technical.at("is_animated"), false);
    EXPECT_EQ(probe(still).technical.at("image_bit_depth"), 16);
    EXPECT_EQ(probe(still).technical.at("has_alpha"), false);
    media.make("alpha.png", "-f lavfi -i color=red@0.5:s=64x64,format=rgba -frames:v 1");
    const auto alpha = media.make("alpha.webp", "-i alpha.png");
    EXPECT_EQ(probe(media.open("alpha.png")).technical.at("has_alpha"), true);
    EXPECT_EQ(probe(alpha).technical.at("has_alpha"), true);
}

struct Refusal {
    const char* name;
    std::string bytes;
    Errc code;
    const char* asset_type;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, says_why) {
    const MadeMedia media;
    const auto file = media.write("upload.mp4", GetParam().bytes);
    const auto report = probe(file).report;
    ASSERT_TRUE(report.refusal.has_value());
    EXPECT_EQ(report.refusal->code, GetParam().code);
    EXPECT_EQ(report.refusal->value("asset_type"), GetParam().asset_type);
}

std::string noise(std::size_t size) {
    std::string out;
    std::uint32_t state = 12345;
    for (std::size_t i = 0; i < size; ++i) {
        state = state * 1664525 + 1013904223;
        out += static_cast<char>(state >> 24);
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(
    files, Refused,
    testing::Values(
        Refusal{"empty", "", Errc::file_unprocessable, ""},
        Refusal{"text", "hello, world", Errc::asset_type_unsupported, "text/plain"},
        Refusal{"pdf", "%PDF-1.7\n", Errc::asset_type_unsupported, "application/pdf"},
        Refusal{"zip", std::string("PK\3\4") + noise(100), Errc::asset_type_unsupported,
                "application/zip"},
        Refusal{"hls", "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", Errc::asset_type_unsupported,
                "application/vnd.apple.mpegurl"},
        Refusal{"dash", "<?xml version=\"1.0\"?>\n<MPD><BaseURL>file:///etc/</BaseURL></MPD>",
                Errc::asset_type_unsupported, "application/dash+xml"},
        Refusal{"concat", "ffconcat version 1.0\nfile /etc/passwd\n", Errc::asset_type_unsupported,
                "text/plain"},
        Refusal{"svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", Errc::asset_type_unsupported,
                "image/svg+xml"},
        Refusal{"noise", noise(100'000), Errc::asset_type_unsupported, "application/octet-stream"},
        Refusal{"mp4_head",
                std::string("\0\0\0\x18"
                            "ftypisom\0\0\2\0isommp42",
                            24) +
                    noise(9000),
                Errc::video_file_broken, ""},
        Refusal{"flac_head", "fLaC" + noise(9000), Errc::audio_file_broken, ""},
        Refusal{"wav_head", "RIFF" + std::string(4, '\x7f') + "WAVE" + noise(9000),
                Errc::audio_file_broken, ""},
        Refusal{"jpeg_head", "\xFF\xD8\xFF\xE0" + noise(9000), Errc::image_broken, ""},
        Refusal{"png_head", "\x89PNG\r\n\x1A\n" + noise(9000), Errc::image_broken, ""},
        Refusal{"webp_head", std::string("RIFF\x10\0\0\0WEBPVP8 ", 16) + noise(9000),
                Errc::image_broken, ""},
        Refusal{"gif_head", "GIF89a" + noise(3), Errc::image_broken, ""}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(Probe, files_that_were_cut_off_are_broken) {
    const MadeMedia media;
    media.make("whole.mp4", kVideo + "-c:v libx264");
    media.make("whole.jpg", kImage);
    media.make("whole.png", kImage);
    const auto cut = [&](const std::string& name) {
        const std::string bytes = media.read(name);
        return probe(media.write("cut", bytes.substr(0, bytes.size() / 2))).report;
    };
    EXPECT_EQ(cut("whole.mp4").refusal->code, Errc::video_file_broken);  // no moov
    EXPECT_EQ(cut("whole.jpg").refusal->code, Errc::image_broken);
    EXPECT_EQ(cut("whole.png").refusal->code, Errc::image_broken);
}

TEST(Probe, a_picture_of_too_many_pixels_is_refused_before_it_is_decoded) {
    const MadeMedia media;
    // A PNG header that promises 60000 x 60000 pixels; the checksum is of no matter.
    media.make("small.png", kImage);
    std::string bytes = media.read("small.png");
    bytes.replace(16, 8, std::string("\0\0\xEA\x60\0\0\xEA\x60", 8));
    EXPECT_EQ(probe(media.write("bomb.png", bytes)).report.refusal->code, Errc::image_broken);
}

TEST(Probe, a_movie_that_points_at_another_file_reads_nothing_of_it) {
    const MadeMedia media;
    media.make("secret.mov", kVideo + "-c:v mpeg4");
    media.make("pointer.mov", kVideo + "-c:v mpeg4");
    // The self-contained flag of the data reference goes, and an alias to the other file comes.
    std::string bytes = media.read("pointer.mov");
    const auto reference = bytes.find("dref");
    ASSERT_NE(reference, std::string::npos);
    const auto url = bytes.find("url ", reference);
    ASSERT_NE(url, std::string::npos);
    bytes[url + 7] = '\0';
    const auto media_data = bytes.find("mdat");
    ASSERT_NE(media_data, std::string::npos);
    const std::size_t size = bytes.find("moov") - 4 - (media_data + 4);
    bytes.replace(media_data + 4, size, std::string(size, '\0'));
    const auto report = probe(media.write("upload", bytes)).report;
    ASSERT_TRUE(report.refusal.has_value());
    EXPECT_EQ(report.refusal->code, Errc::video_file_broken);
}

TEST(Probe, what_can_be_played_comes_with_a_plan) {
    const MadeMedia media;
    const auto file = media.make("a.mp4", kVideo + kAudio + "-c:v libx264 -c:a aac");
    const base::UniqueFd plan(::memfd_create("plan", MFD_CLOEXEC));
    const auto report = probe_file({file.get(), plan.get()});
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->playback, Playback::packaged);
    EXPECT_TRUE(report->plan_written);
    EXPECT_GT(::lseek(plan.get(), 0, SEEK_END), 0);
    const auto old = media.make("old.avi", kVideo + "-c:v mpeg4");
    EXPECT_EQ(probe(old).report.playback, Playback::transcode);
    EXPECT_EQ(probe(media.make("a.png", kImage)).report.playback, Playback::none);
}

}  // namespace
}  // namespace kinodex::media
