// The whole analysis on small real files: shots, pictures, sound, and what is broken or missing.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/child.h"
#include "media/ffmpeg/audio_track.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

std::string bytes_of(int fd) {
    struct stat info{};
    EXPECT_EQ(::fstat(fd, &info), 0);
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    EXPECT_EQ(::pread(fd, bytes.data(), bytes.size(), 0), info.st_size);
    return bytes;
}

struct Analysis {
    base::Result<AnalyzeReport> report;
    std::string pictures;
    std::string wav;
};

Analysis analyze(const base::UniqueFd& file, const Progress& progress = nullptr) {
    const base::UniqueFd pictures(::memfd_create("pictures", MFD_CLOEXEC));
    const base::UniqueFd wav(::memfd_create("wav", MFD_CLOEXEC));
    AnalyzeRequest request;
    request.source_fd = file.get();
    request.pictures_fd = pictures.get();
    request.audio_fd = wav.get();
    auto report = analyze_file(request, progress);
    return {std::move(report), bytes_of(pictures.get()), bytes_of(wav.get())};
}

std::vector<double> starts_of(const Analysis& analysis) {
    std::vector<double> starts;
    if (!analysis.report) {
        ADD_FAILURE() << analysis.report.error().detail;
        return starts;
    }
    for (const Shot& shot : analysis.report->shots) {
        starts.push_back(shot.start_sec);
    }
    return starts;
}

/// Shots follow each other without a gap, and each has a JPEG from inside it.
void expect_whole(const Analysis& analysis) {
    double end = -1;
    std::uint64_t offset = 0;
    for (const Shot& shot : analysis.report.value().shots) {
        if (end >= 0) {
            EXPECT_DOUBLE_EQ(shot.start_sec, end);
        }
        end = shot.end_sec;
        EXPECT_GE(shot.picture_sec, shot.start_sec);
        EXPECT_LT(shot.picture_sec, shot.end_sec);
        EXPECT_EQ(shot.picture_offset, offset);
        offset += shot.picture_bytes;
        ASSERT_LE(offset, analysis.pictures.size());
        EXPECT_EQ(analysis.pictures.substr(shot.picture_offset, 3), "\xFF\xD8\xFF");
    }
    EXPECT_EQ(offset, analysis.pictures.size());
}

constexpr double kFrame = 1.0 / 25;

// Two scenes of textured ground, which differ in everything.
const std::string kScenes =
    "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i mandelbrot=s=320x180:r=25 ";

std::string cut_at(int frame, const std::string& encode) {
    return kScenes + "-filter_complex \"[0]trim=end_frame=" + std::to_string(frame) +
           "[a];[1]trim=end_frame=40,setpts=PTS-STARTPTS[b];[a][b]concat,format=yuv420p\" " +
           encode;
}

const std::string kX264 = "-c:v libx264 -preset veryfast -g 25 ";

struct CutCase {
    const char* name;
    int frame;
    std::string encode;
};

class Cut : public ::testing::TestWithParam<CutCase> {};

TEST_P(Cut, is_found_at_its_frame) {
    const MadeMedia media;
    const auto& [name, frame, encode] = GetParam();
    const auto analysis = analyze(media.make(name, cut_at(frame, encode)));
    const auto starts = starts_of(analysis);
    ASSERT_EQ(starts.size(), 2U);
    EXPECT_NEAR(starts[0], 0, 1e-3);
    EXPECT_NEAR(starts[1], frame * kFrame, 1e-3);
    EXPECT_NEAR(analysis.report->shots[1].end_sec, (frame + 40) * kFrame, 0.05);
    expect_whole(analysis);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, Cut,
    ::testing::Values(
        CutCase{"scenecut.mp4", 38, kX264}, CutCase{"blind.mp4", 38, kX264 + "-sc_threshold 0"},
        CutCase{"on_key.mp4", 50, kX264 + "-sc_threshold 0"},
        CutCase{"no_b.mp4", 38, kX264 + "-sc_threshold 0 -bf 0"},
        CutCase{"transport.ts", 38, kX264}, CutCase{"avi.avi", 38, kX264},
        CutCase{"long.mp4", 38, "-c:v libx264 -preset veryfast -g 500 -sc_threshold 0"},
        CutCase{"hevc.mp4", 38, "-c:v libx265 -preset ultrafast -x265-params log-level=error"},
        CutCase{"vp9.webm", 38, "-c:v libvpx-vp9 -deadline realtime -cpu-used 8"},
        CutCase{"mpeg2.mpg", 38, "-c:v mpeg2video -q:v 4"},
        CutCase{"motion.mov", 38, "-c:v mjpeg -q:v 4"},
        CutCase{"ten_bit.mkv", 38, "-pix_fmt yuv420p10le " + kX264}),
    [](const auto& each) {
        const std::string name = each.param.name;
        return name.substr(0, name.find('.'));
    });

TEST(Shots, fade_through_black_is_one_boundary_in_its_middle) {
    const MadeMedia media;
    const auto analysis = analyze(
        media.make("fade.mp4", kScenes +
                                   "-filter_complex \"[0]trim=end_frame=50,fade=out:40:10[a];"
                                   "[1]trim=end_frame=50,setpts=PTS-STARTPTS,fade=in:0:10[b];"
                                   "[a][b]concat,format=yuv420p\" " +
                                   kX264));
    const auto starts = starts_of(analysis);
    ASSERT_EQ(starts.size(), 2U);
    EXPECT_NEAR(starts[1], 50 * kFrame, 2.01 * kFrame);
    expect_whole(analysis);
}

TEST(Shots, flash_is_no_boundary) {
    const MadeMedia media;
    for (const char* scenecut : {"-sc_threshold 40", "-sc_threshold 0"}) {
        const auto analysis = analyze(
            media.make("flash.mp4",
                       "-f lavfi -i mandelbrot=s=320x180:r=25 -vf "
                       "\"trim=end_frame=90,drawbox=color=white:t=fill:enable='between(n,41,42)',"
                       "format=yuv420p\" " +
                           kX264 + scenecut));
        EXPECT_EQ(starts_of(analysis).size(), 1U) << scenecut;
    }
}

TEST(Shots, pan_is_no_boundary) {
    const MadeMedia media;
    const auto analysis = analyze(media.make(
        "pan.mp4",
        "-f lavfi -i mandelbrot=s=1280x720:r=25:end_scale=3 -vf "
        "\"trim=end_frame=1,loop=loop=75:size=1,crop=320:180:x='n*10':y=200,format=yuv420p\" " +
            kX264));
    EXPECT_EQ(starts_of(analysis).size(), 1U);
    expect_whole(analysis);
}

/// Scenes that differ in everything, each as long as told, one after another.
std::string scenes_of(const std::vector<int>& lengths) {
    const char* const kSources[] = {"testsrc2", "mandelbrot", "rgbtestsrc", "cellauto=rule=110"};
    std::string inputs;
    std::string filters;
    std::string joined;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        const std::string source = kSources[i % std::size(kSources)];
        const char* const options = source.find('=') == std::string::npos ? "=" : ":";
        inputs += "-f lavfi -i " + source + options + "s=320x180:r=25 ";
        const std::string label = "[s" + std::to_string(i) + "]";
        filters += "[" + std::to_string(i) + "]trim=end_frame=" + std::to_string(lengths[i]) +
                   ",setpts=PTS-STARTPTS,format=yuv420p" + label + ";";
        joined += label;
    }
    return inputs + "-filter_complex \"" + filters + joined +
           "concat=n=" + std::to_string(lengths.size()) + "\" ";
}

TEST(Shots, cut_inside_a_group_among_others_is_found_at_its_frame) {
    const MadeMedia media;
    for (const char* frames_between : {"-bf 0", "-bf 3", "-bf 5"}) {
        for (const int length : {85, 86, 87, 88}) {
            const auto analysis =
                analyze(media.make("inside.mp4", scenes_of({length, 90}) + kX264 +
                                                     "-sc_threshold 0 " + frames_between));
            const auto starts = starts_of(analysis);
            ASSERT_EQ(starts.size(), 2U) << frames_between << " " << length;
            EXPECT_NEAR(starts[1], length * kFrame, 1e-3) << frames_between;
        }
    }
}

TEST(Shots, cut_at_the_key_frame_after_a_cut_is_found_too) {
    const MadeMedia media;
    const auto analysis =
        analyze(media.make("both.mp4", scenes_of({85, 15, 60}) + kX264 + "-sc_threshold 0"));
    const auto starts = starts_of(analysis);
    ASSERT_EQ(starts.size(), 3U);
    EXPECT_NEAR(starts[1], 85 * kFrame, 1e-3);
    EXPECT_NEAR(starts[2], 100 * kFrame, 1e-3);
}

/// A window that moves over a large textured picture by so many pixels a frame, from one side.
std::string pan_over(int darkest, int pixels, int frames) {
    const std::string count = std::to_string(frames);
    return "nullsrc=s=80x7:r=25,geq=lum='random(1)*110+" + std::to_string(darkest) +
           "':cb='random(2)*80+" + std::to_string(darkest) +
           "':cr='random(3)*120+60',trim=end_frame=1,scale=4096x360,noise=alls=14,loop=loop=" +
           count + ":size=1,trim=end_frame=" + count + ",crop=320:180:x='" +
           std::to_string(pixels < 0 ? 3700 : 0) + "+n*" + std::to_string(pixels) +
           "':y=90,format=yuv420p";
}

TEST(Shots, fast_pan_through_key_frames_is_no_boundary) {
    const MadeMedia media;
    const auto analysis =
        analyze(media.make("fast.mp4", "-f lavfi -i \"" + pan_over(60, 24, 120) + "\" " + kX264));
    EXPECT_EQ(starts_of(analysis).size(), 1U);
}

TEST(Shots, cut_from_pan_to_pan_at_a_key_frame_is_found) {
    const MadeMedia media;
    const auto analysis = analyze(
        media.make("pans.mp4", "-f lavfi -i \"" + pan_over(40, 24, 75) + "\" -f lavfi -i \"" +
                                   pan_over(120, -24, 75) + "\" -filter_complex \"[0][1]concat\" " +
                                   kX264 + "-sc_threshold 0"));
    const auto starts = starts_of(analysis);
    ASSERT_EQ(starts.size(), 2U);
    EXPECT_NEAR(starts[1], 75 * kFrame, 1e-3);
}

TEST(Shots, of_a_single_frame_are_one) {
    const MadeMedia media;
    const auto analysis = analyze(
        media.make("one.mp4", std::string(kOneSecond) + "-frames:v 1 -pix_fmt yuv420p " + kX264));
    EXPECT_EQ(starts_of(analysis).size(), 1U);
    EXPECT_FALSE(analysis.report->audio);
    EXPECT_TRUE(analysis.wav.empty());
    expect_whole(analysis);
}

TEST(Shots, of_a_group_longer_than_is_held_are_found_all_the_same) {
    const MadeMedia media;
    // One key frame in all of 1,800 frames, more than kGroupPacketsMax.
    const auto analysis = analyze(
        media.make("endless.mp4",
                   "-f lavfi -i testsrc2=s=160x90:r=25 -f lavfi -i mandelbrot=s=160x90:r=25 "
                   "-filter_complex \"[0]trim=end_frame=1700[a];"
                   "[1]trim=end_frame=100,setpts=PTS-STARTPTS[b];"
                   "[a][b]concat,format=yuv420p\" "
                   "-c:v libx264 -preset ultrafast -g 5000 -sc_threshold 0"));
    const auto starts = starts_of(analysis);
    ASSERT_EQ(starts.size(), 2U);
    EXPECT_NEAR(starts[1], 1700 * kFrame, 1e-3);
    expect_whole(analysis);
}

TEST(Shots, of_a_truncated_file_cover_what_is_left) {
    const MadeMedia media;
    media.make("whole.ts", cut_at(38, kX264));
    std::string bytes = media.read("whole.ts");
    bytes.resize(bytes.size() * 3 / 4);
    const auto analysis = analyze(media.write("half.ts", bytes));
    EXPECT_EQ(starts_of(analysis).size(), 2U);
    expect_whole(analysis);
}

TEST(Shots, of_damaged_packets_are_still_told) {
    const MadeMedia media;
    media.make("whole.ts", cut_at(38, kX264));
    std::string bytes = media.read("whole.ts");
    for (std::size_t at = 5000; at < bytes.size(); at += 997) {
        bytes[at] = static_cast<char>(bytes[at] ^ 0x5A);
    }
    const auto analysis = analyze(media.write("damaged.ts", bytes));
    EXPECT_GE(starts_of(analysis).size(), 1U);
}

TEST(Analysis, gives_the_same_bytes_twice) {
    const MadeMedia media;
    const auto file = media.make("twice.mp4", "-f lavfi -i sine=d=3 " + kScenes +
                                                  "-filter_complex \"[1]trim=end_frame=38[a];"
                                                  "[2]trim=end_frame=40,setpts=PTS-STARTPTS[b];"
                                                  "[a][b]concat,format=yuv420p[v]\" "
                                                  "-map [v] -map 0:a -c:a aac -shortest " +
                                                  kX264);
    const auto first = analyze(file);
    const auto second = analyze(file);
    EXPECT_EQ(starts_of(first).size(), 2U);
    EXPECT_FALSE(first.wav.empty());
    EXPECT_EQ(first.pictures, second.pictures);
    EXPECT_EQ(first.wav, second.wav);
    EXPECT_EQ(starts_of(first), starts_of(second));
}

TEST(Analysis, tells_progress_that_only_grows_and_ends_at_one) {
    const MadeMedia media;
    std::vector<double> told;
    const auto file = media.make("progress.mp4", cut_at(38, kX264));
    const auto analysis = analyze(file, [&told](double part) { told.push_back(part); });
    ASSERT_TRUE(analysis.report);
    ASSERT_FALSE(told.empty());
    EXPECT_TRUE(std::ranges::is_sorted(told));
    EXPECT_DOUBLE_EQ(told.back(), 1);
}

TEST(Analysis, of_bytes_that_are_no_media_fails) {
    const MadeMedia media;
    const auto analysis = analyze(media.write("noise.mp4", std::string(4096, 'x')));
    ASSERT_FALSE(analysis.report);
    EXPECT_EQ(analysis.report.error().code, base::Errc::file_unprocessable);
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

TEST(Audio, becomes_16_khz_mono_wav) {
    const MadeMedia media;
    const auto analysis =
        analyze(media.make("stereo.m4a", "-f lavfi -i sine=f=440:r=44100:d=2 -ac 2 -c:a aac"));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    EXPECT_TRUE(analysis.report->shots.empty());
    EXPECT_TRUE(analysis.pictures.empty());
    const std::string& wav = analysis.wav;
    ASSERT_GT(wav.size(), 44U);
    EXPECT_EQ(wav.substr(0, 4), "RIFF");
    EXPECT_EQ(wav.substr(8, 8), "WAVEfmt ");
    EXPECT_EQ(number_at(wav, 4), wav.size() - 8);
    EXPECT_EQ(number_at(wav, 20), 0x00010001U);  // PCM, one channel
    EXPECT_EQ(number_at(wav, 24), 16'000U);
    EXPECT_EQ(number_at(wav, 28), 32'000U);
    EXPECT_EQ(number_at(wav, 40), wav.size() - 44);
    EXPECT_NEAR(static_cast<double>(wav.size() - 44) / 32'000, 2.0, 0.1);
}

TEST(Audio, of_a_sine_has_the_loudness_that_r128_gives_it) {
    const MadeMedia media;
    // EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS.
    const auto analysis = analyze(
        media.make("sine.wav",
                   "-f lavfi -i \"aevalsrc=0.070795*sin(2*PI*1000*t)|0.070795*sin(2*PI*1000*t)"
                   ":s=48000:d=10\" -c:a pcm_s24le"));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    const AudioReport& audio = *analysis.report->audio;
    EXPECT_NEAR(audio.integrated_lufs, -23, 0.1);
    EXPECT_NEAR(audio.true_peak_dbtp, -23, 0.2);
    EXPECT_NEAR(audio.loudness_range_lu, 0, 0.1);
    EXPECT_NEAR(audio.duration_sec, 10, 0.01);
    ASSERT_EQ(audio.loudness_lufs.size(), 25U);
    EXPECT_NEAR(audio.loudness_lufs[10], -23, 0.1);
    EXPECT_TRUE(audio.silences.empty());
}

TEST(Audio, true_peak_lies_between_samples) {
    const MadeMedia media;
    // A quarter of the sample rate, 45 degrees off: samples reach 0.707 of the peak.
    const auto analysis =
        analyze(media.make("peak.wav",
                           "-f lavfi -i \"aevalsrc=0.5*sin(2*PI*12000*t+PI/4):s=48000:d=2\" "
                           "-c:a pcm_s24le"));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    EXPECT_NEAR(analysis.report->audio->true_peak_dbtp, -6.02, 0.4);
}

TEST(Audio, silences_are_ranges_of_half_a_second_and_more) {
    const MadeMedia media;
    const auto analysis =
        analyze(media.make("pauses.wav",
                           "-f lavfi -i \"aevalsrc=0.3*sin(2*PI*440*t)"
                           "*(1-between(t\\,1\\,2.5))*(1-between(t\\,4\\,4.3)):s=16000:d=6\""));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    const auto& silences = analysis.report->audio->silences;
    ASSERT_EQ(silences.size(), 1U);
    EXPECT_NEAR(silences[0].start_sec, 1.0, 0.03);
    EXPECT_NEAR(silences[0].end_sec, 2.5, 0.03);
}

TEST(Audio, of_silence_alone_stays_finite) {
    const MadeMedia media;
    const auto analysis = analyze(media.make("nothing.wav", "-f lavfi -i anullsrc=d=2"));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    const AudioReport& audio = *analysis.report->audio;
    EXPECT_DOUBLE_EQ(audio.integrated_lufs, kLoudnessFloorLufs);
    EXPECT_TRUE(std::isfinite(audio.true_peak_dbtp));
    ASSERT_EQ(audio.silences.size(), 1U);
    EXPECT_NEAR(audio.silences[0].end_sec, 2, 0.05);
}

TEST(Audio, that_begins_late_starts_with_silence) {
    const MadeMedia media;
    const auto analysis = analyze(
        media.make("late.mkv",
                   "-f lavfi -i testsrc2=s=320x180:r=25:d=3 -itsoffset 1 -f lavfi -i sine=d=2 "
                   "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac"));
    ASSERT_TRUE(analysis.report) << analysis.report.error().detail;
    const AudioReport& audio = *analysis.report->audio;
    EXPECT_NEAR(audio.duration_sec, 3, 0.1);
    ASSERT_EQ(audio.silences.size(), 1U);
    EXPECT_NEAR(audio.silences[0].end_sec, 1, 0.05);
}

}  // namespace
}  // namespace kinodex::media
