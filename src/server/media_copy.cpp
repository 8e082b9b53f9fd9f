#include "server/media_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <future>

#include "base/check.h"
#include "base/unique_fd.h"
#include "objects/directory/file_ops.h"
#include "server/stop_signal.h"
#include "server/wait_for.h"

namespace kinodex::server {
namespace {

// A block fits the second-level cache, so that hashing it does not wait for memory twice.
constexpr std::size_t kBlockBytes = 512 * 1024;
constexpr std::size_t kAppendBytes = 4 * 1024 * 1024;
constexpr std::size_t kKernelCopyBytes = 64 * 1024 * 1024;

base::Result<base::Digest> hash_fd(int fd, std::uint64_t size_bytes, std::string_view name) {
    base::Sha256 hasher;
    std::vector<std::byte> block(kBlockBytes);
    for (std::uint64_t at = 0; at < size_bytes;) {
        KN_PASS(check_stop());
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_bytes - at));
        const std::span piece(block.data(), count);
        KN_PASS(objects::read_exactly(fd, at, piece, name));
        hasher.add(piece);
        at += count;
    }
    return hasher.end();
}

/// In one piece: handing it to another thread would cost more than the work.
base::Result<base::Digest> copy_small(const objects::Object& object, int to,
                                      const std::string& path) {
    std::vector<std::byte> bytes(object.size_bytes());
    KN_PASS(objects::read_exactly(object.fd(), 0, bytes, path));
    KN_PASS(objects::write_all(to, bytes, path));
    base::Sha256 hasher;
    hasher.add(bytes);
    return hasher.end();
}

/// Of two file systems, or of one that has no such call; whoever reads and writes may still.
bool kernel_cannot_copy(int error) {
    return error == EXDEV || error == EOPNOTSUPP || error == EINVAL || error == ENOSYS;
}

base::Status copy_by_hand(int from, int to, std::uint64_t at, std::uint64_t size_bytes,
                          const std::string& name) {
    std::vector<std::byte> block(kBlockBytes);
    while (at < size_bytes) {
        KN_PASS(check_stop());
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_bytes - at));
        const std::span piece(block.data(), count);
        KN_PASS(objects::read_exactly(from, at, piece, name));
        KN_PASS(objects::write_all_at(to, at, piece, name));
        at += count;
    }
    return {};
}

base::Result<std::uint64_t> size_of(int fd, const std::string& path) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        return objects::io_fail("stat", path, errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

base::Result<std::vector<std::string>> list_whole(objects::Objects& objects,
                                                  const std::string& prefix) {
    const auto source = prefix + "source";
    KN_TRY(keys, wait_for(objects.list(prefix)));
    if (std::ranges::find(keys, source) != keys.end()) {
        return keys;
    }
    auto joined = wait_for(objects.join_parts(source));
    // Nothing to join: no source has come yet, or it never was one of an asset.
    if (!joined && joined.error().code != base::Errc::resource_not_exist) {
        return std::unexpected(std::move(joined).error());
    }
    return joined ? wait_for(objects.list(prefix)) : std::move(keys);
}

base::Status copy_bytes(int from, int to, std::uint64_t size_bytes, const std::string& name) {
    off_t in = 0;
    off_t out = 0;
    while (static_cast<std::uint64_t>(in) < size_bytes) {
        KN_PASS(check_stop());
        const auto left = size_bytes - static_cast<std::uint64_t>(in);
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(kKernelCopyBytes, left));
        const auto copied = ::copy_file_range(from, &in, to, &out, count, 0);
        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied < 0 && kernel_cannot_copy(errno)) {
            return copy_by_hand(from, to, static_cast<std::uint64_t>(in), size_bytes, name);
        }
        if (copied <= 0) {
            return objects::io_fail("copy", name, copied == 0 ? EIO : errno);
        }
    }
    return {};
}

MediaCopy::MediaCopy(objects::Objects& objects) : objects_(objects), copies_("copy", 1, 1) {}

base::Result<CopiedObject> MediaCopy::write_file(const std::string& key, const std::string& path) {
    KN_TRY(object, wait_for(objects_.open(key)));
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error) {
        return objects::io_fail("make the directory of", path, error.value());
    }
    const base::UniqueFd to(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!to) {
        return objects::io_fail("create", path, errno);
    }
    CopiedObject copied{.size_bytes = object->size_bytes()};
    if (copied.size_bytes <= kBlockBytes) {
        KN_TRY(digest, copy_small(*object, to.get(), path));
        copied.sha256 = digest;
        return copied;
    }
    std::promise<base::Status> done;
    const bool posted = copies_.post(
        [&] { done.set_value(copy_bytes(object->fd(), to.get(), copied.size_bytes, path)); });
    KN_CHECK(posted, "one copy at a time");
    auto hashed = hash_fd(object->fd(), copied.size_bytes, key);
    KN_PASS(done.get_future().get());
    KN_TRY(digest, std::move(hashed));
    copied.sha256 = digest;
    return copied;
}

base::Result<CopiedObject> MediaCopy::read_file(const std::string& path, const std::string& key,
                                                const base::Digest& expected) {
    const base::UniqueFd from(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) {
        return objects::io_fail("open", path, errno);
    }
    KN_TRY(size_bytes, size_of(from.get(), path));
    KN_TRY(draft, wait_for(objects_.create()));
    base::Sha256 hasher;
    std::vector<std::byte> block(kAppendBytes);
    for (std::uint64_t at = 0; at < size_bytes;) {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_bytes - at));
        const std::span piece(block.data(), count);
        KN_PASS(objects::read_exactly(from.get(), at, piece, path));
        hasher.add(piece);
        KN_PASS(wait_for(draft->append(piece)));
        at += count;
    }
    CopiedObject copied{size_bytes, hasher.end()};
    if (copied.sha256 != expected) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", "export"},
                           {"reason", path + " is not what was exported: its SHA-256 differs"}});
    }
    KN_PASS(wait_for(draft->commit(key)));
    return copied;
}

base::Result<CopiedObject> MediaCopy::hash(const std::string& key) {
    KN_TRY(object, wait_for(objects_.open(key)));
    KN_TRY(digest, hash_fd(object->fd(), object->size_bytes(), key));
    return CopiedObject{object->size_bytes(), digest};
}

base::Result<base::Digest> hash_file(const std::string& path) {
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return objects::io_fail("open", path, errno);
    }
    KN_TRY(size_bytes, size_of(fd.get(), path));
    return hash_fd(fd.get(), size_bytes, path);
}

}  // namespace kinodex::server
