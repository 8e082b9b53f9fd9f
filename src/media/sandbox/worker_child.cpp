#include "media/sandbox/worker_child.h"

#include <sys/socket.h>

#include "media/sandbox/channel.h"

namespace kinodex::media {

const std::string& WorkerJob::isolation_key() const {
    static const std::string none;
    const auto* probe = std::get_if<ProbeRequest>(&request);
    return probe == nullptr ? none : probe->isolation_key;
}

WorkerChild::WorkerChild(boost::asio::io_context& io, std::uint64_t its_id, base::UniqueFd socket)
    : id(its_id), reply(io, socket.release()), timer(io), stall_timer(io) {
    reply.non_blocking(true);
}

void WorkerChild::stop_timers() {
    timer.cancel();
    stall_timer.cancel();
}

bool WorkerChild::send(const JobOrder& order, const std::vector<base::UniqueFd>& fds) {
    std::vector<int> numbers;
    numbers.reserve(fds.size());
    for (const auto& each : fds) {
        numbers.push_back(each.get());
    }
    return send_packet(reply.native_handle(), encode_order(order), numbers, false) == Sent::yes;
}

void WorkerChild::send_no_more() {
    ::shutdown(reply.native_handle(), SHUT_WR);
}

base::Result<std::optional<std::string>> WorkerChild::next_frame() {
    if (buffer.size() < kFrameHeaderBytes) {
        return std::nullopt;
    }
    const std::size_t length = frame_length(buffer);
    if (length > (operation == Operation::analyze ? kReplyBytesMax : kSmallReplyBytesMax)) {
        return base::fail(base::Errc::internal, {}, "reply too long");
    }
    if (buffer.size() < kFrameHeaderBytes + length) {
        return std::nullopt;
    }
    auto text = buffer.substr(kFrameHeaderBytes, length);
    buffer.erase(0, kFrameHeaderBytes + length);
    return text;
}

}  // namespace kinodex::media
