#include "media/ffmpeg/file_io.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kinodex::media {
namespace {

constexpr int kReadBufferBytes = 256 * 1024;
constexpr int kWriteBufferBytes = 1 << 20;

}  // namespace

FileIo::~FileIo() {
    if (io_ != nullptr) {
        av_freep(&io_->buffer);
        avio_context_free(&io_);
    }
}

base::Result<void> FileIo::open(int fd, std::int64_t size_bytes, Use use) {
    fd_ = fd;
    size_bytes_ = size_bytes;
    const bool writes = use == Use::write;
    const int buffer_bytes = writes ? kWriteBufferBytes : kReadBufferBytes;
    auto* buffer = static_cast<unsigned char*>(av_malloc(static_cast<std::size_t>(buffer_bytes)));
    if (buffer != nullptr) {
        io_ = avio_alloc_context(buffer, buffer_bytes, writes ? 1 : 0, this,
                                 writes ? nullptr : &FileIo::read,
                                 writes ? &FileIo::write : nullptr, &FileIo::seek);
    }
    if (io_ == nullptr) {
        av_free(buffer);
        return base::fail(base::Errc::internal, {}, "out of memory");
    }
    return {};
}

int FileIo::read(void* opaque, std::uint8_t* into, int size) {
    auto& self = *static_cast<FileIo*>(opaque);
    const auto got = ::pread(self.fd_, into, static_cast<std::size_t>(size), self.position_);
    if (got < 0) {
        return AVERROR(errno);
    }
    self.position_ += got;
    return got == 0 ? AVERROR_EOF : static_cast<int>(got);
}

int FileIo::write(void* opaque, std::uint8_t* data, int size) {
    auto& self = *static_cast<FileIo*>(opaque);
    int left = size;
    while (left > 0) {
        const auto done = ::pwrite(self.fd_, data, static_cast<std::size_t>(left), self.position_);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return AVERROR(done < 0 ? errno : EIO);
        }
        data += done;
        left -= static_cast<int>(done);
        self.position_ += done;
    }
    self.size_bytes_ = std::max(self.size_bytes_, self.position_);
    return size;
}

std::int64_t FileIo::seek(void* opaque, std::int64_t offset, int whence) {
    auto& self = *static_cast<FileIo*>(opaque);
    switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE:
            return self.size_bytes_;
        case SEEK_SET:
            break;
        case SEEK_CUR:
            offset += self.position_;
            break;
        case SEEK_END:
            offset += self.size_bytes_;
            break;
        default:
            return AVERROR(EINVAL);
    }
    if (offset < 0) {
        return AVERROR(EINVAL);
    }
    self.position_ = offset;
    return offset;
}

}  // namespace kinodex::media
