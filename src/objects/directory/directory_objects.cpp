#include "objects/directory/directory_objects.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "objects/directory/draft.h"
#include "objects/directory/file_ops.h"
#include "objects/directory/parts.h"

namespace kinodex::objects {
namespace {

namespace fs = std::filesystem;
using base::Errc;

std::unexpected<base::Error> missing(const std::string& key) {
    return base::fail(Errc::resource_not_exist,
                      {{"resource_id", key}, {"collection_name", "objects"}});
}

struct OpenFile {
    base::UniqueFd fd;
    std::uint64_t size = 0;
    std::string path;
};

base::Result<std::shared_ptr<OpenFile>> open_file(const std::string& root, const std::string& key) {
    const auto path = object_path(root, key);
    if (!path) {
        return missing(key);
    }
    auto file = std::make_shared<OpenFile>();
    file->path = *path;
    const int fd = ::open(path->c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? missing(key) : io_fail("open", *path, errno);
    }
    file->fd.reset(fd);
    struct stat info{};
    if (::fstat(file->fd.get(), &info) != 0) {
        return io_fail("stat", *path, errno);
    }
    file->size = static_cast<std::uint64_t>(info.st_size);
    return file;
}

class DirectoryObject final : public Object {
  public:
    DirectoryObject(std::shared_ptr<OpenFile> file, runtime::Lane& lane)
        : file_(std::move(file)), lane_(lane) {}
    std::uint64_t size_bytes() const override { return file_->size; }
    int fd() const override { return file_->fd.get(); }
    Asked<void> read(std::uint64_t offset, std::span<std::byte> into) override {
        auto work = [file = file_, offset, into] {
            return read_exactly(file->fd.get(), offset, into, file->path);
        };
        co_return co_await lane_.run<void>(std::move(work));
    }

  private:
    std::shared_ptr<OpenFile> file_;
    runtime::Lane& lane_;
};

base::Result<std::vector<std::string>> owners(const std::string& root, const std::string& top) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& shard : fs::directory_iterator(fs::path(root) / top, error)) {
        for (const auto& owner : fs::directory_iterator(shard.path(), error)) {
            names.push_back(owner.path().filename().string());
        }
    }
    if (error) {
        return io_fail("list", root + "/" + top, error.value());
    }
    return names;
}

base::Result<std::vector<std::string>> keys_of(const std::string& root, const std::string& prefix) {
    std::vector<std::string> keys;
    const auto folder = owner_path(root, prefix);
    if (!folder) {
        return base::fail(Errc::internal, {}, "not an owner's prefix: '" + prefix + "'");
    }
    std::error_code error;
    for (const auto& file : fs::directory_iterator(*folder, error)) {
        const auto name = file.path().filename().string();
        if (!name.starts_with('.')) {  // an object that is still in parts
            keys.push_back(prefix + name);
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return io_fail("list", *folder, error.value());
    }
    std::ranges::sort(keys);
    return keys;
}

base::Result<SweepReport> sweep_drafts(const std::string& root) {
    SweepReport report;
    std::error_code error;
    for (const auto& draft : fs::directory_iterator(root + "/drafts", error)) {
        const auto size = draft.file_size(error);
        if (fs::remove(draft.path(), error)) {
            ++report.drafts_removed;
            report.bytes_removed += size;
        }
    }
    if (error) {
        return io_fail("sweep", root + "/drafts", error.value());
    }
    return report;
}

class DirectoryObjects final : public Objects {
  public:
    DirectoryObjects(std::string root, runtime::Lane& lane)
        : root_(std::move(root)), shards_(std::make_shared<Shards>()), lane_(lane) {}

    Asked<std::unique_ptr<Draft>> create() override {
        auto work = [root = root_, shards = shards_, &lane = lane_] {
            return create_draft(root, shards, lane);
        };
        co_return co_await lane_.run<std::unique_ptr<Draft>>(std::move(work));
    }

    Asked<void> open_parts(std::string key, std::uint64_t size_bytes) override {
        auto work = [root = root_, shards = shards_, key = std::move(key), size_bytes] {
            return make_parts_file(root, *shards, key, size_bytes);
        };
        co_return co_await lane_.run<void>(std::move(work));
    }

    Asked<std::unique_ptr<Part>> write_part(std::string key, PartSpan span) override {
        auto work = [this, key = std::move(key), span] {
            return open_part(root_, key, span, places_, lane_);
        };
        co_return co_await lane_.run<std::unique_ptr<Part>>(std::move(work));
    }

    Asked<void> join_parts(std::string key) override {
        auto work = [root = root_, key = std::move(key)] { return join_parts_file(root, key); };
        co_return co_await lane_.run<void>(std::move(work));
    }

    Asked<void> commit_all(std::vector<Placing> placings) override {
        co_return co_await commit_drafts(std::move(placings), lane_);
    }

    Asked<std::shared_ptr<Object>> open(std::string key) override {
        auto work = [root = root_, &lane = lane_,
                     key = std::move(key)]() -> base::Result<std::shared_ptr<Object>> {
            KN_TRY(file, open_file(root, key));
            return std::make_shared<DirectoryObject>(std::move(file), lane);
        };
        co_return co_await lane_.run<std::shared_ptr<Object>>(std::move(work));
    }

    Asked<std::string> read_all(std::string key, std::uint64_t limit_bytes) override {
        auto work = [root = root_, key = std::move(key),
                     limit_bytes]() -> base::Result<std::string> {
            KN_TRY(file, open_file(root, key));
            if (file->size > limit_bytes) {
                return base::fail(Errc::body_too_large, {}, file->path + " is too large to read");
            }
            std::string bytes(file->size, '\0');
            KN_PASS(read_exactly(file->fd.get(), 0, std::as_writable_bytes(std::span(bytes)),
                                 file->path));
            return bytes;
        };
        co_return co_await lane_.run<std::string>(std::move(work));
    }

    Asked<void> put(std::string key, std::string bytes) override {
        KN_CO_TRY(draft, co_await create());
        const auto view = std::as_bytes(std::span(bytes));
        KN_CO_PASS(co_await draft->append(view));
        co_return co_await draft->commit(std::move(key));
    }

    Asked<bool> exists(std::string key) override {
        auto work = [root = root_, key = std::move(key)]() -> base::Result<bool> {
            const auto path = object_path(root, key);
            return path && ::access(path->c_str(), F_OK) == 0;
        };
        co_return co_await lane_.run<bool>(std::move(work));
    }

    Asked<void> remove_prefix(std::string prefix) override {
        auto work = [root = root_, prefix = std::move(prefix)]() -> base::Status {
            const auto folder = owner_path(root, prefix);
            if (!folder) {
                return base::fail(Errc::internal, {}, "not an owner's prefix: '" + prefix + "'");
            }
            std::error_code error;
            const auto removed = fs::remove_all(*folder, error);
            if (error) {
                return io_fail("remove", *folder, error.value());
            }
            return removed > 0 ? sync_directory(folder->substr(0, folder->rfind('/')))
                               : base::Status{};
        };
        co_return co_await lane_.run<void>(std::move(work));
    }

    Asked<std::vector<std::string>> list_owners(std::string top) override {
        auto work = [root = root_, top = std::move(top)] { return owners(root, top); };
        co_return co_await lane_.run<std::vector<std::string>>(std::move(work));
    }

    Asked<std::vector<std::string>> list(std::string prefix) override {
        auto work = [root = root_, prefix = std::move(prefix)] { return keys_of(root, prefix); };
        co_return co_await lane_.run<std::vector<std::string>>(std::move(work));
    }

    Asked<SweepReport> sweep() override {
        auto work = [root = root_] { return sweep_drafts(root); };
        co_return co_await lane_.run<SweepReport>(std::move(work));
    }

    Asked<std::uint64_t> free_bytes() override {
        auto work = [root = root_]() -> base::Result<std::uint64_t> {
            struct statvfs info{};
            if (::statvfs(root.c_str(), &info) != 0) {
                return io_fail("statvfs", root, errno);
            }
            return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
        };
        co_return co_await lane_.run<std::uint64_t>(std::move(work));
    }

  private:
    std::string root_;
    std::shared_ptr<Shards> shards_;  // shared with drafts, which lane threads finish
    runtime::Lane& lane_;
    PartPlaces places_;
};

}  // namespace

base::Result<std::unique_ptr<Objects>> open_directory_objects(const std::string& root,
                                                              runtime::Lane& lane) {
    std::error_code error;
    const auto whole = fs::absolute(root, error).lexically_normal().string();
    for (const char* folder : {"", "/drafts", "/assets", "/indexed"}) {
        KN_TRY(is_new, make_directory(whole + folder));
        if (is_new) {
            KN_PASS(sync_directory(fs::path(whole + folder).parent_path()));
        }
    }
    return std::make_unique<DirectoryObjects>(whole, lane);
}

}  // namespace kinodex::objects
