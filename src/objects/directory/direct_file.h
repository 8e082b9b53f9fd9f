// A file that is written past the page cache where that is possible: the disk takes the bytes from
// the caller's memory. The kernel then neither copies them nor finds pages for them, and a sync has
// nothing left to write. Large bytes that nobody reads soon are better off so.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace kinodex::objects {

class DirectFile {
  public:
    /// Opens a file that is there. Errors: resource_not_exist, without parameters, when it is not.
    static base::Result<DirectFile> open(const std::string& path);

    /// Prepares for writing a range as a whole, so that pieces of it can be written at once. A
    /// hint: what is wrong is told by `write_at`.
    void reserve(std::uint64_t offset, std::uint64_t size_bytes);
    /// Bytes whose place in memory, offset and size are multiples of kDirectAlignment pass by the
    /// page cache. All others, and all on a file system that cannot do it, pass through.
    base::Status write_at(std::uint64_t offset, std::span<const std::byte> bytes);
    /// All that was written is on the disk. The size of the file is not.
    base::Status sync_data();

  private:
    std::string path_;
    base::UniqueFd cached_;
    base::UniqueFd direct_;  // none where the file system has no such thing
};

}  // namespace kinodex::objects
