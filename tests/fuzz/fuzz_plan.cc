// Playback plans of any bytes, as a child that was taken over could write them: refused, or within
// every bound when served. An input is read as it is, and again with its sizes and checksum made
// right, so that the fuzzer gets behind them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "media/plan/format.h"
#include "media/plan/playlist.h"
#include "media/plan/segment.h"

namespace {

using namespace kinodex::media::plan;

constexpr std::uint64_t kSourceBytes = 4U << 20U;
constexpr std::uint64_t kBuiltBytesMax = 8U << 20U;  // larger segments are read in part
constexpr std::size_t kSegmentsServed = 4;           // the first and the last of each track
constexpr std::size_t kPartBytesMax = 4096;

ReadAt read_bytes(std::span<const std::byte> bytes) {
    return [bytes](std::uint64_t offset, std::span<std::byte> into) -> kinodex::base::Result<void> {
        if (offset > bytes.size() || into.size() > bytes.size() - offset) {
            return kinodex::base::fail(kinodex::base::Errc::internal, {}, "past the end");
        }
        std::memcpy(into.data(), bytes.data() + offset, into.size());
        return {};
    };
}

/// A source of zeros: only where is read matters.
kinodex::base::Result<void> read_source(std::uint64_t offset, std::span<std::byte> into) {
    KN_CHECK(offset <= kSourceBytes && into.size() <= kSourceBytes - offset,
             "nothing outside the source is read");
    std::ranges::fill(into, std::byte{0});
    return {};
}

void check_playlist(const std::string& text) {
    KN_CHECK(text.starts_with("#EXTM3U\n") && text.ends_with('\n'), "a playlist");
    const auto is_foul = [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F;
    };
    KN_CHECK(std::ranges::none_of(text, is_foul), "no control characters");
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto line = std::string_view(text).substr(at, end - at);
        KN_CHECK(line.starts_with('#') || line == "uri", "no line but tags and our own URIs");
        KN_CHECK(std::ranges::count(line, '"') % 2 == 0, "quotes come in pairs");
        at = end + 1;
    }
}

void check_segment(const View& view, std::size_t track, std::size_t number) {
    const auto layout = segment_layout(view, track, number);
    if (!layout) {
        return;
    }
    const auto told = segment_bytes(view, track, number);
    KN_CHECK(told && *told == layout->total_bytes, "HEAD and GET tell the same length");
    std::uint64_t bytes = layout->head.size();
    for (const Range& range : layout->ranges) {
        KN_CHECK(range.offset <= kSourceBytes && range.size <= kSourceBytes - range.offset,
                 "a range within the source");
        bytes += range.size;
    }
    KN_CHECK(bytes == layout->total_bytes, "the pieces add up");
    if (bytes <= kBuiltBytesMax) {
        const auto built = build_segment(*layout, read_source);
        KN_CHECK(built && built->size() == bytes, "a whole segment");
    }
    std::vector<std::byte> part(
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kPartBytesMax)));
    KN_CHECK(read_segment(*layout, read_source, bytes - part.size(), part).has_value(), "its end");
    KN_CHECK(!read_segment(*layout, read_source, bytes - part.size() + 1, part).has_value(),
             "and nothing behind it");
}

void check_plan(std::span<const std::byte> bytes) {
    const auto view = View::open(read_bytes(bytes), bytes.size(), kSourceBytes);
    if (!view) {
        return;
    }
    const auto uri = [](const Resource&) { return std::string("uri"); };
    check_playlist(master_playlist(*view, uri));
    KN_CHECK(!view->tracks().empty() && view->tracks().size() <= kTracksMax, "a few tracks");
    KN_CHECK(view->duration_sec() > 0, "some duration");
    for (std::size_t t = 0; t < view->tracks().size(); ++t) {
        const auto playlist = media_playlist(*view, t, uri);
        KN_CHECK(playlist.has_value(), "each track has a playlist");
        check_playlist(*playlist);
        const auto count = view->tracks()[t].segments.size();
        for (std::size_t s = 0; s < count; ++s) {
            if (s < kSegmentsServed || s + kSegmentsServed >= count) {
                check_segment(*view, t, s);
            }
        }
        KN_CHECK(!segment_layout(*view, t, count), "no segment behind the last");
    }
}

template <class T>
void set_le(std::span<std::byte> bytes, std::size_t at, T value) {
    Bytes written;
    put_le(written, value);
    std::ranges::copy(written, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Makes right what a damaged plan is refused by first: its sizes and its checksum.
void mend(std::span<std::byte> bytes) {
    constexpr std::size_t kPlanBytesAt = 24;
    constexpr std::size_t kSourceBytesAt = 32;
    constexpr std::size_t kChecksumAt = 12;
    set_le(bytes, kPlanBytesAt, static_cast<std::uint64_t>(bytes.size()));
    set_le(bytes, kSourceBytesAt, kSourceBytes);
    Taker take(bytes.subspan(kChecksumEnd));
    const auto header_bytes = take.le<std::uint64_t>();
    if (header_bytes >= kHeadBytes && header_bytes <= bytes.size()) {
        const auto header = bytes.first(static_cast<std::size_t>(header_bytes));
        set_le(bytes, kChecksumAt, header_checksum(header.subspan(kChecksumEnd)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto raw = std::as_bytes(std::span(data, size));
    Bytes bytes(raw.begin(), raw.end());
    check_plan(bytes);
    if (size >= kHeadBytes) {
        mend(bytes);
        check_plan(bytes);
    }
    return 0;
}
