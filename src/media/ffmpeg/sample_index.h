// Where each packet of a track lies in the source, and when it is shown. Child side.
//
// MP4 and MOV are answered from their own tables, read here, because the demuxer's public index has
// no presentation times and reading two gigabytes of packets to get them takes a hundred times
// longer. Every other container is read packet by packet, and every packet is found again in the
// source and compared, so an index never points at bytes that are not the packet's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/ffmpeg/input.h"
#include "media/media.h"

namespace kinodex::media {

struct IndexedSample {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t duration = 0;  // as the container says; 0 when it does not
    std::int64_t pts = 0;
    bool is_key = false;
};

/// Samples in decode order; times in ticks, on one timeline for all tracks of a file.
struct TrackIndex {
    int stream = 0;               // index of the AVStream
    std::uint32_t timescale = 1;  // ticks in a second
    /// When the track is first shown or heard. Samples before it are there for the decoder only
    /// (encoder priming, pictures before an edit). Unset: the first sample's time.
    std::optional<std::int64_t> start;
    std::vector<IndexedSample> samples;
};

struct SampleIndex {
    /// `packaged`, or what is needed instead because the bytes cannot be served as they are.
    Playback verdict = Playback::packaged;
    std::vector<TrackIndex>
        tracks;  // in the order asked for, those with samples; empty unless packaged
};

/// The first samples of a file may be cut off for being unusable, never more than a bound of
/// media/plan. Errors: file_unprocessable for tables that do not hold together.
base::Result<SampleIndex> index_mp4(int source_fd, std::int64_t source_bytes,
                                    const AVFormatContext& format, const std::vector<int>& streams);

/// Reads `input` from where it stands to its end.
base::Result<SampleIndex> index_packets(Input& input, int source_fd,
                                        const std::vector<int>& streams);

}  // namespace kinodex::media
