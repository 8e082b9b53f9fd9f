#include "objects/directory/draft.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "base/id.h"
#include "objects/directory/file_ops.h"
#include "objects/directory/write_behind.h"
#include "runtime/pending.h"

namespace kinodex::objects {
namespace {

struct DraftFile {
    std::string root;
    std::shared_ptr<Shards> shards;  // shared with the store and its other drafts
    std::string path;
    base::UniqueFd fd;
    base::UniqueFd read_fd;
    std::uint64_t size = 0;
    std::uint64_t writeback_from = 0;
    bool synced = false;
    bool committed = false;

    base::Status append(std::span<const std::byte> bytes) {
        KN_PASS(write_all(fd.get(), bytes, path));
        size += bytes.size();
        synced = false;
        if (size - writeback_from >= kWritebackBytes) {
            begin_writeback(fd.get(), writeback_from, size - writeback_from);
            writeback_from = size;
        }
        return {};
    }

    base::Status sync() {
        if (!synced) {
            KN_PASS(sync_file(fd.get(), path));
            synced = true;
        }
        return {};
    }

    base::Status move_to(const std::string& target) {
        if (std::rename(path.c_str(), target.c_str()) != 0) {
            return io_fail("rename", target, errno);
        }
        committed = true;
        return {};
    }
};

/// A file and the key that it gets.
struct Move {
    std::shared_ptr<DraftFile> file;
    std::string key;
};

/// Files first, then their names, then the folders that hold the names: nothing is visible before
/// it is whole. The folders come together at the end, for a file system that writes its journal at
/// each sync then writes it once for all of them.
base::Status place(const std::vector<Move>& moves) {
    std::vector<std::string> targets;
    std::set<std::string> changed;
    for (const auto& [file, key] : moves) {
        const auto target = object_path(file->root, key);
        if (!target || file->committed) {
            return base::fail(base::Errc::internal, {}, "cannot commit a draft as '" + key + "'");
        }
        KN_PASS(make_folders(*file->shards, *target, changed));
        targets.push_back(*target);
    }
    for (const auto& move : moves) {
        KN_PASS(move.file->sync());
    }
    for (std::size_t i = 0; i < moves.size(); ++i) {
        KN_PASS(moves[i].file->move_to(targets[i]));
    }
    for (const auto& folder : changed) {
        KN_PASS(sync_directory(folder));
    }
    for (std::size_t i = 0; i < moves.size(); ++i) {
        moves[i].file->shards->add_synced(folder_of(folder_of(targets[i])));
    }
    return {};
}

class DirectoryDraft final : public Draft {
  public:
    DirectoryDraft(std::shared_ptr<DraftFile> file, runtime::Lane& lane)
        : file_(std::move(file)), lane_(lane) {
        auto write = [file = file_](std::span<const std::byte> bytes) {
            return file->append(bytes);
        };
        behind_ = std::make_shared<WriteBehind>(lane, std::move(write));
    }

    ~DirectoryDraft() override {
        if (file_->committed) {
            return;
        }
        // Freeing a large file can take a while, so it happens on the lane. Should the lane be
        // full or gone, the sweep at the next start removes the draft.
        auto file = file_;
        (void)lane_.post([file] { ::unlink(file->path.c_str()); });
    }

    Asked<void> append(std::span<const std::byte> bytes) override {
        KN_CO_PASS(co_await settle());
        size_ += bytes.size();
        auto work = [file = file_, bytes] { return file->append(bytes); };
        co_return co_await lane_.run<void>(std::move(work));
    }
    Asked<void> append_behind(std::span<const std::byte> bytes,
                              std::shared_ptr<const void> owner) override {
        size_ += bytes.size();
        co_return co_await behind_->add({bytes, std::move(owner)});
    }
    Asked<void> settle() override { co_return co_await behind_->settle(); }
    std::uint64_t size_bytes() const override { return size_; }
    int fd() const override { return file_->fd.get(); }
    int read_fd() const override { return file_->read_fd.get(); }
    Asked<void> sync_behind() override {
        KN_CO_PASS(co_await settle());
        auto work = [file = file_] { return file->sync(); };
        syncing_ = runtime::Pending<void>::start(lane_, std::move(work));
        co_return base::Status{};
    }
    Asked<void> commit(std::string key) override {
        KN_CO_PASS(co_await finish_writing());
        std::vector<Move> moves{{file_, std::move(key)}};
        auto work = [moves = std::move(moves)] { return place(moves); };
        co_return co_await lane_.run<void>(std::move(work));
    }

    [[nodiscard]] const std::shared_ptr<DraftFile>& file() const { return file_; }
    /// Nothing of it is under way any more.
    Asked<void> finish_writing() {
        KN_CO_PASS(co_await settle());
        if (syncing_.is_started()) {
            co_return co_await syncing_.wait();
        }
        co_return base::Status{};
    }

  private:
    std::shared_ptr<DraftFile> file_;
    runtime::Lane& lane_;
    std::shared_ptr<WriteBehind> behind_;  // shared with the lane while it writes
    runtime::Pending<void> syncing_;
    std::uint64_t size_ = 0;
};

bool is_name(std::string_view text) {
    return !text.empty() && text[0] != '.' &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
               std::string_view::npos;
}

}  // namespace

base::Status make_folders(Shards& shards, const std::string& target,
                          std::set<std::string>& changed) {
    const auto owner = folder_of(target);
    const auto shard = folder_of(owner);
    changed.insert(owner);
    if (!shards.is_synced(shard)) {
        KN_PASS(make_directory(shard));
        changed.insert(folder_of(shard));
        changed.insert(shard);  // a process that was killed may have left owners in it
    }
    KN_TRY(is_new, make_directory(owner));
    if (is_new) {
        changed.insert(shard);
    }
    return {};
}

std::optional<std::string> owner_path(const std::string& root, std::string_view prefix) {
    const auto slash = prefix.find('/');
    if (slash == std::string_view::npos || !prefix.ends_with('/')) {
        return std::nullopt;
    }
    const auto top = prefix.substr(0, slash);
    const auto owner = prefix.substr(slash + 1, prefix.size() - slash - 2);
    if ((top != "assets" && top != "indexed") || !base::parse_id_bytes(owner)) {
        return std::nullopt;
    }
    std::string path = root;
    path.append("/").append(top).append("/").append(owner.substr(22)).append("/").append(owner);
    return path;
}

std::optional<std::string> object_path(const std::string& root, std::string_view key) {
    const auto slash = key.rfind('/');
    if (slash == std::string_view::npos || !is_name(key.substr(slash + 1))) {
        return std::nullopt;
    }
    auto path = owner_path(root, key.substr(0, slash + 1));
    if (path) {
        path->append("/").append(key.substr(slash + 1));
    }
    return path;
}

base::Result<std::unique_ptr<Draft>> create_draft(const std::string& root,
                                                  std::shared_ptr<Shards> shards,
                                                  runtime::Lane& lane) {
    auto file = std::make_shared<DraftFile>();
    file->root = root;
    file->shards = std::move(shards);
    file->path = root + "/drafts/" + base::id_text(base::next_id_bytes());
    file->fd.reset(::open(file->path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file->fd) {
        return io_fail("create", file->path, errno);
    }
    file->read_fd.reset(::open(file->path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file->read_fd) {
        const int error = errno;
        ::unlink(file->path.c_str());
        return io_fail("open", file->path, error);
    }
    return std::make_unique<DirectoryDraft>(std::move(file), lane);
}

Asked<void> commit_drafts(std::vector<Placing> placings, runtime::Lane& lane) {
    std::vector<Move> moves;
    for (auto& placing : placings) {
        auto* draft = dynamic_cast<DirectoryDraft*>(placing.draft.get());
        if (draft == nullptr) {
            co_return base::fail(base::Errc::internal, {}, "a draft of another store");
        }
        KN_CO_PASS(co_await draft->finish_writing());
        moves.push_back({draft->file(), std::move(placing.key)});
    }
    auto work = [moves = std::move(moves)] { return place(moves); };
    co_return co_await lane.run<void>(std::move(work));
}

}  // namespace kinodex::objects
