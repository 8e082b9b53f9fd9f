// kinodex ingest: uploads a folder tree to a server, several files at once.
//
// An asset's filename is the file's path below the folder, and what the server has under that name
// and with that size is left alone: running it again goes on where it stopped, without notes of its
// own. Files that the server refuses are listed at the end; the others go on.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/utf8.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/export_folder.h"
#include "server/ingest_metadata.h"
#include "server/ingest_uploader.h"

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::size_t kTableBytesMax = 256 * 1024 * 1024;
constexpr std::size_t kNameCharsMax = 255;
constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kLineEvery{5};

std::atomic<bool> interrupted = false;

void interrupt(int) {
    interrupted = true;
}

std::unexpected<base::Error> refuse(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "folder"}, {"reason", std::move(reason)}});
}

/// Every file to bring, in the order of their names: no hidden ones, no metadata.
base::Result<std::vector<IngestFile>> files_below(const std::string& folder,
                                                  const std::string& table_path) {
    std::vector<IngestFile> files;
    std::error_code error;
    const auto table = fs::weakly_canonical(table_path, error);
    for (fs::recursive_directory_iterator each(folder, error), end; !error && each != end;
         each.increment(error)) {
        const auto& path = each->path();
        if (path.filename().string().starts_with('.')) {
            if (each->is_directory()) {
                each.disable_recursion_pending();
            }
            continue;
        }
        if (!each->is_regular_file() || path.extension() == ".json" ||
            (!table_path.empty() && fs::weakly_canonical(path, error) == table)) {
            continue;
        }
        files.push_back(
            {path.string(), path.lexically_relative(folder).string(), each->file_size(), {}});
    }
    if (error) {
        return refuse(folder + " cannot be read: " + error.message());
    }
    std::ranges::sort(files, {}, &IngestFile::name);
    return files;
}

struct Tally {
    std::atomic<std::uint64_t> bytes_sent = 0;
    std::atomic<std::size_t> next = 0;
    std::atomic<std::size_t> uploaded = 0;
    std::atomic<std::size_t> there_already = 0;
    std::atomic<std::size_t> failed = 0;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t workers = 0;           // under `mutex`
    std::vector<std::string> reasons;  // under `mutex`

    [[nodiscard]] std::size_t done() const { return uploaded + there_already + failed; }
};

/// Sees to a file and notes what came of it.
void bring_one(IngestUploader& uploader, IngestFile file, const MetadataByPath& table,
               Tally& tally) {
    const auto fail = [&](std::string reason) {
        ++tally.failed;
        const std::lock_guard lock(tally.mutex);
        tally.reasons.push_back(file.name + ": " + std::move(reason));
    };
    const auto chars = base::utf8_length(file.name);
    if (!chars || *chars > kNameCharsMax) {
        return fail("its path is not valid text of at most 255 characters");
    }
    if (const auto row = table.find(file.name); row != table.end()) {
        file.metadata = row->second;
    } else if (auto sidecar = sidecar_metadata(file.path)) {
        file.metadata = std::move(*sidecar);
    } else {
        return fail(std::string(sidecar.error().value("reason")));
    }
    auto outcome = uploader.bring(file);
    if (!outcome) {
        return fail(outcome.error().detail);
    }
    ++(*outcome == IngestUploader::Outcome::uploaded ? tally.uploaded : tally.there_already);
}

/// The bar, on a terminal; a line now and then elsewhere.
class Progress {
  public:
    Progress(const Tally& tally, std::size_t files)
        : tally_(tally), files_(files), is_terminal_(::isatty(STDERR_FILENO) == 1) {}

    void show(bool last) {
        const auto now = steady_clock::now();
        if (!last && !is_terminal_ && now - shown_ < kLineEvery) {
            return;
        }
        shown_ = now;
        const auto sec = std::chrono::duration<double>(now - begun_).count();
        const auto bytes = static_cast<double>(tally_.bytes_sent);
        constexpr std::size_t kWidth = 30;
        const auto filled = files_ == 0 ? kWidth : kWidth * tally_.done() / files_;
        const auto text = fmt::format("[{}{}] {}/{} files, {:.1f} MB, {:.1f} MB/s, {} failed",
                                      std::string(filled, '#'), std::string(kWidth - filled, '.'),
                                      tally_.done(), files_, bytes / 1e6,
                                      bytes / 1e6 / std::max(sec, 0.001), tally_.failed.load());
        fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\033[K" : "", text,
                   is_terminal_ && !last ? "" : "\n");
        std::fflush(stderr);
    }

  private:
    const Tally& tally_;
    std::size_t files_;
    bool is_terminal_;
    steady_clock::time_point begun_ = steady_clock::now();
    steady_clock::time_point shown_ = begun_;
};

void run_workers(const IngestTarget& target, KnownAssets& known,
                 const std::vector<IngestFile>& files, const MetadataByPath& table, Tally& tally,
                 int parallel) {
    tally.workers = static_cast<std::size_t>(parallel);
    std::vector<std::thread> threads;
    threads.reserve(tally.workers);
    for (int i = 0; i < parallel; ++i) {
        threads.emplace_back([&] {
            IngestUploader uploader(target, known, tally.bytes_sent, interrupted);
            while (!interrupted) {
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
    Progress progress(tally, files.size());
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

base::Result<int> ingest(const config::Config& config) {
    MetadataByPath table;
    if (!config.ingest_metadata.empty()) {
        KN_TRY(text, read_text(config.ingest_metadata, kTableBytesMax));
        KN_TRY(rows, parse_metadata_table(text));
        table = std::move(rows);
    }
    KN_TRY(files, files_below(config.folder, config.ingest_metadata));
    for (const auto& [path, metadata] : table) {
        if (!std::ranges::binary_search(files, path, {}, &IngestFile::name)) {
            return refuse("the table names " + path + ", which is not in " + config.folder);
        }
    }
    IngestTarget target{.base_url = config.ingest_server,
                        .api_key = config.api_key,
                        .enable_hls = config.ingest_hls,
                        .enable_thumbnail = config.ingest_thumbnails,
                        .index_id = config.index_id,
                        .direct_bytes_max = static_cast<std::uint64_t>(config.max_direct_bytes)};
    KnownAssets known;
    {
        fetch::ApiClient client(target.base_url, target.api_key);
        if (auto loaded = known.load(client); !loaded) {
            return refuse(target.base_url + ": " + loaded.error().detail);
        }
    }
    struct sigaction action{};
    action.sa_handler = &interrupt;
    (void)::sigaction(SIGINT, &action, nullptr);
    (void)::sigaction(SIGTERM, &action, nullptr);
    Tally tally;
    run_workers(target, known, files, table, tally, config.ingest_parallel);
    for (const auto& reason : tally.reasons) {
        fmt::print(stderr, "failed: {}\n", reason);
    }
    fmt::print("{} uploaded, {} there already, {} failed, {} not tried\n", tally.uploaded.load(),
               tally.there_already.load(), tally.failed.load(), files.size() - tally.done());
    return tally.done() == files.size() && tally.failed == 0 ? 0 : 1;
}

}  // namespace

int run_ingest(const config::Config& config) {
    auto code = ingest(config);
    return code ? *code : complain(code.error());
}

}  // namespace kinodex::server
