// A descriptor as one end of FFmpeg's own input and output. Child side.
#pragma once

#include "media/ffmpeg/av.h"

namespace kinodex::media {

/// Reads or writes with pread and pwrite, so the position is its own. Stays where it is: FFmpeg
/// holds a pointer to it.
class FileIo {
  public:
    enum class Use { read, write };

    FileIo() = default;
    ~FileIo();
    FileIo(const FileIo&) = delete;
    FileIo& operator=(const FileIo&) = delete;

    /// `size_bytes`: of the file now; writing makes it grow. Errors: internal.
    base::Result<void> open(int fd, std::int64_t size_bytes, Use use);
    [[nodiscard]] AVIOContext* get() const { return io_; }
    [[nodiscard]] std::int64_t size_bytes() const { return size_bytes_; }

  private:
    static int read(void* opaque, std::uint8_t* into, int size);
    static int write(void* opaque, std::uint8_t* data, int size);
    static std::int64_t seek(void* opaque, std::int64_t offset, int whence);

    int fd_ = -1;
    std::int64_t size_bytes_ = 0;
    std::int64_t position_ = 0;
    AVIOContext* io_ = nullptr;
};

}  // namespace kinodex::media
