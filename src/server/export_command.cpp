// kinodex export: one account, or one index of it, as a folder; also while a server runs.
//
// Rows are read from a copy of the database of one moment; media stays in place meanwhile, so what
// the rows name is there however much is deleted. The folder gets its name when it is whole.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "objects/directory/directory_objects.h"
#include "objects/directory/file_ops.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/data_dir.h"
#include "server/export_folder.h"
#include "server/media_copy.h"
#include "server/new_folder.h"
#include "server/object_hold.h"
#include "server/source_check.h"
#include "server/stop_signal.h"
#include "server/wait_for.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {
namespace {

constexpr std::int64_t kRowsAtOnce = 1'000;

class Exporter {
  public:
    Exporter(store::Store& snapshot, objects::Objects& objects, ObjectHold& hold,
             std::string folder)
        : snapshot_(snapshot),
          objects_(objects),
          hold_(hold),
          folder_(std::move(folder)),
          copy_(objects) {}

    base::Status run(const store::ExportScope& scope) {
        for (const auto& kind : snapshot_.transfer().row_kinds()) {
            KN_PASS(write_rows(kind, scope));
        }
        KN_PASS(write_text(folder_ + "/export.json", note_json(note)));
        KN_TRY(digest, hash_file(folder_ + "/export.json"));
        sums_["export.json"] = digest;
        return write_text(folder_ + "/SHA256SUMS", sums_text(sums_));
    }

    ExportNote note;
    SourceCheck sources;

  private:
    base::Status write_rows(const std::string& kind, const store::ExportScope& scope) {
        const auto name = kind + ".jsonl";
        std::FILE* raw = std::fopen((folder_ + "/" + name).c_str(), "wxe");
        if (raw == nullptr) {
            return objects::io_fail("create", name, errno);
        }
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(raw, &std::fclose);
        auto& written = note.rows[kind];  // also when there are none
        std::int64_t after = 0;
        while (true) {
            KN_PASS(check_stop());
            KN_TRY(rows,
                   wait_for(snapshot_.transfer().export_rows(kind, scope, after, kRowsAtOnce)));
            if (rows.lines.empty()) {
                break;
            }
            after = rows.last;
            for (const auto& line : rows.lines) {
                KN_PASS(write_objects(kind, line));
                if (std::fputs((line + "\n").c_str(), file.get()) < 0) {
                    return objects::io_fail("write", name, errno);
                }
            }
            written += static_cast<std::int64_t>(rows.lines.size());
        }
        if (std::fflush(file.get()) != 0) {
            return objects::io_fail("write", name, errno);
        }
        KN_TRY(digest, hash_file(folder_ + "/" + name));
        sums_[name] = digest;
        return {};
    }

    /// The objects that belong to a row: every line begins with its id.
    base::Status write_objects(const std::string& kind, const std::string& line) {
        constexpr std::string_view kBegin = "{\"id\":\"";
        const auto top = kind == "assets" ? "assets/" : kind == "indexed_assets" ? "indexed/" : "";
        if (*top == '\0') {
            return {};
        }
        const auto prefix = top + line.substr(kBegin.size(), 24) + "/";
        KN_TRY(keys, list_whole(objects_, prefix));
        std::optional<std::uint64_t> source_bytes;
        for (const auto& key : keys) {
            KN_PASS(check_stop());
            const auto path = "media/" + key;
            KN_TRY(copied, copy_.write_file(key, folder_ + "/" + path));
            KN_PASS(hold_.check());
            sums_[path] = copied.sha256;
            ++note.objects;
            note.bytes += static_cast<std::int64_t>(copied.size_bytes);
            if (key == prefix + "source") {
                source_bytes = copied.size_bytes;
            }
        }
        if (kind == "assets") {
            KN_TRY(expected, expected_source(line));
            if (expected) {
                sources.look(*expected, source_bytes);
            }
        }
        return {};
    }

    store::Store& snapshot_;
    objects::Objects& objects_;
    ObjectHold& hold_;
    std::string folder_;
    MediaCopy copy_;
    Sums sums_;
};

base::Result<store::ExportScope> scope_of(store::Store& snapshot, const config::Config& config) {
    auto account = wait_for(snapshot.transfer().find_account(config.account));
    if (!account) {
        return refuse_export("there is no account '" + config.account + "'");
    }
    store::ExportScope scope{*account, std::nullopt};
    if (!config.index_id.empty()) {
        const auto index = domain::IndexId::parse(config.index_id);
        if (!index || !wait_for(snapshot.find_index(*account, *index))) {
            return refuse_export("there is no index " + config.index_id + " in account '" +
                                 config.account + "'");
        }
        scope.index = *index;
    }
    return scope;
}

base::Result<int> export_all(store::Store& store, const config::Config& config) {
    KN_TRY(dir, open_data_dir(config.data_dir, Use::existing));
    KN_TRY(folder, NewFolder::begin(config.folder));
    runtime::Lane disk("disk", 1, 16);
    KN_TRY(objects, objects::open_directory_objects(dir.media(), disk));
    KN_TRY(hold, ObjectHold::take(store));
    const auto copy = folder.draft() + "/snapshot.db";
    KN_PASS(wait_for(store.transfer().copy_to(copy)));
    ExportNote note;
    SourceCheck sources;
    {
        store::SqliteOptions options;
        options.path = copy;
        options.with_listings = false;
        KN_TRY(snapshot, store::open_sqlite_store(std::move(options)));
        KN_TRY(scope, scope_of(*snapshot, config));
        Exporter exporter(*snapshot, *objects, hold, folder.draft());
        exporter.note.account_name = config.account;
        exporter.note.index_id = config.index_id;
        KN_PASS(exporter.run(scope));
        note = std::move(exporter.note);
        sources = std::move(exporter.sources);
        snapshot->close();
    }
    for (const char* end : {"", "-wal", "-shm"}) {
        ::unlink((copy + end).c_str());
    }
    KN_PASS(folder.finish());
    fmt::print("exported to {}:", folder.path());
    for (const auto& [kind, count] : note.rows) {
        fmt::print(" {} {},", count, kind);
    }
    fmt::print(" {} objects, {} bytes\n", note.objects, note.bytes);
    return sources.report();
}

}  // namespace

int run_export(const config::Config& config) {
    watch_stop_signals();
    return with_store(config, [&config](store::Store& store) {
        auto code = export_all(store, config);
        return code ? *code : exit_code_of(code.error());
    });
}

}  // namespace kinodex::server
