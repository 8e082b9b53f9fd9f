#include "objects/directory/draft.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/id.h"
#include "objects/directory/file_ops.h"
#include "runtime/pending.h"

namespace kinodex::objects {
namespace {

// Write-back starts early, so that the final fsync finds little left to do: at 190 MB this turns
// most of the fsync's wait into time that the network takes anyway.
constexpr std::uint64_t kWritebackBytes = 1024 * 1024;

struct DraftFile {
    std::string root;
    std::string path;
    base::UniqueFd fd;
    std::uint64_t size = 0;
    std::uint64_t writeback_from = 0;
    bool synced = false;
    bool committed = false;

    base::Status append(std::span<const std::byte> bytes) {
        KN_PASS(write_all(fd.get(), bytes, path));
        size += bytes.size();
        synced = false;
        if (size - writeback_from >= kWritebackBytes) {
            // A hint only: fsync reports what goes wrong.
            (void)::sync_file_range(fd.get(), static_cast<off64_t>(writeback_from),
                                    static_cast<off64_t>(size - writeback_from),
                                    SYNC_FILE_RANGE_WRITE);
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

    base::Status commit(const std::string& key) {
        const auto target = object_path(root, key);
        if (!target || committed) {
            return base::fail(base::Errc::internal, {}, "cannot commit a draft as '" + key + "'");
        }
        synced = false;  // a media child may have written through the descriptor
        KN_PASS(sync());
        const auto folder = target->substr(0, target->rfind('/'));
        KN_PASS(make_directory(folder.substr(0, folder.rfind('/'))));
        KN_PASS(make_directory(folder));
        if (std::rename(path.c_str(), target->c_str()) != 0) {
            return io_fail("rename", *target, errno);
        }
        committed = true;
        return sync_directory(folder);
    }
};

class DirectoryDraft final : public Draft {
  public:
    DirectoryDraft(std::shared_ptr<DraftFile> file, runtime::Lane& lane)
        : file_(std::move(file)), lane_(lane) {}

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
        KN_CO_PASS(co_await settle());
        size_ += bytes.size();
        auto work = [file = file_, bytes, owner = std::move(owner)] { return file->append(bytes); };
        writing_ = runtime::Pending<void>::start(lane_, std::move(work));
        co_return base::Status{};
    }
    Asked<void> settle() override {
        if (writing_.is_started()) {
            co_return co_await writing_.wait();
        }
        co_return base::Status{};
    }
    std::uint64_t size_bytes() const override { return size_; }
    int fd() const override { return file_->fd.get(); }
    Asked<void> sync() override {
        KN_CO_PASS(co_await settle());
        auto work = [file = file_] { return file->sync(); };
        co_return co_await lane_.run<void>(std::move(work));
    }
    Asked<void> commit(std::string key) override {
        KN_CO_PASS(co_await settle());
        auto work = [file = file_, key = std::move(key)] { return file->commit(key); };
        co_return co_await lane_.run<void>(std::move(work));
    }

  private:
    std::shared_ptr<DraftFile> file_;
    runtime::Lane& lane_;
    runtime::Pending<void> writing_;
    std::uint64_t size_ = 0;
};

bool is_name(std::string_view text) {
    return !text.empty() && text[0] != '.' &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") ==
               std::string_view::npos;
}

}  // namespace

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

base::Result<std::unique_ptr<Draft>> create_draft(const std::string& root, runtime::Lane& lane) {
    auto file = std::make_shared<DraftFile>();
    file->root = root;
    file->path = root + "/drafts/" + base::id_text(base::next_id_bytes());
    file->fd.reset(::open(file->path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file->fd) {
        return io_fail("create", file->path, errno);
    }
    return std::make_unique<DirectoryDraft>(std::move(file), lane);
}

}  // namespace kinodex::objects
