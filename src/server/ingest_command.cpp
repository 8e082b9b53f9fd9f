// kinodex ingest: uploads a folder tree to a server, several files at once.
//
// An asset's filename is the file's path below the folder, and what the server has under that name
// and with that size is left alone: running it again goes on where it stopped. Files that the
// server refuses, or cannot use, are listed at the end; the others go on.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/utf8.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/export_folder.h"
#include "server/ingest_metadata.h"
#include "server/ingest_uploader.h"
#include "server/stop_signal.h"

namespace kinodex::server {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kTableBytesMax = 256 * 1024 * 1024;
constexpr std::size_t kNameCharsMax = 255;
constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kLineEvery{5};

std::unexpected<base::Error> refuse(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "folder"}, {"reason", std::move(reason)}});
}

struct Tally {
    std::atomic<std::uint64_t> bytes_sent = 0;
    std::atomic<std::uint64_t> bytes_not_sent = 0;  // of files that are done all the same
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> uploaded = 0;
    std::atomic<std::size_t> there_already = 0;
    std::atomic<std::size_t> failed = 0;
    std::atomic<std::size_t> not_indexed = 0;  // of the uploaded ones and those there already
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t workers = 0;            // under `mutex`
    std::vector<std::string> problems;  // under `mutex`: lines to print

    [[nodiscard]] std::size_t done() const { return uploaded + there_already + failed; }
    void fail(const std::string& name, const std::string& reason) {
        ++failed;
        note("failed", name, reason);
    }
    void note(const char* what, const std::string& name, const std::string& reason) {
        const std::lock_guard lock(mutex);
        problems.push_back(fmt::format("{}: {}: {}", what, name, reason));
    }
};

/// The file with its metadata. Errors: parameter_invalid with a reason.
base::Result<IngestFile> completed(IngestFile file, const MetadataByPath& table) {
    const auto chars = base::utf8_length(file.name);
    if (!chars || *chars > kNameCharsMax) {
        return refuse("its path is not valid text of at most 255 characters");
    }
    if (const auto row = table.find(file.name); row != table.end()) {
        file.metadata = row->second;
        return file;
    }
    KN_TRY(metadata, sidecar_metadata(file.path));
    file.metadata = std::move(metadata);
    return file;
}

/// Sees to a file and notes what came of it; nothing when a stop came in between.
void bring_one(IngestUploader& uploader, const IngestFile& listed, const MetadataByPath& table,
               Tally& tally) {
    auto file = completed(listed, table);
    if (!file) {
        tally.bytes_not_sent += listed.size_bytes;
        return tally.fail(listed.name, reason_of(file.error()));
    }
    auto brought = uploader.bring(*file);
    if (!brought && stop_asked()) {
        return;
    }
    tally.bytes_not_sent += listed.size_bytes - uploader.file_bytes_sent();
    if (!brought) {
        return tally.fail(listed.name, reason_of(brought.error()));
    }
    ++(brought->is_new ? tally.uploaded : tally.there_already);
    if (!brought->index_problem.empty()) {
        ++tally.not_indexed;
        tally.note("not indexed", listed.name, brought->index_problem);
    }
}

/// The bar, on a terminal; a line now and then elsewhere.
class Progress {
  public:
    Progress(const Tally& tally, const std::vector<IngestFile>& files, std::size_t count)
        : tally_(tally), count_(count), is_terminal_(::isatty(STDERR_FILENO) == 1) {
        for (const auto& file : files) {
            bytes_ += static_cast<double>(file.size_bytes);
        }
    }

    void show(bool last) {
        const auto now = steady_clock::now();
        if (!last && !is_terminal_ && now - shown_ < kLineEvery) {
            return;
        }
        shown_ = now;
        const auto sec = std::chrono::duration<double>(now - begun_).count();
        const auto sent = static_cast<double>(tally_.bytes_sent);
        constexpr std::size_t kWidth = 30;
        const auto filled = static_cast<std::size_t>(kWidth * share_done(sent));
        const auto text = fmt::format("[{}{}] {}/{} files, {:.1f} MB, {:.1f} MB/s, {} failed",
                                      std::string(filled, '#'), std::string(kWidth - filled, '.'),
                                      tally_.done(), count_, sent / 1e6,
                                      sent / 1e6 / std::max(sec, 0.001), tally_.failed.load());
        fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\033[K" : "", text,
                   is_terminal_ && !last ? "" : "\n");
        std::fflush(stderr);
    }

  private:
    /// By bytes, so that it moves within a large file too.
    [[nodiscard]] double share_done(double sent) const {
        if (tally_.done() == count_ || bytes_ == 0) {
            return count_ == 0 ? 1
                               : static_cast<double>(tally_.done()) / static_cast<double>(count_);
        }
        return std::min(1.0, (sent + static_cast<double>(tally_.bytes_not_sent)) / bytes_);
    }

    const Tally& tally_;
    std::size_t count_;
    double bytes_ = 0;
    bool is_terminal_;
    steady_clock::time_point begun_ = steady_clock::now();
    steady_clock::time_point shown_ = begun_;
};

void run_workers(const IngestShared& shared, const IngestFiles& found, const MetadataByPath& table,
                 Tally& tally, int parallel) {
    const auto& files = found.files;
    tally.workers = static_cast<std::size_t>(parallel);
    std::vector<std::thread> threads;
    threads.reserve(tally.workers);
    for (int i = 0; i < parallel; ++i) {
        threads.emplace_back([&] {
            IngestUploader uploader(shared);
            while (!stop_asked()) {
                const auto at = tally.next++;
                if (at >= files.size()) {
                    break;
                }
                bring_one(uploader, files[at], table, tally);
            }
            const std::lock_guard lock(tally.mutex);
            --tally.workers;
            tally.changed.notify_all();
        });
    }
    Progress progress(tally, files, files.size() + found.unreadable.size());
    {
        std::unique_lock lock(tally.mutex);
        while (!tally.changed.wait_for(lock, kRedraw, [&] { return tally.workers == 0; })) {
            progress.show(false);
        }
    }
    progress.show(true);
    for (auto& thread : threads) {
        thread.join();
    }
}

base::Result<MetadataByPath> read_table(const std::string& path, const std::string& folder,
                                        const IngestFiles& found) {
    KN_TRY(text, read_text(path, kTableBytesMax));
    KN_TRY(table, parse_metadata_table(text));
    for (const auto& [name, metadata] : table) {
        if (!std::ranges::binary_search(found.files, name, {}, &IngestFile::name) &&
            std::ranges::find(found.unreadable, name, &IngestProblem::name) ==
                found.unreadable.end()) {
            return refuse("the table names " + name + ", which is not in " + folder);
        }
    }
    return table;
}

/// What the server has; before anything is sent it also shows whether it can be talked to, and
/// whether there is such an index.
base::Status ask_server(const IngestTarget& target, KnownAssets& known) {
    fetch::ApiClient client(target.base_url, target.api_key);
    client.watch([](std::uint64_t) { return !stop_asked(); });
    if (auto loaded = known.load(client); !loaded) {
        return refuse(target.base_url + ": " + loaded.error().detail);
    }
    if (!target.index_id.empty()) {
        const auto path = "/indexes/" + fetch::ApiClient::escaped(target.index_id);
        auto answer = client.get(path);
        if (!answer || answer->status != 200) {
            return refuse("--index " + target.index_id + ": " +
                          (answer ? message_of(*answer) : answer.error().detail));
        }
    }
    return {};
}

/// None is needed where every file goes whole; without one an interrupted upload begins anew.
std::optional<UploadMemory> memory_for(const IngestTarget& target, const IngestFiles& found) {
    const bool is_needed = std::ranges::any_of(found.files, [&](const IngestFile& file) {
        return file.size_bytes > target.direct_bytes_max;
    });
    if (!is_needed) {
        return std::nullopt;
    }
    auto memory = UploadMemory::open(
        fmt::format("{}\n{}\n{}", target.base_url, target.enable_hls, target.enable_thumbnail));
    if (!memory) {
        fmt::print(stderr, "kinodex: {}\n", memory.error().detail);
        return std::nullopt;
    }
    return std::move(*memory);
}

int report(Tally& tally, std::size_t count) {
    for (const auto& line : tally.problems) {
        fmt::print(stderr, "{}\n", shown(line));
    }
    fmt::print("{} uploaded, {} there already, {} failed, {} not tried", tally.uploaded.load(),
               tally.there_already.load(), tally.failed.load(), count - tally.done());
    if (tally.not_indexed > 0) {
        fmt::print(", {} not indexed", tally.not_indexed.load());
    }
    fmt::print("\n");
    return tally.done() == count && tally.failed == 0 && tally.not_indexed == 0 ? 0 : 1;
}

base::Result<int> ingest(const config::Config& config) {
    KN_TRY(found, files_below(config.folder, config.ingest_metadata));
    MetadataByPath table;
    if (!config.ingest_metadata.empty()) {
        KN_TRY(rows, read_table(config.ingest_metadata, config.folder, found));
        table = std::move(rows);
    }
    const IngestTarget target{
        .base_url = config.ingest_server,
        .api_key = config.api_key,
        .enable_hls = config.ingest_hls,
        .enable_thumbnail = config.ingest_thumbnails,
        .index_id = config.index_id,
        .direct_bytes_max = static_cast<std::uint64_t>(config.max_direct_bytes)};
    watch_stop_signals();
    KnownAssets known;
    KN_PASS(ask_server(target, known));
    const auto memory = memory_for(target, found);
    Tally tally;
    for (const auto& problem : found.unreadable) {
        tally.fail(problem.name, problem.reason);
    }
    const IngestShared shared{target, known, memory ? &*memory : nullptr, stop_asked(),
                              tally.bytes_sent};
    run_workers(shared, found, table, tally, config.ingest_parallel);
    return report(tally, found.files.size() + found.unreadable.size());
}

}  // namespace

int run_ingest(const config::Config& config) {
    auto code = ingest(config);
    return code ? *code : complain(code.error());
}

}  // namespace kinodex::server
