// A playback plan: everything needed to serve a file over HLS without parsing it again.
//
// The sandboxed child writes it when a file is probed (plan/writer.h); the server reads it here and
// serves playlists (plan/playlist.h) and fMP4 segments (plan/segment.h) by arithmetic over it plus
// reads from the source. A plan comes from a process that parsed hostile bytes, so `View` believes
// nothing: every count is bounded, every size adds up, every byte range lies inside the source.
//
// File, little endian: fixed head with magic, version and checksum; per track its description, init
// segment and segment table; then per track fixed-width sample records. Only what stands before the
// records is read on opening; a segment reads its own records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace kinodex::media::plan {

inline constexpr std::uint64_t kHeaderBytesMax = 16U << 20U;
inline constexpr std::uint32_t kTracksMax = 16;
inline constexpr std::uint32_t kSegmentsMax = 200'000;        // per track; 13 days at 6 s
inline constexpr std::uint32_t kSamplesMax = 50'000'000;      // per track
inline constexpr std::uint32_t kSegmentSamplesMax = 200'000;  // records read for one segment
inline constexpr std::uint64_t kSegmentBytesMax = 512U << 20U;
inline constexpr std::uint32_t kInitBytesMax = 256U << 10U;
inline constexpr std::uint32_t kTimescaleMax = 100'000'000;

/// Fills `into` from `offset` of a file, or fails; never fills it in part.
using ReadAt = std::function<base::Result<void>(std::uint64_t offset, std::span<std::byte> into)>;

/// A reader over a descriptor, which must outlive it. Blocks: call it on a lane.
/// Errors: internal when the file is shorter than asked, or the read fails.
ReadAt read_fd(int fd);

enum class TrackKind : std::uint8_t { video = 1, audio = 2 };

/// One sample: `size` bytes at `offset` of the source. Times in ticks of the track's timescale.
struct Sample {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t duration = 0;   // until the next sample's decode time
    std::int32_t cts_offset = 0;  // presentation time minus decode time
    bool is_key = false;
    bool operator==(const Sample&) const = default;
};

/// A run of samples that is one media segment.
struct Segment {
    std::uint32_t first_sample = 0;
    std::uint32_t samples = 0;        // at least one
    std::uint64_t decode_time = 0;    // of the first sample: the segment's tfdt
    std::uint64_t start = 0;          // on the playlist, in ticks
    std::uint64_t duration = 0;       // on the playlist, in ticks; more than zero
    std::uint64_t payload_bytes = 0;  // sum of the sample sizes
    bool operator==(const Segment&) const = default;
};

struct Track {
    TrackKind kind = TrackKind::video;
    std::string codecs;           // RFC 6381, for CODECS
    std::string language;         // RFC 5646, or empty when unknown
    std::string name;             // human-readable; may be empty
    bool is_default = false;      // the audio track to play when nobody chose
    std::uint32_t timescale = 1;  // ticks in a second
    std::uint32_t width = 0;      // as displayed; video only
    std::uint32_t height = 0;
    std::uint32_t frame_rate_milli = 0;  // frames in 1000 s; video only; 0 when unknown
    std::uint32_t channels = 0;          // audio only
    std::uint32_t sample_rate = 0;
    std::uint64_t average_bps = 0;  // of the served segments, without HTTP
    std::uint64_t peak_bps = 0;     // of the densest segment
    std::uint64_t duration = 0;     // ticks, sum over the segments
    std::vector<std::byte> init;    // ftyp and moov of this one track
    std::vector<Segment> segments;  // contiguous, at least one
    std::uint32_t sample_count = 0;
    std::uint64_t records_at = 0;  // where its sample records start in the plan
};

/// An opened plan. Immutable once open; may be shared between threads when its reader may be.
class View {
  public:
    /// Reads and checks everything but the sample records. `plan_bytes` and `source_bytes` are the
    /// true sizes of the two files. Errors: file_unprocessable for a plan that does not hold
    /// together or belongs to a source of another size; those of `read`.
    static base::Result<View> open(ReadAt read, std::uint64_t plan_bytes,
                                   std::uint64_t source_bytes);

    [[nodiscard]] const std::vector<Track>& tracks() const { return tracks_; }
    [[nodiscard]] std::uint64_t source_bytes() const { return source_bytes_; }
    /// The longest track, in seconds.
    [[nodiscard]] double duration_sec() const;
    /// Approximate memory held, for a cache that counts bytes.
    [[nodiscard]] std::size_t memory_bytes() const;

    /// The samples of one segment, checked against the segment table and the source's size.
    /// Errors: resource_not_exist for an unknown track or segment; file_unprocessable; those of
    /// the reader.
    [[nodiscard]] base::Result<std::vector<Sample>> samples(std::size_t track,
                                                            std::size_t segment) const;

  private:
    ReadAt read_;
    std::vector<Track> tracks_;
    std::uint64_t source_bytes_ = 0;
};

}  // namespace kinodex::media::plan
