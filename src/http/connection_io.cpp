// The half of a connection that moves bytes and keeps time.
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "http/connection.h"
#include "observe/log.h"

namespace kinodex::http {

namespace asio = boost::asio;

namespace {

constexpr auto kAsValue = asio::as_tuple(asio::use_awaitable);

bool would_block(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

iovec piece_of(std::string_view bytes) {
    return {const_cast<char*>(bytes.data()), bytes.size()};
}

/// Takes `count` bytes off the front.
void advance(std::array<iovec, 2>& pieces, std::size_t count) {
    for (auto& piece : pieces) {
        const auto step = std::min(count, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + step;
        piece.iov_len -= step;
        count -= step;
    }
}

}  // namespace

void Connection::check_deadline(Clock::time_point now) {
    if (now >= deadline_) {
        deadline_ = Clock::time_point::max();
        expired_ = true;
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
}

void Connection::stop_if_idle() {
    if (idle_) {
        abort();
    }
}

void Connection::abort() {
    aborted_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

/// Plain system calls, without Asio's operations around them: most calls do not block, so most
/// requests allocate no operation and arm no timer.
Connection::Moved Connection::receive(std::span<char> into, std::size_t& count) {
    const auto got = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) {
        count = static_cast<std::size_t>(got);
        bytes_in_ += count;
        return Moved::bytes;
    }
    return got < 0 && would_block(errno) ? Moved::blocked : Moved::gone;
}

/// It has closed, and has sent nothing that we have yet to read.
bool Connection::is_client_gone() {
    char byte = 0;
    const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return aborted_ || got == 0 || (got < 0 && !would_block(errno));
}

/// Sends until all is gone (`bytes`) or the socket takes no more.
Connection::Moved Connection::send_now(Pieces& pieces) {
    while (pieces[0].iov_len + pieces[1].iov_len > 0) {
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = pieces.size();
        const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            return would_block(errno) ? Moved::blocked : Moved::gone;
        }
        bytes_out_ += static_cast<std::uint64_t>(sent);
        advance(pieces, static_cast<std::size_t>(sent));
    }
    return Moved::bytes;
}

Task<bool> Connection::write(Pieces pieces) {
    Pace pace(limits().write_timeout, limits().progress_bytes);
    while (!aborted_) {
        const auto before = bytes_out_;
        const auto moved = send_now(pieces);
        pace.moved(bytes_out_ - before);
        if (moved != Moved::blocked) {
            co_return moved == Moved::bytes;
        }
        if (!co_await wait(Loop::Socket::wait_write, pace)) {
            break;
        }
    }
    co_return false;
}

Task<bool> Connection::write_sourced(std::string head, SourcedBytes body) {
    const auto size = std::min<std::uint64_t>(body.length, limits().source_buffer_bytes);
    std::vector<char> buffer(static_cast<std::size_t>(size));
    std::string_view before = head;
    for (std::uint64_t done = 0; done < body.length;) {
        const auto count =
            static_cast<std::size_t>(std::min<std::uint64_t>(size, body.length - done));
        const std::span piece(buffer.data(), count);
        auto status = co_await body.source->read(body.offset + done, std::as_writable_bytes(piece));
        if (!status) {
            // The length is promised already: closing early is all that can be said now.
            observe::log_error("http.body_source_failed", {{"detail", status.error().detail}});
            co_return false;
        }
        const Pieces pieces{{piece_of(before), {piece.data(), count}}};
        if (!co_await write(pieces)) {
            co_return false;
        }
        before = {};
        done += count;
    }
    co_return true;
}

/// A sender that is faster than we are woken would wake us for every few packets, and its own pace
/// falls with ours.
void Connection::wake_at(std::size_t enough_bytes) {
    if (enough_bytes != woken_at_) {
        boost::system::error_code ignored;  // then we are woken too often, or at the deadline
        socket_.set_option(Loop::Socket::receive_low_watermark(static_cast<int>(enough_bytes)),
                           ignored);
        woken_at_ = enough_bytes;
    }
}

Task<bool> Connection::wait(Loop::Socket::wait_type what, Pace& pace, std::size_t enough_bytes) {
    if (aborted_) {
        co_return false;
    }
    if (what == Loop::Socket::wait_read) {
        wake_at(enough_bytes);
    }
    const auto from = Clock::now();
    deadline_ = from + pace.left();
    const auto [error] = co_await socket_.async_wait(what, kAsValue);
    deadline_ = Clock::time_point::max();
    pace.waited(Clock::now() - from);
    co_return !error && !is_interrupted();
}

/// A client that is still sending would be told "connection reset" by a plain close and never see
/// our answer. So its bytes are thrown away for a while, without being copied.
Task<void> Connection::linger() {
    expired_ = false;
    idle_ = true;  // nothing is owed any more, so a stop need not wait
    boost::system::error_code ignored;
    socket_.shutdown(Loop::Socket::shutdown_send, ignored);
    Pace pace(limits().linger_timeout, ~std::uint64_t{0});
    constexpr std::size_t kDiscardBytes = std::size_t{16} * 1024 * 1024;
    while (!is_interrupted()) {
        const auto got =
            ::recv(socket_.native_handle(), nullptr, kDiscardBytes, MSG_TRUNC | MSG_DONTWAIT);
        if (got > 0) {
            continue;
        }
        if (got == 0 || !would_block(errno) || !co_await wait(Loop::Socket::wait_read, pace)) {
            co_return;
        }
    }
}

std::string_view Connection::inbox() const {
    return std::string_view(inbox_).substr(inbox_used_);
}

std::size_t Connection::take_inbox(std::span<char> into) {
    const auto bytes = inbox();
    const auto count = std::min(bytes.size(), into.size());
    if (count > 0) {
        std::memcpy(into.data(), bytes.data(), count);
        inbox_used_ += count;
    }
    if (inbox_used_ == inbox_.size()) {
        inbox_ = {};
        inbox_used_ = 0;
    }
    return count;
}

void Connection::put_back(std::span<const char> bytes) {
    if (!bytes.empty()) {
        std::string joined(bytes.data(), bytes.size());
        joined += inbox();
        inbox_ = std::move(joined);
        inbox_used_ = 0;
    }
}

}  // namespace kinodex::http
