// kinodex import: a folder that export wrote, into the data directory of a server that is stopped.
//
// First it looks whether the folder is whole and its rows find room: what it refuses then has
// changed nothing. Then come media, rows, and a comparison of everything with the folder. It can be
// run again after a failure: what is there already, and equal, is left alone.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "objects/directory/directory_objects.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/data_dir.h"
#include "server/export_folder.h"
#include "server/media_copy.h"
#include "server/source_check.h"
#include "server/wait_for.h"
#include "service/keys.h"
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

    /// Changes nothing. `account`: one that has no rows yet, where the folder's is to be made.
    base::Status check(const ExportNote& note, domain::AccountId account) {
        KN_PASS(check_sums());
        KN_PASS(check_media());
        const auto objects = std::ranges::count_if(
            sums_, [](const auto& sum) { return sum.first.starts_with(kMedia); });
        KN_PASS(check_count("objects", objects, note.objects));
        auto expected = note.rows;
        for (const auto& kind : transfer_.row_kinds()) {
            std::int64_t rows = 0;
            KN_PASS(for_each_batch(kind, [&](std::vector<std::string> lines) -> base::Status {
                rows += static_cast<std::int64_t>(lines.size());
                if (kind == "assets") {
                    KN_PASS(check_sources(lines));
                }
                KN_PASS(wait_for(transfer_.check_rows(kind, account, std::move(lines))));
                return {};
            }));
            KN_PASS(check_count(kind, rows, expected[kind]));
            expected.erase(kind);
        }
        return expected.empty() ? base::Status{}
                                : refuse_export("it has rows of " + expected.begin()->first +
                                                ": a newer kinodex wrote it");
    }

    base::Status run(domain::AccountId account) {
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

    /// The exit code.
    [[nodiscard]] int report() const {
        fmt::print(
            "imported and equal: {} rows ({} were there before), {} objects ({} were there "
            "before), {} bytes\n",
            rows_, rows_there_before_, objects_read_, objects_there_before_, bytes_);
        return sources_.report();
    }

  private:
    /// Every file of rows is as it was exported.
    base::Status check_sums() {
        if (!sums_.contains("export.json")) {
            return refuse_export(folder_ + "/SHA256SUMS is not whole");
        }
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

    /// Every object is there; its bytes are checked when they are read.
    base::Status check_media() {
        for (const auto& [path, sum] : sums_) {
            std::error_code error;
            if (path.starts_with(kMedia) &&
                !std::filesystem::is_regular_file(folder_ + "/" + path, error)) {
                return refuse_export(folder_ + "/" + path + " is missing: it is not whole");
            }
        }
        return {};
    }

    /// An export of a damaged store is whole when all that was left of it is there.
    base::Status check_sources(const std::vector<std::string>& lines) {
        for (const auto& line : lines) {
            KN_TRY(expected, expected_source(line));
            if (!expected) {
                continue;
            }
            const auto path = std::string(kMedia) + expected->key;
            std::optional<std::uint64_t> found;
            if (sums_.contains(path)) {
                std::error_code error;
                found = std::filesystem::file_size(folder_ + "/" + path, error);
                if (error) {
                    return refuse_export(folder_ + "/" + path + " cannot be read");
                }
            }
            sources_.look(*expected, found);
        }
        return {};
    }

    static base::Status check_count(std::string_view what, std::int64_t count,
                                    std::int64_t exported) {
        return count == exported ? base::Status{}
                                 : refuse_export(fmt::format(
                                       "it has {} {}, and {} were exported: it is not whole", count,
                                       what, exported));
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

    /// Every row that was exported is there with the same values.
    base::Status compare(domain::AccountId account) {
        for (const auto& kind : transfer_.row_kinds()) {
            KN_PASS(for_each_batch(kind, [&](std::vector<std::string> lines) -> base::Status {
                const auto count = static_cast<std::int64_t>(lines.size());
                KN_TRY(counts, wait_for(transfer_.check_rows(kind, account, std::move(lines))));
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
    SourceCheck sources_;
    std::int64_t rows_ = 0;
    std::int64_t rows_there_before_ = 0;
    std::int64_t objects_read_ = 0;
    std::int64_t objects_there_before_ = 0;
    std::uint64_t bytes_ = 0;
};

base::Result<int> import_all(const config::Config& config) {
    KN_TRY(note, read_note(config.folder));
    const auto name = config.import_account.empty() ? note.account_name : config.import_account;
    KN_PASS(service::check_key_name("account", name));
    KN_TRY(sums, read_sums(config.folder));
    KN_TRY(dir, open_data_dir(config.data_dir, Use::alone));
    runtime::Lane disk("disk", 2, 16);
    KN_TRY(objects, objects::open_directory_objects(dir.media(), disk));
    store::SqliteOptions options;
    options.path = dir.database();
    options.with_listings = false;
    KN_TRY(store, store::open_sqlite_store(std::move(options)));
    Importer importer(*store, *objects, config.folder, std::move(sums));
    auto known = wait_for(store->transfer().find_account(name));
    if (!known && known.error().code != base::Errc::resource_not_exist) {
        return std::unexpected(std::move(known).error());
    }
    KN_PASS(importer.check(note, known.value_or(domain::AccountId::next())));
    KN_TRY(account, wait_for(store->transfer().make_account(name)));
    KN_PASS(importer.run(account));
    store->close();
    return importer.report();
}

}  // namespace

int run_import(const config::Config& config) {
    auto code = import_all(config);
    return code ? *code : complain(code.error());
}

}  // namespace kinodex::server
