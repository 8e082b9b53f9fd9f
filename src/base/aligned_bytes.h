// Memory that begins where a disk or its kernel wants it to.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace kinodex::base {

/// `size_bytes` bytes of no value yet, at a multiple of `alignment`, which is a power of two.
inline std::shared_ptr<std::byte[]> aligned_bytes(std::size_t size_bytes, std::size_t alignment) {
    const std::align_val_t at{alignment};
    auto* bytes = static_cast<std::byte*>(::operator new[](size_bytes, at));
    return {bytes, [at](std::byte* begin) { ::operator delete[](begin, at); }};
}

}  // namespace kinodex::base
