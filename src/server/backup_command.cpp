// kinodex backup: a copy of a data directory as of one moment, also while a server runs.
//
// The database is copied first, in one read transaction; then the media that its rows name, which
// stays in place meanwhile. What is copied is a data directory that `kinodex serve` can use.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

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

namespace fs = std::filesystem;

constexpr std::size_t kOwnersAtOnce = 500;

struct Copied {
    std::int64_t objects = 0;
    std::uint64_t bytes = 0;
};

/// Copies the objects of all owners under `top` that `exist` knows.
template <class Id, class Exist>
base::Status copy_owners(const std::string& top, objects::Objects& from, objects::Objects& to,
                         ObjectHold& hold, Copied& copied, Exist exist) {
    KN_TRY(names, wait_for(from.list_owners(top)));
    std::vector<Id> ids;
    for (const auto& name : names) {
        if (const auto id = Id::parse(name)) {
            ids.push_back(*id);
        }
    }
    MediaCopy source(from);
    for (std::size_t begin = 0; begin < ids.size(); begin += kOwnersAtOnce) {
        const auto end = std::min(ids.size(), begin + kOwnersAtOnce);
        const std::vector<Id> batch(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                    ids.begin() + static_cast<std::ptrdiff_t>(end));
        KN_TRY(known, wait_for(exist(batch)));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (!known[i]) {
                continue;  // made after the moment of the copy
            }
            const auto prefix = top + "/" + batch[i].text() + "/";
            KN_TRY(keys, list_whole(from, prefix));
            for (const auto& key : keys) {
                KN_PASS(check_stop());
                KN_TRY(object, wait_for(from.open(key)));
                KN_TRY(draft, wait_for(to.create()));
                KN_PASS(copy_bytes(object->fd(), draft->fd(), object->size_bytes(), key));
                KN_PASS(wait_for(draft->commit(key)));
                KN_PASS(hold.check());
                ++copied.objects;
                copied.bytes += object->size_bytes();
            }
        }
    }
    return {};
}

base::Status copy_media(store::Store& snapshot, objects::Objects& from, objects::Objects& to,
                        ObjectHold& hold, Copied& copied) {
    KN_PASS(copy_owners<domain::AssetId>(
        "assets", from, to, hold, copied,
        [&](std::vector<domain::AssetId> ids) { return snapshot.assets_exist(std::move(ids)); }));
    return copy_owners<domain::IndexedAssetId>(
        "indexed", from, to, hold, copied, [&](std::vector<domain::IndexedAssetId> ids) {
            return snapshot.indexed_assets_exist(std::move(ids));
        });
}

/// In the copy, where it counts.
base::Status check_sources(store::Store& snapshot, objects::Objects& copies, SourceCheck& check) {
    std::int64_t after = 0;
    while (true) {
        KN_PASS(check_stop());
        KN_TRY(ready, wait_for(snapshot.transfer().ready_sources(after, kOwnersAtOnce)));
        if (ready.sources.empty()) {
            return {};
        }
        after = ready.last;
        for (const auto& each : ready.sources) {
            const auto key = "assets/" + each.asset.text() + "/source";
            auto object = wait_for(copies.open(key));
            if (!object && object.error().code != base::Errc::resource_not_exist) {
                return std::unexpected(std::move(object).error());
            }
            check.look({key, each.size_bytes},
                       object ? std::optional((*object)->size_bytes()) : std::nullopt);
        }
    }
}

base::Status copy_key(const DataDir& from, const std::string& to) {
    const auto source = from.path + "/media.key";
    const auto target = to + "/media.key";
    std::error_code error;
    if (!fs::exists(source, error)) {
        return {};  // no server has run here yet
    }
    fs::copy_file(source, target, error);
    if (error) {
        return objects::io_fail("copy to", target, error.value());
    }
    const base::UniqueFd fd(::open(target.c_str(), O_RDONLY | O_CLOEXEC));
    return fd ? objects::sync_file(fd.get(), target) : objects::io_fail("open", target, errno);
}

base::Result<int> back_up(store::Store& store, const config::Config& config) {
    KN_TRY(dir, open_data_dir(config.data_dir, Use::existing));
    KN_TRY(folder, NewFolder::begin(config.folder));
    KN_TRY(target, open_data_dir(folder.draft(), Use::shared));
    runtime::Lane disk("disk", 2, 16);
    KN_TRY(from, objects::open_directory_objects(dir.media(), disk));
    KN_TRY(to, objects::open_directory_objects(target.media(), disk));
    KN_TRY(hold, ObjectHold::take(store));
    KN_PASS(wait_for(store.transfer().copy_to(target.database())));
    Copied copied;
    SourceCheck sources;
    {
        store::SqliteOptions options;
        options.path = target.database();
        options.with_listings = false;
        KN_TRY(snapshot, store::open_sqlite_store(std::move(options)));
        // The hold was copied too; in the copy nobody would let go of it.
        KN_PASS(hold.forget_in(*snapshot));
        // Their chunks change while they are copied, so sessions do not go on in the copy.
        KN_PASS(wait_for(snapshot->uploads().end_active_uploads(base::now())));
        KN_PASS(copy_media(*snapshot, *from, *to, hold, copied));
        KN_PASS(check_sources(*snapshot, *to, sources));
        snapshot->close();
    }
    KN_PASS(copy_key(dir, target.path));
    KN_PASS(objects::sync_directory(target.path));
    KN_PASS(folder.finish());
    KN_PASS(objects::sync_directory(
        fs::absolute(folder.path()).lexically_normal().parent_path().string()));
    fmt::print("backed up to {}: {} objects, {} bytes of media\n", folder.path(), copied.objects,
               copied.bytes);
    return sources.report();
}

}  // namespace

int run_backup(const config::Config& config) {
    watch_stop_signals();
    return with_store(config, [&config](store::Store& store) {
        auto code = back_up(store, config);
        return code ? *code : exit_code_of(code.error());
    });
}

}  // namespace kinodex::server
