// Real files of every kind that matters are made with the ffmpeg command, planned, served segment
// by segment, and decoded again with the same command: pictures must be the source's own, bit for
// bit, and times the source's own. Each segment must also play on its own.
#include "media/ffmpeg/playback.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/unique_fd.h"
#include "media/child.h"
#include "media/plan/playlist.h"
#include "media/plan/segment.h"

namespace kinodex::media {
namespace {

namespace fs = std::filesystem;

// A picture that changes with every frame, and sound; eight seconds make two segments.
const std::string kVideo = "-f lavfi -i testsrc2=size=160x96:rate=30:duration=8 ";
const std::string kAudio = "-f lavfi -i sine=frequency=440:duration=8:sample_rate=48000 ";
const std::string kH264 = "-c:v libx264 -preset ultrafast -bf 2 -g 60 -pix_fmt yuv420p ";
const std::string kBoth = kVideo + kAudio + kH264;

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "kn_playback_XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    fs::path operator/(const std::string& name) const { return path_ / name; }

  private:
    fs::path path_;
};

/// What a command prints; a failing command prints nothing.
std::string output_of(const std::string& command) {
    std::string text;
    FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> buffer{};
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        text.append(buffer.data(), got);
    }
    return ::pclose(pipe) == 0 ? text : std::string();
}

std::string make_clip(const Folder& folder, const std::string& arguments, const std::string& name) {
    const std::string path = (folder / name).string();
    const std::string command =
        "ffmpeg -nostdin -v fatal -y " + arguments + " " + path + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (!line.empty() && line[0] != '#') {
            lines.push_back(line);
        }
    }
    return lines;
}

/// One hash per decoded picture, in order of presentation.
std::vector<std::string> picture_hashes(const std::string& path) {
    std::vector<std::string> hashes;
    for (const std::string& line :
         lines_of(output_of("ffmpeg -nostdin -v fatal -i " + path +
                            " -map 0:v:0 -vsync passthrough -f framemd5 -"))) {
        hashes.push_back(line.substr(line.rfind(' ') + 1));
    }
    return hashes;
}

double probe_number(const std::string& path, const std::string& stream, const std::string& what) {
    const auto lines =
        lines_of(output_of("ffprobe -v fatal -count_packets -select_streams " + stream +
                           " -show_entries stream=" + what + " -of default=nk=1:nw=1 " + path));
    return lines.empty() ? std::nan("") : std::strtod(lines[0].c_str(), nullptr);
}

base::UniqueFd open_file(const std::string& path, int flags) {
    return base::UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
}

std::uint64_t size_of(int fd) {
    struct stat info{};
    return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

struct Planned {
    Playback verdict = Playback::none;
    base::UniqueFd source;
    base::UniqueFd plan;
};

Planned plan_file(const Folder& folder, const std::string& path) {
    Planned planned;
    planned.source = open_file(path, O_RDONLY);
    planned.plan = open_file((folder / "plan").string(), O_RDWR | O_CREAT | O_TRUNC);
    auto input = Input::open(planned.source.get());
    EXPECT_TRUE(input) << path;
    if (!input || !input->find_streams()) {
        return planned;
    }
    const auto verdict = write_plan(*input, planned.source.get(), planned.plan.get());
    EXPECT_TRUE(verdict) << verdict.error().detail;
    planned.verdict = verdict.value_or(Playback::none);
    return planned;
}

plan::View open_view(const Planned& planned) {
    auto view = plan::View::open(plan::read_fd(planned.plan.get()), size_of(planned.plan.get()),
                                 size_of(planned.source.get()));
    EXPECT_TRUE(view) << view.error().detail;
    return view ? *view : plan::View();
}

void append(std::ofstream& out, std::span<const std::byte> bytes) {
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
}

/// Init segment and segments [first, end) as one file.
std::string assemble(const Folder& folder, const Planned& planned, const plan::View& view,
                     std::size_t track, std::size_t first, std::size_t end) {
    const auto path = (folder / ("track" + std::to_string(track) + "_" + std::to_string(first) +
                                 "_" + std::to_string(end)))
                          .string();
    std::ofstream out(path, std::ios::binary);
    append(out, view.tracks()[track].init);
    for (std::size_t s = first; s < end; ++s) {
        const auto layout = plan::segment_layout(view, track, s);
        EXPECT_TRUE(layout) << layout.error().detail;
        if (layout) {
            append(out, *plan::build_segment(*layout, plan::read_fd(planned.source.get())));
        }
    }
    return path;
}

/// The sum of EXTINF in a playlist.
double playlist_sec(const plan::View& view, std::size_t track) {
    const auto text = plan::media_playlist(view, track, [](const plan::Resource&) { return "x"; });
    double sum = 0;
    std::istringstream stream(text.value_or(""));
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with("#EXTINF:")) {
            sum += std::strtod(line.c_str() + 8, nullptr);
        }
    }
    return sum;
}

struct Clip {
    std::string name;  // of the file, whose ending chooses the container
    std::string arguments;
    Playback verdict = Playback::packaged;
    std::string codecs;     // of the first track
    double late_video = 0;  // seconds that the pictures start after the sound
    int leading = 0;        // pictures of an open group that need the segment before
};

void PrintTo(const Clip& clip, std::ostream* out) {
    *out << clip.name;
}

/// Pictures, sound and times of the served tracks against those of `source`.
void compare(const Folder& folder, const Planned& planned, const std::string& source,
             double late_video) {
    const plan::View view = open_view(planned);
    std::array<double, 2> starts = {std::nan(""), std::nan("")};
    for (std::size_t t = 0; t < view.tracks().size(); ++t) {
        const plan::Track& track = view.tracks()[t];
        const bool is_video = track.kind == plan::TrackKind::video;
        const std::string stream = is_video ? "v:0" : "a:0";
        const std::string whole = assemble(folder, planned, view, t, 0, track.segments.size());
        if (is_video) {
            const auto served = picture_hashes(whole);
            EXPECT_FALSE(served.empty());
            EXPECT_EQ(served, picture_hashes(source));
        } else {
            // Priming may be cut, two frames at most.
            EXPECT_NEAR(probe_number(whole, stream, "nb_read_packets"),
                        probe_number(source, stream, "nb_read_packets"), 2);
        }
        const double start = probe_number(whole, stream, "start_time");
        starts[is_video ? 0 : 1] = start;
        EXPECT_GT(start, -0.11);
        EXPECT_NEAR(playlist_sec(view, t), 8 + (is_video ? std::max(late_video, 0.0) : 0), 0.08);
        EXPECT_NEAR(static_cast<double>(track.duration) / track.timescale, playlist_sec(view, t),
                    1e-5);
    }
    if (!std::isnan(starts[0]) && !std::isnan(starts[1])) {
        EXPECT_NEAR(starts[0] - starts[1], late_video, 0.027);  // an MP3 frame
    }
}

/// Each video segment alone: all of its samples decode, the first is a key frame.
void check_segments(const Folder& folder, const Planned& planned, int leading) {
    const plan::View view = open_view(planned);
    for (std::size_t t = 0; t < view.tracks().size(); ++t) {
        const plan::Track& track = view.tracks()[t];
        if (track.kind != plan::TrackKind::video) {
            continue;
        }
        EXPECT_EQ(track.segments.size(), 2U);
        for (std::size_t s = 0; s < track.segments.size(); ++s) {
            const auto samples = view.samples(t, s);
            ASSERT_TRUE(samples);
            EXPECT_TRUE(samples->front().is_key);
            const std::string alone = assemble(folder, planned, view, t, s, s + 1);
            EXPECT_NEAR(static_cast<double>(picture_hashes(alone).size()),
                        track.segments[s].samples, leading);
        }
    }
}

class Served : public testing::TestWithParam<Clip> {};

TEST_P(Served, decodes_to_the_source) {
    const Clip& clip = GetParam();
    const Folder folder;
    const std::string source = make_clip(folder, clip.arguments, clip.name);
    Planned planned = plan_file(folder, source);
    ASSERT_EQ(planned.verdict, clip.verdict);
    std::string compared = source;
    if (clip.verdict != Playback::packaged) {
        compared = (folder / "rendition.mp4").string();
        auto out = open_file(compared, O_RDWR | O_CREAT | O_TRUNC);
        RenditionRequest request;
        request.source_fd = planned.source.get();
        request.out_fd = out.get();
        request.plan_fd = planned.plan.get();
        request.copy_streams = clip.verdict == Playback::remux;
        double last_progress = 0;
        const auto made = make_rendition(request, [&](double now) {
            EXPECT_GE(now, last_progress);
            EXPECT_LE(now, 1.0);
            last_progress = now;
        });
        ASSERT_TRUE(made) << made.error().detail;
        if (clip.verdict == Playback::remux) {
            compared = source;  // nothing may have changed
        }
        planned.source = std::move(out);
    }
    EXPECT_EQ(open_view(planned).tracks()[0].codecs, clip.codecs);
    compare(folder, planned, compared, clip.late_video);
    check_segments(folder, planned, clip.leading);
}

INSTANTIATE_TEST_SUITE_P(
    Mp4, Served,
    testing::Values(
        Clip{"bframes.mp4", kBoth + "-c:a aac", Playback::packaged, "avc1.4d400b", 0},
        Clip{"h264.mov", kBoth + "-c:a aac", Playback::packaged, "avc1.4d400b", 0},
        Clip{"silent.mp4", kVideo + kH264, Playback::packaged, "avc1.4d400b", 0},
        Clip{"frag.mp4", kBoth + "-c:a aac -movflags frag_keyframe+delay_moov", Playback::packaged,
             "avc1.4d400b", 0.0},
        Clip{"base.mp4", kBoth + "-c:a aac -movflags frag_keyframe+delay_moov+default_base_moof",
             Playback::packaged, "avc1.4d400b", 0.0},
        Clip{"separate.mp4", kBoth + "-c:a aac -movflags frag_keyframe+delay_moov+separate_moof",
             Playback::packaged, "avc1.4d400b", 0.0},
        Clip{"hevc.mp4",
             kVideo + kAudio +
                 "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=60 -pix_fmt "
                 "yuv420p -c:a aac",
             Playback::packaged, "hvc1.1.6.L30.90", 0, 3},
        Clip{"av1.mp4",
             kVideo + kAudio + "-c:v libsvtav1 -preset 12 -g 60 -pix_fmt yuv420p -c:a libopus",
             Playback::packaged, "av01.0.00M.08", 0},
        Clip{"mp3.mp4", kBoth + "-c:a libmp3lame", Playback::packaged, "avc1.4d400b", 0},
        Clip{"ac3.mp4", kBoth + "-c:a ac3", Playback::packaged, "avc1.4d400b", 0},
        Clip{"eac3.mp4", kBoth + "-c:a eac3", Playback::packaged, "avc1.4d400b", 0},
        Clip{"flac.mp4", kBoth + "-c:a flac -strict -2", Playback::packaged, "avc1.4d400b", 0},
        Clip{"vfr.mp4",
             kVideo + kAudio +
                 "-vf select='not(mod(n\\,3))+lt(mod(n\\,50)\\,20)+lt(n\\,1)' -vsync vfr " + kH264 +
                 "-force_key_frames 'expr:gte(t,n_forced*2)' -c:a aac",
             Playback::packaged, "avc1.4d400b", 0}),
    [](const auto& info) { return info.param.name.substr(0, info.param.name.find('.')); });

INSTANTIATE_TEST_SUITE_P(
    OtherContainers, Served,
    testing::Values(
        Clip{"h264.mkv", kBoth + "-c:a aac", Playback::packaged, "avc1.4d400b", 0.021},
        Clip{"late.mkv", kBoth + "-c:a aac -output_ts_offset 5", Playback::packaged, "avc1.4d400b",
             0.021},
        Clip{"eac3.mkv", kBoth + "-c:a eac3", Playback::packaged, "avc1.4d400b", 0.005},
        Clip{"hevc10.mkv",
             kVideo + kAudio +
                 "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=60:open-gop=0 "
                 "-pix_fmt "
                 "yuv420p10le -c:a flac",
             Playback::packaged, "hvc1.2.4.L30.90", 0},
        Clip{"vp9.webm",
             kVideo + kAudio +
                 "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -pix_fmt yuv420p -c:a "
                 "libopus",
             Playback::packaged, "vp09.00.10.08", 0.014},
        Clip{"h264.flv", kBoth + "-c:a aac", Playback::packaged, "avc1.4d400b", 0.021},
        Clip{"h264.ts", kBoth + "-c:a aac", Playback::remux, "avc1.4d400b", 0.021}),
    [](const auto& info) {
        std::string name = info.param.name;
        std::ranges::replace(name, '.', '_');
        return name;
    });

INSTANTIATE_TEST_SUITE_P(
    AudioOnly, Served,
    testing::Values(Clip{"a.m4a", kAudio + "-c:a aac", Playback::packaged, "mp4a.40.2", 0},
                    Clip{"a.mp3", kAudio + "-c:a libmp3lame", Playback::packaged, "mp4a.40.34", 0},
                    Clip{"a.flac", kAudio + "-c:a flac", Playback::packaged, "fLaC", 0},
                    Clip{"a.aac", kAudio + "-c:a aac", Playback::packaged, "mp4a.40.2", 0},
                    Clip{"a.webm", kAudio + "-c:a libopus", Playback::packaged, "opus", 0},
                    Clip{"a.opus", kAudio + "-c:a libopus", Playback::remux, "opus", 0},
                    Clip{"a.ogg", kAudio + "-c:a libvorbis", Playback::transcode, "mp4a.40.2", 0},
                    Clip{"a.wav", kAudio, Playback::transcode, "mp4a.40.2", 0}),
    [](const auto& info) { return info.param.name.substr(info.param.name.find('.') + 1); });

INSTANTIATE_TEST_SUITE_P(
    Transcoded, Served,
    testing::Values(
        Clip{"mpeg4.avi", kVideo + kAudio + "-c:v mpeg4 -bf 2 -c:a libmp3lame", Playback::transcode,
             "avc1.64000b", 0},
        Clip{"mpeg2.mpg", kVideo + kAudio + "-c:v mpeg2video -c:a mp2", Playback::transcode,
             "avc1.64000b", 0.01},
        Clip{"prores.mov", kVideo + kAudio + "-c:v prores_ks -c:a pcm_s16le", Playback::transcode,
             "avc1.64000b", 0},
        Clip{"h422.mp4",
             kVideo + kAudio + "-c:v libx264 -preset ultrafast -pix_fmt yuv422p -c:a aac",
             Playback::transcode, "avc1.64000b", 0},
        Clip{"odd.avi",
             "-f lavfi -i testsrc2=size=161x97:rate=25:duration=8 -c:v mpeg4 -flags +ilme+ildct",
             Playback::transcode, "avc1.64000b", 0}),
    [](const auto& info) { return info.param.name.substr(0, info.param.name.find('.')); });

TEST(Transcoded, picture_count_and_length_are_the_sources) {
    const Folder folder;
    const auto source =
        make_clip(folder, kVideo + kAudio + "-c:v mpeg4 -bf 2 -c:a libmp3lame", "mpeg4.avi");
    Planned planned = plan_file(folder, source);
    auto out = open_file((folder / "out.mp4").string(), O_RDWR | O_CREAT | O_TRUNC);
    RenditionRequest request;
    request.source_fd = planned.source.get();
    request.out_fd = out.get();
    request.plan_fd = planned.plan.get();
    ASSERT_TRUE(make_rendition(request, {}));
    planned.source = std::move(out);
    EXPECT_EQ(open_view(planned).tracks()[0].sample_count, 240U);
    // The sound was playable and must have been copied, not encoded again.
    EXPECT_EQ(open_view(planned).tracks()[1].codecs, "mp4a.40.34");
}

TEST(EditLists, trimmed_start_hides_the_pictures_before_it) {
    // Cut between key frames without encoding: the file holds pictures that must not be seen.
    const Folder folder;
    const auto whole = make_clip(folder, kBoth + "-c:a aac", "whole.mp4");
    const auto cut = make_clip(folder, "-ss 3.1 -i " + whole + " -c copy", "cut.mp4");
    const Planned planned = plan_file(folder, cut);
    ASSERT_EQ(planned.verdict, Playback::packaged);
    const plan::View view = open_view(planned);
    const auto track = assemble(folder, planned, view, 0, 0, view.tracks()[0].segments.size());
    const auto served = picture_hashes(track);
    const auto wanted = picture_hashes(cut);
    ASSERT_GT(served.size(), wanted.size());
    const auto hidden = static_cast<std::ptrdiff_t>(served.size() - wanted.size());
    EXPECT_EQ(hidden, 33);  // from the key frame at 2 s to 3.1 s
    EXPECT_TRUE(std::equal(served.begin() + hidden, served.end(), wanted.begin(), wanted.end()));
    const auto samples = view.samples(0, 0);
    ASSERT_TRUE(samples);
    std::uint64_t hidden_ticks = 0;
    for (std::ptrdiff_t i = 0; i < hidden; ++i) {
        hidden_ticks += (*samples)[static_cast<std::size_t>(i)].duration;
    }
    // Shorter than a screen can show.
    EXPECT_LE(hidden_ticks * 1000, view.tracks()[0].timescale);
    EXPECT_NEAR(playlist_sec(view, 0), 4.9, 0.04);
    EXPECT_NEAR(playlist_sec(view, 1), 4.9, 0.04);
}

TEST(EditLists, late_video_and_late_audio_stay_late) {
    const Folder folder;
    const auto whole = make_clip(folder, kBoth + "-c:a aac", "whole.mp4");
    for (const double late : {0.5, 3.0}) {
        SCOPED_TRACE(late);
        const std::string two =
            " -itsoffset " + std::to_string(late) + " -i " + whole + " -i " + whole + " -c copy ";
        const auto video =
            make_clip(folder, two + "-map 0:v -map 1:a", "v" + std::to_string(late) + ".mp4");
        const auto audio =
            make_clip(folder, two + "-map 1:v -map 0:a", "a" + std::to_string(late) + ".mp4");
        const auto starts = [&](const std::string& path) {
            const Planned planned = plan_file(folder, path);
            EXPECT_EQ(planned.verdict, Playback::packaged);
            const plan::View view = open_view(planned);
            EXPECT_NEAR(playlist_sec(view, 0), path == video ? 8 + late : 8, 0.04);
            const auto v = assemble(folder, planned, view, 0, 0, view.tracks()[0].segments.size());
            const auto a = assemble(folder, planned, view, 1, 0, view.tracks()[1].segments.size());
            return probe_number(v, "v:0", "start_time") - probe_number(a, "a:0", "start_time");
        };
        EXPECT_NEAR(starts(video), late, 0.025);
        EXPECT_NEAR(starts(audio), -late, 0.025);
    }
}

TEST(Tracks, each_audio_track_is_offered_with_its_language) {
    const Folder folder;
    const auto source = make_clip(folder,
                                  kVideo + kAudio + kAudio + "-map 0 -map 1 -map 2 " + kH264 +
                                      "-c:a aac -metadata:s:a:0 language=eng "
                                      "-metadata:s:a:1 language=deu",
                                  "two.mp4");
    const Planned planned = plan_file(folder, source);
    ASSERT_EQ(planned.verdict, Playback::packaged);
    const plan::View view = open_view(planned);
    ASSERT_EQ(view.tracks().size(), 3U);
    EXPECT_EQ(view.tracks()[1].language, "en");
    EXPECT_EQ(view.tracks()[2].language, "de");
    EXPECT_TRUE(view.tracks()[1].is_default);
    EXPECT_FALSE(view.tracks()[2].is_default);
}

TEST(Tracks, rotation_turns_the_resolution_and_stays_in_the_init_segment) {
    const Folder folder;
    const auto whole = make_clip(folder, kVideo + kH264, "whole.mp4");
    const auto turned =
        make_clip(folder, "-i " + whole + " -c copy -metadata:s:v rotate=90", "turned.mp4");
    const Planned planned = plan_file(folder, turned);
    ASSERT_EQ(planned.verdict, Playback::packaged);
    const plan::View view = open_view(planned);
    EXPECT_EQ(view.tracks()[0].width, 96U);
    EXPECT_EQ(view.tracks()[0].height, 160U);
    const auto served = assemble(folder, planned, view, 0, 0, 1);
    EXPECT_NE(output_of("ffprobe -v fatal -show_streams " + served).find("rotation="),
              std::string::npos);
}

TEST(Hostile, cut_and_damaged_files_are_planned_or_refused_but_never_lie) {
    const Folder folder;
    for (const std::string name : {"a.mp4", "a.mkv", "f.mp4"}) {
        const auto whole = make_clip(
            folder,
            kBoth + "-c:a aac" + (name == "f.mp4" ? " -movflags frag_keyframe+empty_moov" : ""),
            name);
        std::ifstream in(whole, std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(in), {});
        for (std::uint32_t seed = 1; seed <= 60; ++seed) {
            SCOPED_TRACE(name + " seed " + std::to_string(seed));
            std::string damaged = bytes;
            std::uint32_t state = seed * 2654435761U;
            const auto next = [&state] { return state = state * 1664525U + 1013904223U; };
            if (seed % 3 == 0) {
                damaged.resize(next() % bytes.size());
            }
            // Tables stand at the end of an MP4 and at the front of the others.
            const std::size_t tables = std::min<std::size_t>(damaged.size(), 9000);
            for (int i = 0; i < 8 && tables > 0; ++i) {
                const std::size_t at = next() % tables;
                const std::size_t where = name == "a.mp4" ? damaged.size() - 1 - at : at;
                damaged[where] = static_cast<char>(next() >> 13U);
            }
            const auto path = (folder / "damaged").string();
            std::ofstream(path, std::ios::binary | std::ios::trunc) << damaged;
            const auto source = open_file(path, O_RDONLY);
            auto plan_fd = open_file((folder / "plan").string(), O_RDWR | O_CREAT | O_TRUNC);
            auto input = Input::open(source.get());
            if (!input || !input->find_streams()) {
                continue;
            }
            const auto verdict = write_plan(*input, source.get(), plan_fd.get());
            if (verdict && *verdict == Playback::packaged) {
                EXPECT_TRUE(plan::View::open(plan::read_fd(plan_fd.get()), size_of(plan_fd.get()),
                                             damaged.size()));
            }
        }
    }
}

}  // namespace
}  // namespace kinodex::media
