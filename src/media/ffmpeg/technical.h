// What a probe found out about a file beyond its type, and its JSON on the wire.
//
// The wire's shape is TechnicalMetadata of the API. A field is absent when it does not apply or
// when the file does not say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "media/ffmpeg/input.h"
#include "media/ffmpeg/picture_still.h"
#include "media/ffmpeg/technical_place.h"

namespace kinodex::media {

/// What reading packets and decoding a frame added to what the container says.
struct Measured {
    std::optional<double> duration_sec;
    std::optional<double> fps;  // of the best video stream: frames by duration
    /// The first decoded frame of the best video stream; null when there is none.
    const AVFrame* frame = nullptr;
};

struct Timecode {
    std::string text;    // "01:00:00:00", or with ';' before the frames for drop frame
    std::string source;  // tmcd, mxf, gop, sei or metadata
};

/// From a timecode track, container metadata or the first frame, in this order.
std::optional<Timecode> timecode_of(const Input& input, const AVFrame* first_frame);

/// From QuickTime or container tags.
std::optional<Place> place_of(const Input& input);

/// Seconds of a stream, or of the container when the stream does not say.
std::optional<double> duration_of(const Input& input, const AVStream& stream);

/// Of a video or audio file.
std::string technical_metadata(const Input& input, const std::string& mime,
                               const Measured& measured);
/// Of an image.
std::string technical_metadata(const Still& still, const std::string& mime,
                               std::int64_t size_bytes);

}  // namespace kinodex::media
