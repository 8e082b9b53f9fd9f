#include "media/sandbox/channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace kinodex::media {
namespace {

constexpr std::size_t kFdsMax = 8;

void take_descriptors(msghdr& header, std::vector<base::UniqueFd>& into) {
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
         each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(each) + i * sizeof(int), sizeof fd);
            into.emplace_back(fd);
        }
    }
}

}  // namespace

base::Result<SocketPair> socket_pair(int type) {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds.data()) != 0) {
        return base::fail(base::Errc::internal, {},
                          std::string("socketpair: ") + std::strerror(errno));
    }
    return SocketPair{base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
}

Sent send_packet(int socket, std::string_view text, std::span<const int> fds, bool wait) {
    iovec data{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kFdsMax * sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    if (!fds.empty() && fds.size() <= kFdsMax) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) {
        return Sent::yes;
    }
    return errno == EAGAIN || errno == EWOULDBLOCK ? Sent::would_block : Sent::closed;
}

Received receive_packet(int socket, std::size_t bytes_max, bool wait) {
    Received out;
    out.text.resize(bytes_max);
    iovec data{out.text.data(), out.text.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kFdsMax * sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t got = -1;
    do {
        got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        const bool empty = errno == EAGAIN || errno == EWOULDBLOCK;
        out.state = empty ? Received::State::would_block : Received::State::closed;
        return out;
    }
    take_descriptors(header, out.fds);
    out.text.resize(static_cast<std::size_t>(got));
    if (got > 0 && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0) {
        out.state = Received::State::packet;
    }
    return out;
}

std::string frame_header(std::size_t length) {
    std::string out(kFrameHeaderBytes, '\0');
    for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
        out[i] = static_cast<char>((length >> (8 * i)) & 0xFF);
    }
    return out;
}

std::size_t frame_length(std::string_view header) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < kFrameHeaderBytes && i < header.size(); ++i) {
        length |= static_cast<std::size_t>(static_cast<unsigned char>(header[i])) << (8 * i);
    }
    return length;
}

}  // namespace kinodex::media
