// Which tracks of a file are played, and which of them browsers can play as they are.
#pragma once

#include "media/ffmpeg/input.h"

namespace kinodex::media {

/// Audio tracks served for one file; more are left out.
inline constexpr std::size_t kAudioTracksMax = 8;

struct PlayedStreams {
    int video = -1;  // stream index; -1 without video
    std::vector<int> audio;
    int default_audio = -1;
    /// Video first.
    [[nodiscard]] std::vector<int> all() const;
};

PlayedStreams played_streams(const Input& input);

/// Whether browsers play this codec, profile and pixel format over HLS.
bool is_playable(const AVCodecParameters& parameters);

/// RFC 5646 for the ISO 639-2 code that containers carry; empty for none or undetermined.
std::string language_of(const AVStream& stream);

}  // namespace kinodex::media
