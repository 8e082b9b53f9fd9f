#include "objects/directory/parts.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/aligned_bytes.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/sha256.h"
#include "objects/directory/direct_file.h"
#include "objects/directory/file_ops.h"
#include "runtime/pending.h"

namespace kinodex::objects {
namespace {

using base::Errc;

// For moving bytes that were kept aside into place.
constexpr std::size_t kCopyBytes = 1024 * 1024;

struct Paths {
    std::string object;
    std::string parts;  // a name that no key can have
    std::string folder;
};

base::Result<Paths> paths_of(const std::string& root, std::string_view key) {
    auto object = object_path(root, key);
    if (!object) {
        return base::fail(Errc::internal, {}, "not a key: '" + std::string(key) + "'");
    }
    Paths paths;
    paths.folder = folder_of(*object);
    paths.parts = paths.folder + "/." + object->substr(paths.folder.size() + 1) + ".parts";
    paths.object = std::move(*object);
    return paths;
}

std::unexpected<base::Error> no_parts(std::string_view key) {
    return base::fail(Errc::resource_not_exist,
                      {{"resource_id", std::string(key)}, {"collection_name", "objects"}});
}

/// A nameless file: it is gone with its descriptor, however this process ends.
base::Result<base::UniqueFd> spare_file(const std::string& root) {
    const auto path = root + "/drafts/" + base::id_text(base::next_id_bytes());
    base::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd) {
        return io_fail("create", path, errno);
    }
    if (::unlink(path.c_str()) != 0) {
        return io_fail("unlink", path, errno);
    }
    return fd;
}

/// Shared with works on the lane: the place is held until the last of them is over.
class PartFile {
  public:
    PartFile(std::string root, DirectFile file, PartSpan span, std::shared_ptr<PartPlace> place)
        : root_(std::move(root)), file_(std::move(file)), span_(span), place_(std::move(place)) {
        const std::lock_guard lock(place_->mutex);
        in_place_ = place_->owner == nullptr;
        if (in_place_) {
            place_->owner = this;
        }
    }
    ~PartFile() { leave_place(); }
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;

    [[nodiscard]] bool is_in_place() const { return in_place_; }
    [[nodiscard]] std::uint64_t span_bytes() const { return span_.size_bytes; }

    void leave_place() {
        const std::lock_guard lock(place_->mutex);
        in_place_ = false;
        if (place_->owner == this) {
            place_->owner = nullptr;
        }
    }

    base::Status append(std::span<const std::byte> bytes) {
        KN_PASS(in_place_ ? write_in_place(size_, bytes) : write_aside(bytes));
        hash_.add(bytes);
        size_ += bytes.size();
        return {};
    }

    std::string etag() {
        if (etag_.empty()) {
            etag_ = base::hex_text(hash_.end());
        }
        return etag_;
    }

    base::Status take_over() {
        const std::lock_guard lock(place_->mutex);
        place_->owner = this;
        return {};
    }

    base::Status finish() {
        KN_PASS(in_place_ ? check_owner() : copy_into_place());
        return file_.sync_data();  // its size was made durable when the file was made
    }

  private:
    base::Status check_owner() {
        const std::lock_guard lock(place_->mutex);
        return owner_status();
    }

    /// Under the lock of the place.
    [[nodiscard]] base::Status owner_status() const {
        if (place_->owner != this) {
            return base::fail(Errc::chunk_replaced, {{"chunk_index", std::to_string(span_.index)}});
        }
        return {};
    }

    base::Status write_in_place(std::uint64_t at, std::span<const std::byte> bytes) {
        const std::lock_guard lock(place_->mutex);
        KN_PASS(owner_status());
        if (at == 0) {
            file_.reserve(span_.offset, span_.size_bytes);
        }
        return file_.write_at(span_.offset + at, bytes);
    }

    base::Status write_aside(std::span<const std::byte> bytes) {
        if (!spare_) {
            KN_TRY(spare, spare_file(root_));
            spare_ = std::move(spare);
        }
        return write_all(spare_.get(), bytes, "a part that is kept aside");
    }

    base::Status copy_into_place() {
        const auto buffer = base::aligned_bytes(kCopyBytes, kDirectAlignment);
        for (std::uint64_t at = 0; at < size_; at += kCopyBytes) {
            const std::span piece(buffer.get(), static_cast<std::size_t>(std::min<std::uint64_t>(
                                                    kCopyBytes, size_ - at)));
            KN_PASS(read_exactly(spare_.get(), at, piece, "a part that was kept aside"));
            KN_PASS(write_in_place(at, piece));
        }
        return {};
    }

    std::string root_;
    DirectFile file_;
    PartSpan span_;
    std::shared_ptr<PartPlace> place_;
    bool in_place_ = false;
    base::UniqueFd spare_;  // made by the first byte aside
    base::Sha256 hash_;
    std::string etag_;
    std::uint64_t size_ = 0;
};

class DirectoryPart final : public Part {
  public:
    DirectoryPart(std::shared_ptr<PartFile> file, runtime::Lane& lane)
        : file_(std::move(file)), lane_(lane), is_aside_(!file_->is_in_place()) {}

    bool is_aside() const override { return is_aside_; }
    Asked<void> keep_aside() override {
        file_->leave_place();
        is_aside_ = true;
        co_return base::Status{};
    }
    Asked<void> append_behind(std::span<const std::byte> bytes,
                              std::shared_ptr<const void> owner) override {
        KN_CO_PASS(co_await settle());
        size_ += bytes.size();
        if (size_ > file_->span_bytes()) {
            co_return base::fail(Errc::internal, {}, "more bytes than the part has");
        }
        auto work = [file = file_, bytes, owner = std::move(owner)] { return file->append(bytes); };
        writing_ = runtime::Pending<void>::start(lane_, std::move(work));
        co_return base::Status{};
    }
    std::uint64_t size_bytes() const override { return size_; }
    Asked<std::string> etag() override {
        KN_CO_PASS(co_await settle());
        co_return file_->etag();
    }
    Asked<void> take_over() override {
        KN_CO_PASS(co_await settle());
        // On the lane, because it waits for a write that another one has begun.
        auto work = [file = file_] { return file->take_over(); };
        co_return co_await lane_.run<void>(std::move(work));
    }
    Asked<void> finish() override {
        KN_CO_PASS(co_await settle());
        if (is_aside_) {
            KN_CO_PASS(co_await take_over());
        }
        auto work = [file = file_] { return file->finish(); };
        co_return co_await lane_.run<void>(std::move(work));
    }

  private:
    Asked<void> settle() {
        if (writing_.is_started()) {
            co_return co_await writing_.wait();
        }
        co_return base::Status{};
    }

    std::shared_ptr<PartFile> file_;
    runtime::Lane& lane_;
    runtime::Pending<void> writing_;
    bool is_aside_;
    std::uint64_t size_ = 0;
};

}  // namespace

std::shared_ptr<PartPlace> PartPlaces::of(const std::string& path, std::int64_t index) {
    const std::lock_guard lock(mutex_);
    const auto is_over = [](const auto& entry) { return entry.second.expired(); };
    std::erase_if(places_, is_over);
    auto& known = places_[path + "#" + std::to_string(index)];
    auto place = known.lock();
    if (!place) {
        place = std::make_shared<PartPlace>();
        known = place;
    }
    return place;
}

base::Status make_parts_file(const std::string& root, Shards& shards, std::string_view key,
                             std::uint64_t size_bytes) {
    KN_TRY(paths, paths_of(root, key));
    std::set<std::string> changed;
    KN_PASS(make_folders(shards, paths.parts, changed));
    const base::UniqueFd fd(::open(paths.parts.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) {
        return io_fail("create", paths.parts, errno);
    }
    // Sparse: disk space is taken by bytes that come, not by those that were announced.
    if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
        return io_fail("truncate", paths.parts, errno);
    }
    KN_PASS(sync_file(fd.get(), paths.parts));
    for (const auto& folder : changed) {
        KN_PASS(sync_directory(folder));
    }
    shards.add_synced(folder_of(paths.folder));
    return {};
}

base::Result<std::unique_ptr<Part>> open_part(const std::string& root, std::string_view key,
                                              PartSpan span, PartPlaces& places,
                                              runtime::Lane& lane) {
    KN_TRY(paths, paths_of(root, key));
    auto file = DirectFile::open(paths.parts);
    if (!file) {
        return file.error().code == Errc::resource_not_exist
                   ? no_parts(key)
                   : std::unexpected(std::move(file).error());
    }
    auto place = places.of(paths.parts, span.index);
    auto part = std::make_shared<PartFile>(root, std::move(*file), span, std::move(place));
    return std::make_unique<DirectoryPart>(std::move(part), lane);
}

base::Status join_parts_file(const std::string& root, std::string_view key) {
    KN_TRY(paths, paths_of(root, key));
    if (std::rename(paths.parts.c_str(), paths.object.c_str()) != 0 && errno != ENOENT) {
        return io_fail("rename", paths.object, errno);
    }
    // Also after a rename that an earlier process may not have synced.
    if (::access(paths.object.c_str(), F_OK) != 0) {
        return errno == ENOENT ? no_parts(key) : io_fail("access", paths.object, errno);
    }
    return sync_directory(paths.folder);
}

}  // namespace kinodex::objects
