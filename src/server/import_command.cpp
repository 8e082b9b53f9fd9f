// kinodex import: a folder that export wrote, into the data directory of a server that is stopped.
//
// Media comes first, then rows, then a comparison of everything with the folder. It can be run
// again after a failure: what is there already, and equal, is left alone.
#include <fmt/format.h>

#include <fstream>

#include "objects/directory/directory_objects.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/data_dir.h"
#include "server/export_folder.h"
#include "server/media_copy.h"
#include "server/wait_for.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {
namespace {

constexpr std::size_t kRowsAtOnce = 500;
constexpr std::string_view kMedia = "media/";

class Importer {
  public:
    Importer(store::Store& store, objects::Objects& objects, std::string folder, Sums sums)
        : transfer_(store.transfer()),
          objects_(objects),
          folder_(std::move(folder)),
          sums_(std::move(sums)),
          copy_(objects) {}

    base::Status run(domain::AccountId account) {
        KN_PASS(check_rows());
        KN_PASS(read_media());
        for (const auto& kind : transfer_.row_kinds()) {
            KN_PASS(for_each_batch(kind, [&](std::vector<std::string> lines) -> base::Status {
                const auto count = static_cast<std::int64_t>(lines.size());
                KN_TRY(counts, wait_for(transfer_.import_rows(kind, account, std::move(lines))));
                rows_ += count;
                rows_there_before_ += counts.there_before;
                return {};
            }));
        }
        KN_PASS(compare(account));
        return wait_for(transfer_.queue_unfinished(account));
    }

    void report() const {
        fmt::print(
            "imported and equal: {} rows ({} were there before), {} objects ({} were there "
            "before), {} bytes\n",
            rows_, rows_there_before_, objects_read_, objects_there_before_, bytes_);
    }

  private:
    /// Every file of rows is as it was exported, before anything is changed.
    base::Status check_rows() {
        for (const auto& [path, expected] : sums_) {
            if (path.starts_with(kMedia)) {
                continue;
            }
            KN_TRY(digest, hash_file(folder_ + "/" + path));
            if (digest != expected) {
                return refuse_export(folder_ + "/" + path +
                                     " is not what was exported: its SHA-256 differs");
            }
        }
        return {};
    }

    base::Status read_media() {
        for (const auto& [path, expected] : sums_) {
            if (!path.starts_with(kMedia)) {
                continue;
            }
            const auto key = path.substr(kMedia.size());
            KN_TRY(there, wait_for(objects_.exists(key)));
            if (there) {
                ++objects_there_before_;  // compared below
            } else {
                KN_PASS(copy_.read_file(folder_ + "/" + path, key, expected));
            }
            // From the store, not from what was just sent to it.
            KN_TRY(stored, copy_.hash(key));
            if (stored.sha256 != expected) {
                return refuse_export("the object " + key + " of the store is another");
            }
            ++objects_read_;
            bytes_ += stored.size_bytes;
        }
        return {};
    }

    template <class Work>
    base::Status for_each_batch(const std::string& kind, Work work) {
        const auto name = kind + ".jsonl";
        if (!sums_.contains(name)) {
            return {};  // an older program did not know them
        }
        std::ifstream file(folder_ + "/" + name);
        std::vector<std::string> lines;
        std::string line;
        while (std::getline(file, line)) {
            lines.push_back(std::move(line));
            if (lines.size() == kRowsAtOnce) {
                KN_PASS(work(std::exchange(lines, {})));
            }
        }
        if (file.bad()) {
            return refuse_export(folder_ + "/" + name + " cannot be read");
        }
        return lines.empty() ? base::Status{} : work(std::move(lines));
    }

    /// Every row that was exported is there with the same values: importing again changes nothing.
    base::Status compare(domain::AccountId account) {
        for (const auto& kind : transfer_.row_kinds()) {
            KN_PASS(for_each_batch(kind, [&](std::vector<std::string> lines) -> base::Status {
                const auto count = static_cast<std::int64_t>(lines.size());
                KN_TRY(counts, wait_for(transfer_.import_rows(kind, account, std::move(lines))));
                return counts.there_before == count
                           ? base::Status{}
                           : refuse_export("a row of " + kind + " did not arrive");
            }));
        }
        return {};
    }

    store::TransferStore& transfer_;
    objects::Objects& objects_;
    std::string folder_;
    Sums sums_;
    MediaCopy copy_;
    std::int64_t rows_ = 0;
    std::int64_t rows_there_before_ = 0;
    std::int64_t objects_read_ = 0;
    std::int64_t objects_there_before_ = 0;
    std::uint64_t bytes_ = 0;
};

base::Status import_all(const config::Config& config) {
    KN_TRY(note, read_note(config.folder));
    KN_TRY(sums, read_sums(config.folder));
    KN_TRY(dir, open_data_dir(config.data_dir, Use::alone));
    runtime::Lane disk("disk", 2, 16);
    KN_TRY(objects, objects::open_directory_objects(dir.media(), disk));
    store::SqliteOptions options;
    options.path = dir.database();
    options.with_listings = false;
    KN_TRY(store, store::open_sqlite_store(std::move(options)));
    const auto name = config.import_account.empty() ? note.account_name : config.import_account;
    KN_TRY(account, wait_for(store->transfer().make_account(name)));
    Importer importer(*store, *objects, config.folder, std::move(sums));
    KN_PASS(importer.run(account));
    store->close();
    importer.report();
    return {};
}

}  // namespace

int run_import(const config::Config& config) {
    auto done = import_all(config);
    return done ? 0 : complain(done.error());
}

}  // namespace kinodex::server
