// kn_hls_dump SOURCE FOLDER [--rendition]: writes the playlists and segments that the server would
// serve for a media file. With --rendition, files that cannot be served from their own bytes are
// remuxed or transcoded first (into FOLDER/rendition.mp4). Prints what was decided and how long
// each step took. For tests and for people; it runs the parsers without a sandbox.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "media/child.h"
#include "media/ffmpeg/playback.h"
#include "media/plan/playlist.h"
#include "media/plan/segment.h"

namespace {

namespace fs = std::filesystem;
namespace plan = kinodex::media::plan;
using kinodex::base::Result;
using kinodex::base::UniqueFd;
using kinodex::media::Playback;

constexpr std::array<const char*, 4> kNames = {"none", "packaged", "remux", "transcode"};

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

UniqueFd open_file(const fs::path& path, int flags) {
    return UniqueFd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
}

std::uint64_t size_of(int fd) {
    struct stat info{};
    return ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void write_file(const fs::path& path, std::span<const char> bytes) {
    std::ofstream(path, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::span<const char> as_chars(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string name_of(const plan::View& view, const plan::Resource& resource) {
    const bool is_packed = view.tracks()[resource.track].init.empty();
    switch (resource.kind) {
        case plan::Resource::Kind::media_playlist:
            return fmt::format("track{}.m3u8", resource.track);
        case plan::Resource::Kind::init_segment:
            return fmt::format("track{}_init.mp4", resource.track);
        case plan::Resource::Kind::media_segment:
            break;
    }
    return fmt::format("track{}_{}.{}", resource.track, resource.segment,
                       is_packed ? "mp3" : "m4s");
}

Result<void> dump(const plan::View& view, int source, const fs::path& folder) {
    const auto read = plan::read_fd(source);
    const auto url_of = [&](const plan::Resource& resource) { return name_of(view, resource); };
    write_file(folder / "master.m3u8", plan::master_playlist(view, url_of));
    double build_sec = 0;
    std::uint64_t bytes_built = 0;
    std::size_t built = 0;
    for (std::size_t t = 0; t < view.tracks().size(); ++t) {
        const plan::Track& track = view.tracks()[t];
        KN_TRY(playlist, plan::media_playlist(view, t, url_of));
        write_file(folder / fmt::format("track{}.m3u8", t), playlist);
        if (!track.init.empty()) {
            write_file(folder / name_of(view, {plan::Resource::Kind::init_segment, t, 0}),
                       as_chars(track.init));
        }
        for (std::size_t s = 0; s < track.segments.size(); ++s) {
            const auto start = std::chrono::steady_clock::now();
            KN_TRY(layout, plan::segment_layout(view, t, s));
            KN_TRY(bytes, plan::build_segment(layout, read));
            build_sec += seconds_since(start);
            bytes_built += bytes.size();
            ++built;
            KN_TRY(promised, plan::segment_bytes(view, t, s));
            if (promised != bytes.size()) {
                return kinodex::base::fail(kinodex::base::Errc::internal, {}, "wrong length");
            }
            write_file(folder / name_of(view, {plan::Resource::Kind::media_segment, t, s}),
                       as_chars(bytes));
        }
    }
    fmt::print("segments={} bytes={} build_sec={:.4f} build_mb_per_sec={:.0f}\n", built,
               bytes_built, build_sec, static_cast<double>(bytes_built) / 1e6 / build_sec);
    return {};
}

Result<Playback> make_plan(int source, int plan_fd) {
    KN_TRY(input, kinodex::media::Input::open(source));
    KN_PASS(input.find_streams());
    const auto start = std::chrono::steady_clock::now();
    auto verdict = kinodex::media::write_plan(input, source, plan_fd);
    fmt::print("planning_sec={:.4f} plan_bytes={}\n", seconds_since(start), size_of(plan_fd));
    return verdict;
}

Result<int> run(const fs::path& source_path, const fs::path& folder, bool may_render) {
    fs::create_directories(folder);
    UniqueFd source = open_file(source_path, O_RDONLY);
    UniqueFd plan_fd = open_file(folder / "plan.bin", O_RDWR | O_CREAT | O_TRUNC);
    if (!source || !plan_fd) {
        return kinodex::base::fail(kinodex::base::Errc::internal, {}, "cannot open files");
    }
    const auto opened = std::chrono::steady_clock::now();
    KN_TRY(verdict, make_plan(source.get(), plan_fd.get()));
    fmt::print("verdict={} total_sec={:.4f}\n", kNames[static_cast<std::size_t>(verdict)],
               seconds_since(opened));
    if (verdict == Playback::none || (verdict != Playback::packaged && !may_render)) {
        return 2;
    }
    if (verdict != Playback::packaged) {
        UniqueFd rendition = open_file(folder / "rendition.mp4", O_RDWR | O_CREAT | O_TRUNC);
        kinodex::media::RenditionRequest request;
        request.source_fd = source.get();
        request.out_fd = rendition.get();
        request.plan_fd = plan_fd.get();
        request.copy_streams = verdict == Playback::remux;
        const auto start = std::chrono::steady_clock::now();
        KN_PASS(kinodex::media::make_rendition(request, [](double) {}));
        fmt::print("rendition_sec={:.3f}\n", seconds_since(start));
        source = std::move(rendition);
    }
    KN_TRY(view, plan::View::open(plan::read_fd(plan_fd.get()), size_of(plan_fd.get()),
                                  size_of(source.get())));
    KN_PASS(dump(view, source.get(), folder));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3 || argc > 4 || (argc == 4 && std::string_view(argv[3]) != "--rendition")) {
        fmt::print(stderr, "usage: kn_hls_dump SOURCE FOLDER [--rendition]\n");
        return 64;
    }
    av_log_set_level(AV_LOG_ERROR);
    const auto outcome = run(argv[1], argv[2], argc == 4);
    if (!outcome) {
        fmt::print(stderr, "failed: {}\n", outcome.error().detail);
        return 1;
    }
    return *outcome;
}
