// Reads a multipart/form-data body part by part, from a handler that streams.
//
//     KN_CO_TRY(boundary, multipart_boundary(request.content_type));
//     MultipartReader parts(boundary, *request.body_reader);
//     while (true) {
//         KN_CO_TRY(head, co_await parts.next_part());
//         if (!head) { break; }
//         ...  co_await parts.read_part() until it is empty, or co_await parts.read_text(limit)
//     }
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "http/multipart.h"
#include "http/types.h"

namespace kinodex::http {

/// One buffer; an upload has one, and one more for each that its writer holds. Large enough that a
/// hop to a disk lane per buffer costs nothing beside the copying, small enough for 64 uploads at
/// once.
inline constexpr std::size_t kMultipartBufferBytes = 512 * 1024;

/// Bytes after the last boundary, beyond those in the buffer; clients send two at most.
inline constexpr std::size_t kEpilogueBytesMax = 64 * 1024;

class MultipartReader {
  public:
    /// `body` outlives the reader. The buffer is allocated by the first call and freed at the end
    /// of the body or with the reader.
    MultipartReader(std::string boundary, BodyReader& body,
                    std::size_t buffer_bytes = kMultipartBufferBytes);

    /// The next part, after passing over what is left of the current one; nullopt at the end of
    /// the whole body.
    /// Errors: invalid_multipart and those of BodyReader::read. After an error the reader is done.
    Asked<std::optional<PartHead>> next_part();

    /// The next bytes of the current part, empty at its end. Waits until the buffer is full or the
    /// part ends, so that writers get few large pieces. Valid until the next call. Errors: as
    /// above.
    Asked<std::span<const std::byte>> read_part();

    /// Keeps the bytes of the last read_part valid beyond the next call, for as long as it is held:
    /// for handing them to a writer while more is read.
    [[nodiscard]] std::shared_ptr<const void> owner() const { return buffer_; }

    /// The rest of the current part. Errors: as above, and parameter_invalid naming the part when
    /// it is longer than `limit_bytes` or not UTF-8.
    Asked<std::string> read_text(std::size_t limit_bytes);

  private:
    class Buffers;
    enum class Fill { some, whole };
    Asked<MultipartParser::Step> step(Fill fill);
    Asked<void> fill_buffer(Fill fill);
    Asked<void> pass_epilogue();

    MultipartParser parser_;
    BodyReader& body_;
    std::size_t buffer_bytes_;
    std::shared_ptr<char[]> buffer_;
    std::shared_ptr<Buffers> buffers_;  // shared with what is lent out
    std::size_t begin_ = 0;             // unread bytes are [begin_, end_)
    std::size_t end_ = 0;
    std::size_t epilogue_bytes_ = 0;
    bool body_ends_ = false;
    bool in_part_ = false;
};

}  // namespace kinodex::http
