// Blocking file operations with errors as values. Called on a lane only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace kinodex::objects {

/// The Error for an errno: a full disk or quota is storage_full, everything else internal, with
/// the step, path and reason as detail.
std::unexpected<base::Error> io_fail(std::string_view step, std::string_view path, int error);

base::Status write_all(int fd, std::span<const std::byte> bytes, std::string_view path);
base::Status write_all_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes,
                          std::string_view path);
base::Status read_exactly(int fd, std::uint64_t offset, std::span<std::byte> into,
                          std::string_view path);
/// What holds the file or folder of a path.
std::string folder_of(const std::string& path);

/// Write-back starts every so many bytes, so that the sync at the end finds little left to do: at
/// 190 MB this turns most of its wait into time that the network takes anyway. Smaller steps cost a
/// tenth more processor time.
inline constexpr std::uint64_t kWritebackBytes = 4 * 1024 * 1024;
/// A hint only: the sync reports what goes wrong.
void begin_writeback(int fd, std::uint64_t offset, std::uint64_t size_bytes);

base::Status sync_file(int fd, std::string_view path);
base::Status sync_directory(const std::string& path);
/// Makes one folder; false when it is there already. It stays once its parent is synced.
base::Result<bool> make_directory(const std::string& path);

}  // namespace kinodex::objects
