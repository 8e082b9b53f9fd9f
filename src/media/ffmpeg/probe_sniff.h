// What the first bytes of a file say it is. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kinodex::media {

/// How many bytes `sniff` wants to see; fewer are fine when the file is shorter.
inline constexpr std::size_t kSniffBytes = 4096;

enum class SniffedKind {
    unknown,  // nothing known; a demuxer may still recognise it
    image,
    media,     // a container of audio or video
    playlist,  // names other files: HLS, DASH, concat scripts
    other,     // a document, an archive, text: nothing for us
};

struct Sniffed {
    SniffedKind kind = SniffedKind::unknown;
    std::string mime = "application/octet-stream";
};

/// Source: the formats' own specifications; names from the IANA registry where one exists.
Sniffed sniff(std::string_view head);

}  // namespace kinodex::media
