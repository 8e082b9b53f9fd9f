// A multipart/form-data parser that copies no file byte.
//
// The caller owns a buffer and shows it from the first unread byte on; each step says how many of
// those bytes are done with and hands out views into them. So the parser is a pure function of the
// bytes: how they were split over reads never changes what comes out. Start at `next`.
// Source: RFC 7578 and RFC 2046, section 5.1, as browsers and the usual clients write them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kinodex::http {

inline constexpr std::size_t kBoundaryBytesMax = 70;  // RFC 2046, section 5.1.1
inline constexpr std::size_t kPartHeaderBytesMax = 8 * 1024;
inline constexpr std::size_t kPartsMax = 64;
inline constexpr std::size_t kPreambleBytesMax = 64 * 1024;
/// Blanks between a boundary and its line end.
inline constexpr std::size_t kBoundaryPaddingMax = 256;
/// A view of this many bytes always lets the parser get on; smaller ones may not.
inline constexpr std::size_t kMultipartViewBytesMin = kPartHeaderBytesMax + 1024;

/// The boundary of a multipart/form-data Content-Type. Errors: content_type_invalid (any other
/// type, also none), multipart_boundary_missing, invalid_multipart (a boundary out of bounds).
base::Result<std::string> multipart_boundary(std::string_view content_type);

struct PartHead {
    std::string name;
    std::optional<std::string> filename;  // UTF-8, malformed bytes replaced; may hold any path
    std::string content_type;             // as sent, empty when absent; never to be trusted
};

/// Reads the header lines of one part (without the empty line). Quoted values may hold \" and \\;
/// other backslashes stay, for some clients send Windows paths. %22 is a quote, as browsers write
/// it; `filename*` wins over `filename`. Errors: invalid_multipart.
base::Result<PartHead> parse_part_head(std::string_view lines);

class MultipartParser {
  public:
    enum class Event {
        need_more,   // show more bytes after those that are left
        part_begin,  // `part()` describes it
        part_data,   // `data`: never empty
        part_end,
        finished,  // the rest of the body carries no meaning
    };
    struct Step {
        Event event = Event::need_more;
        std::size_t consumed = 0;  // bytes of the view that need not be shown again
        std::string_view data;     // within the view
    };

    /// `boundary` without the leading dashes, as multipart_boundary gives it.
    explicit MultipartParser(std::string_view boundary);

    /// `unread`: the body from the first byte not yet consumed. `ends`: nothing follows it. With
    /// `ends`, need_more never comes. Errors: invalid_multipart; the parser is done then.
    base::Result<Step> next(std::string_view unread, bool ends);
    [[nodiscard]] const PartHead& part() const { return part_; }

  private:
    enum class State { preamble, headers, data, end, failed };
    enum class Follow { part, close, none, unknown };
    /// What is at the front of a view: `text` bytes of content, or else a boundary.
    struct Front {
        std::size_t text = 0;
        Follow follow = Follow::unknown;
        std::size_t boundary = 0;  // bytes of the boundary's line
    };
    /// A step that may also be "bytes were passed over, go on": need_more with consumed > 0.
    base::Result<Step> advance(std::string_view unread);
    base::Result<Step> in_preamble(std::string_view unread);
    base::Result<Step> in_headers(std::string_view unread);
    base::Result<Step> in_data(std::string_view unread);
    Step pass_boundary(const Front& front);
    [[nodiscard]] Front front_of(std::string_view unread) const;
    static Front after_boundary(std::string_view after, std::size_t boundary);

    std::string delimiter_;  // CR LF "--" boundary
    State state_ = State::preamble;
    bool at_start_ = true;
    std::size_t preamble_bytes_ = 0;
    std::size_t parts_ = 0;
    PartHead part_;
};

}  // namespace kinodex::http
