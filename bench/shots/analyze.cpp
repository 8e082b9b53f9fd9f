// shots_analyze FILE PICTURES WAV: runs the analysis of one file in this process and prints its
// result as JSON, with the processor time it took.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>

#include "base/unique_fd.h"
#include "media/child.h"

namespace {

using kinodex::base::UniqueFd;
namespace media = kinodex::media;

void print_shots(const std::vector<media::Shot>& shots) {
    const char* comma = "";
    fmt::print("\"shots\":[");
    for (const auto& each : shots) {
        fmt::print("{}{{\"start\":{:.6f},\"end\":{:.6f},\"picture\":{:.6f},\"bytes\":{}}}", comma,
                   each.start_sec, each.end_sec, each.picture_sec, each.picture_bytes);
        comma = ",";
    }
    fmt::print("]");
}

void print_audio(const media::AudioReport& audio) {
    fmt::print(
        ",\"audio\":{{\"duration\":{:.3f},\"integrated\":{:.2f},\"range\":{:.2f},"
        "\"true_peak\":{:.2f},\"momentary\":{},\"silences\":[",
        audio.duration_sec, audio.integrated_lufs, audio.loudness_range_lu, audio.true_peak_dbtp,
        audio.loudness_lufs.size());
    const char* comma = "";
    for (const auto& each : audio.silences) {
        fmt::print("{}[{:.3f},{:.3f}]", comma, each.start_sec, each.end_sec);
        comma = ",";
    }
    fmt::print("]}}");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: shots_analyze FILE PICTURES WAV\n");
        return 2;
    }
    constexpr int kWrite = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
    const UniqueFd source(::open(argv[1], O_RDONLY | O_CLOEXEC));
    const UniqueFd pictures(::open(argv[2], kWrite, 0644));
    const UniqueFd wav(::open(argv[3], kWrite, 0644));
    if (!source || !pictures || !wav) {
        std::perror("open");
        return 2;
    }
    media::AnalyzeRequest request;
    request.source_fd = source.get();
    request.pictures_fd = pictures.get();
    request.audio_fd = wav.get();
    const auto report = media::analyze_file(request, nullptr);
    if (!report) {
        fmt::print(stderr, "{}\n", report.error().detail);
        return 1;
    }
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    fmt::print("{{");
    print_shots(report->shots);
    if (report->audio) {
        print_audio(*report->audio);
    }
    fmt::print(",\"cpu_sec\":{:.3f},\"memory_kb\":{}}}\n",
               seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss);
    return 0;
}
