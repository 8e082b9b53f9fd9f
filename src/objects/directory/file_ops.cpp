#include "objects/directory/file_ops.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace kinodex::objects {

using base::Errc;

std::unexpected<base::Error> io_fail(std::string_view step, std::string_view path, int error) {
    const Errc code = error == ENOSPC || error == EDQUOT ? Errc::storage_full : Errc::internal;
    return base::fail(code, {},
                      fmt::format("{} {}: {}", step, path,
                                  std::error_code(error, std::generic_category()).message()));
}

base::Status write_all(int fd, std::span<const std::byte> bytes, std::string_view path) {
    while (!bytes.empty()) {
        const auto wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote < 0) {
            if (errno == EINTR) {
                continue;
            }
            return io_fail("write", path, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

base::Status write_all_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes,
                          std::string_view path) {
    while (!bytes.empty()) {
        const auto wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (wrote < 0) {
            if (errno == EINTR) {
                continue;
            }
            return io_fail("write", path, errno);
        }
        offset += static_cast<std::uint64_t>(wrote);
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return {};
}

base::Status read_exactly(int fd, std::uint64_t offset, std::span<std::byte> into,
                          std::string_view path) {
    while (!into.empty()) {
        const auto got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return io_fail("read", path, errno);
        }
        if (got == 0) {
            return base::fail(Errc::internal, {}, fmt::format("read {}: it is too short", path));
        }
        offset += static_cast<std::uint64_t>(got);
        into = into.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

void begin_writeback(int fd, std::uint64_t offset, std::uint64_t size_bytes) {
    (void)::sync_file_range(fd, static_cast<off64_t>(offset), static_cast<off64_t>(size_bytes),
                            SYNC_FILE_RANGE_WRITE);
}

base::Status sync_file(int fd, std::string_view path) {
    // A failed fsync may have dropped dirty pages, so it is never tried again: the write failed.
    return ::fsync(fd) == 0 ? base::Status{} : io_fail("fsync", path, errno);
}

base::Status sync_directory(const std::string& path) {
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return io_fail("open", path, errno);
    }
    return sync_file(fd.get(), path);
}

base::Result<bool> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) == 0) {
        return true;
    }
    return errno == EEXIST ? base::Result<bool>(false) : io_fail("mkdir", path, errno);
}

}  // namespace kinodex::objects
