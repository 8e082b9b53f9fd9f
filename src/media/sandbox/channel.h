// Messages with descriptors over a SOCK_SEQPACKET pair, and length-prefixed frames over a stream.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace kinodex::media {

struct SocketPair {
    base::UniqueFd ours;
    base::UniqueFd theirs;
};

/// A pair of close-on-exec sockets of `type` (SOCK_SEQPACKET or SOCK_STREAM). Errors: internal.
base::Result<SocketPair> socket_pair(int type);

enum class Sent { yes, would_block, closed };

/// Sends one packet with descriptors, without waiting when `wait` is false.
Sent send_packet(int socket, std::string_view text, std::span<const int> fds, bool wait);

struct Received {
    enum class State { packet, would_block, closed } state = State::closed;
    std::string text;
    std::vector<base::UniqueFd> fds;
};

/// One packet of at most `bytes_max`; a longer or cut one counts as closed, for its sender is
/// broken. Descriptors arrive close-on-exec.
Received receive_packet(int socket, std::size_t bytes_max, bool wait);

/// Frames: four bytes of length, least significant first, then the text.
inline constexpr std::size_t kFrameHeaderBytes = 4;
std::string frame_header(std::size_t length);
std::size_t frame_length(std::string_view header);

}  // namespace kinodex::media
