// Reading ISO media boxes for the sample index. Source: ISO/IEC 14496-12 and QuickTime's format.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "media/ffmpeg/sample_index.h"
#include "media/plan/bytes.h"

namespace kinodex::media {

using ByteSpan = std::span<const std::byte>;

inline constexpr std::uint64_t kMoovBytesMax = 256U << 20U;
inline constexpr std::uint64_t kMoofBytesMax = 16U << 20U;
inline constexpr std::size_t kTopBoxesMax = 1'000'000;  // 23 days of one-second fragments
inline constexpr std::size_t kChildBoxesMax = 10'000;

constexpr std::uint32_t box_type(std::string_view text) {
    return (static_cast<std::uint32_t>(static_cast<unsigned char>(text[0])) << 24U) |
           (static_cast<std::uint32_t>(static_cast<unsigned char>(text[1])) << 16U) |
           (static_cast<std::uint32_t>(static_cast<unsigned char>(text[2])) << 8U) |
           static_cast<std::uint32_t>(static_cast<unsigned char>(text[3]));
}

struct Box {
    std::uint32_t type = 0;
    ByteSpan body;
};

/// The next box at the front of `bytes`, which is moved past it. None at the end, or when the box
/// does not fit.
std::optional<Box> next_box(ByteSpan& bytes);
/// The first child of `type`; an empty span when there is none.
ByteSpan child(ByteSpan parent, std::string_view type);
std::vector<Box> children(ByteSpan parent);

struct Edit {
    std::int64_t duration = 0;    // ticks of the movie; 0: to the end
    std::int64_t media_time = 0;  // ticks of the track; -1: nothing is shown
    bool is_plain_speed = true;
};

/// What fragments inherit from `trex`.
struct FragmentDefaults {
    std::uint32_t duration = 0;
    std::uint32_t size = 0;
    std::uint32_t flags = 0;
};

/// A track as it is built up; times still on the media's own timeline.
struct BoxTrack {
    std::uint32_t id = 0;
    std::uint32_t timescale = 0;
    std::vector<Edit> edits;
    FragmentDefaults defaults;
    std::int64_t next_dts = 0;
    bool has_many_descriptions = false;
    bool is_encrypted = false;
    bool is_audio = false;
    std::vector<IndexedSample> samples;
};

using BoxTracks = std::map<std::uint32_t, BoxTrack>;  // by track id

/// Fills `track.samples` from the sample tables in `stbl`. Samples from the first that lies outside
/// the source on are left out: the file was cut short. Errors: file_unprocessable.
base::Result<void> read_sample_tables(ByteSpan stbl, std::uint64_t source_bytes, BoxTrack& track);

/// Adds the samples of one `moof` found at `moof_at`.
base::Result<void> read_fragment(ByteSpan moof, std::uint64_t moof_at, std::uint64_t source_bytes,
                                 BoxTracks& tracks);

}  // namespace kinodex::media
