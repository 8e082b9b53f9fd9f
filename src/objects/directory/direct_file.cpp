#include "objects/directory/direct_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "objects/directory/file_ops.h"
#include "objects/objects.h"

namespace kinodex::objects {
namespace {

using base::Errc;

bool is_aligned(std::uint64_t offset, std::span<const std::byte> bytes) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
    return ((address | offset | bytes.size()) % kDirectAlignment) == 0;
}

}  // namespace

base::Result<DirectFile> DirectFile::open(const std::string& path) {
    DirectFile file;
    file.path_ = path;
    file.cached_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file.cached_) {
        return errno == ENOENT ? base::fail(Errc::resource_not_exist)
                               : io_fail("open", path, errno);
    }
    file.direct_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_DIRECT));
    if (!file.direct_ && errno != EINVAL) {
        return io_fail("open", path, errno);
    }
    return file;
}

void DirectFile::reserve(std::uint64_t offset, std::uint64_t size_bytes) {
    // Blocks that are there already let the kernel write pieces of one file side by side.
    (void)::fallocate(cached_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                      static_cast<off_t>(size_bytes));
}

base::Status DirectFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    while (direct_ && !bytes.empty() && is_aligned(offset, bytes)) {
        const auto wrote =
            ::pwrite(direct_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (wrote > 0) {
            offset += static_cast<std::uint64_t>(wrote);
            bytes = bytes.subspan(static_cast<std::size_t>(wrote));
        } else if (wrote < 0 && errno == EINVAL) {
            direct_.reset();  // a device that wants more than our alignment
        } else if (wrote < 0 && errno != EINTR) {
            return io_fail("write", path_, errno);
        }
    }
    return write_all_at(cached_.get(), offset, bytes, path_);
}

base::Status DirectFile::sync_data() {
    return ::fdatasync(cached_.get()) == 0 ? base::Status{} : io_fail("fdatasync", path_, errno);
}

}  // namespace kinodex::objects
