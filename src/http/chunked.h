// Undoes the chunked transfer coding in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"

namespace kinodex::http {

/// Bounds of what stands between the chunks: size lines with extensions, and trailers.
inline constexpr std::size_t kChunkLineBytesMax = 1024;
inline constexpr std::size_t kTrailerBytesMax = 8 * 1024;

class ChunkDecoder {
  public:
    struct Decoded {
        std::size_t content = 0;   // bytes of content, now at the front of the input
        std::size_t consumed = 0;  // less than the input only at the end of the body
    };
    /// Moves the content among `bytes` to their front. Strict about line ends, because lenient
    /// readers of chunks are how requests are smuggled past proxies. Trailers are dropped.
    /// Errors: request_malformed. Source: RFC 9112, section 7.1.
    base::Result<Decoded> decode(std::span<char> bytes);
    [[nodiscard]] bool is_done() const { return state_ == State::done; }

  private:
    enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer, end_lf, done };
    base::Status take_line_byte(char c);
    base::Status take_size_byte(char c);
    base::Status take_trailer_byte(char c);

    State state_ = State::size;
    std::uint64_t left_ = 0;  // of the chunk
    std::size_t digits_ = 0;
    std::size_t line_bytes_ = 0;     // of the size line
    std::size_t trailer_bytes_ = 0;  // of all trailers
    bool line_empty_ = true;         // of the trailer line
};

}  // namespace kinodex::http
