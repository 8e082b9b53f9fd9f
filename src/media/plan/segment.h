// fMP4 (CMAF) media segments of a plan: their exact length, their bytes, or any part of them.
// Source: ISO/IEC 14496-12 (boxes), ISO/IEC 23000-19 (CMAF).
#pragma once

#include <string_view>

#include "media/plan/plan.h"

namespace kinodex::media::plan {

/// A piece of the source.
struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    bool operator==(const Range&) const = default;
};

/// A segment not yet made: own header bytes, followed by the pieces of the source.
struct Layout {
    std::vector<std::byte> head;  // styp, moof, header of mdat
    std::vector<Range> ranges;    // in order; neighbours that touch are one
    std::uint64_t total_bytes = 0;
};

/// MIME type of init and media segments of a track.
std::string_view segment_type(const Track& track);

/// The length of a segment from the segment table alone, without reading anything: enough for HEAD.
/// Equal to `Layout::total_bytes`. Errors: resource_not_exist.
base::Result<std::uint64_t> segment_bytes(const View& view, std::size_t track, std::size_t segment);

/// The same for a segment whose track is at hand.
std::uint64_t segment_file_bytes(const Track& track, const Segment& segment);

/// Reads the segment's sample records. Errors: those of `View::samples`.
base::Result<Layout> segment_layout(const View& view, std::size_t track, std::size_t segment);

/// Fills `into` with the bytes of the segment from `at` on; `at + into.size()` must not exceed
/// `total_bytes`. Reads of the source are few and large: gaps shorter than a page or two are read
/// across. Blocks as `source` does. Errors: those of `source`; range_not_satisfiable.
base::Result<void> read_segment(const Layout& layout, const ReadAt& source, std::uint64_t at,
                                std::span<std::byte> into);

/// The whole segment in memory.
base::Result<std::vector<std::byte>> build_segment(const Layout& layout, const ReadAt& source);

}  // namespace kinodex::media::plan
