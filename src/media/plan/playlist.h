// HLS playlists of a plan. Source: RFC 8216 and its successor draft-pantos-hls-rfc8216bis.
#pragma once

#include <string>

#include "media/plan/plan.h"

namespace kinodex::media::plan {

/// What a URL in a playlist leads to.
struct Resource {
    enum class Kind { media_playlist, init_segment, media_segment };
    Kind kind = Kind::media_playlist;
    std::size_t track = 0;
    std::size_t segment = 0;  // media_segment only
};

/// Gives the URI written for a resource, e.g. relative and with a signature in its query.
using UrlOf = std::function<std::string(const Resource&)>;

inline constexpr std::string_view kPlaylistType = "application/vnd.apple.mpegurl";

/// One variant: the video with the group of audio tracks, or the audio alone.
std::string master_playlist(const View& view, const UrlOf& url_of);

/// Errors: resource_not_exist for an unknown track.
base::Result<std::string> media_playlist(const View& view, std::size_t track, const UrlOf& url_of);

}  // namespace kinodex::media::plan
