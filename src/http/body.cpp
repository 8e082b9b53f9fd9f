#include <boost/asio/use_awaitable.hpp>

#include "http/exchange.h"

namespace kinodex::http {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

/// Of a body that comes in faster than one packet at a time.
constexpr std::uint64_t kBatchBytes = 256 * 1024;

base::Error error_of(base::Errc code, std::vector<base::ErrorValue> values = {}) {
    return base::fail(code, std::move(values)).error();
}

}  // namespace

void Connection::Body::begin(const RequestHead& head) {
    chunked_ = head.chunked;
    left_ = head.content_length;
    owes_continue_ = head.expects_continue && head.has_body();
}

bool Connection::Body::is_drainable() const {
    return !failure_ && !owes_continue_ && !chunked_ && left_ <= connection_.limits().drain_bytes;
}

/// How much to wait for: with a large body, enough that waking costs little beside copying.
std::size_t Connection::Body::batch_bytes() const {
    if (chunked_ || is_slow_) {
        return 1;
    }
    return static_cast<std::size_t>(std::min<std::uint64_t>(left_, kBatchBytes));
}

base::Error Connection::Body::fail_with(base::Error error) {
    failure_ = error;
    return error;
}

Asked<std::size_t> Connection::Body::read(std::span<std::byte> into) {
    if (failure_) {
        co_return std::unexpected(*failure_);
    }
    const std::span bytes(reinterpret_cast<char*>(into.data()), into.size());
    while (!is_done() && !bytes.empty()) {
        if (owes_continue_ && connection_.inbox().empty()) {
            const Pieces pieces{
                {{const_cast<char*>(kContinue.data()), kContinue.size()}, {nullptr, 0}}};
            owes_continue_ = !co_await connection_.write(pieces);
        }
        std::size_t content = 0;
        const auto moved = take(bytes, content);
        if (!moved) {
            co_return std::unexpected(fail_with(moved.error()));
        }
        content_bytes_ += content;
        if (limit_bytes_ > 0 && content_bytes_ > limit_bytes_) {
            co_return std::unexpected(fail_with(error_of(
                base::Errc::body_too_large, {{"maximum_size", std::to_string(limit_bytes_)}})));
        }
        if (content > 0) {
            pace_.moved(content);
            co_return content;
        }
        if (*moved == Moved::gone) {
            co_return std::unexpected(fail_with(error_of(
                base::Errc::request_malformed, {{"reason", "the body ends before its length"}})));
        }
        if (*moved != Moved::blocked) {
            continue;
        }
        const auto batch = batch_bytes();
        if (!co_await connection_.wait(Loop::Socket::wait_read, pace_, batch)) {
            if (connection_.expired_ && batch > 1) {
                // Less than a batch may have come, which is progress all the same.
                connection_.expired_ = false;
                is_slow_ = true;
                continue;
            }
            connection_.expired_ = false;  // the refusal may still be written
            co_return std::unexpected(fail_with(error_of(base::Errc::request_timed_out)));
        }
    }
    co_return std::size_t{0};
}

/// Takes what is there without waiting; `content` may be 0 although bytes were moved.
base::Result<Connection::Moved> Connection::Body::take(std::span<char> into, std::size_t& content) {
    if (chunked_) {
        return take_chunked(into, content);
    }
    const auto window =
        into.first(static_cast<std::size_t>(std::min<std::uint64_t>(left_, into.size())));
    auto moved = Moved::bytes;
    content = connection_.take_inbox(window);
    if (content == 0) {
        moved = connection_.receive(window, content);
    }
    left_ -= content;
    return moved;
}

base::Result<Connection::Moved> Connection::Body::take_chunked(std::span<char> into,
                                                               std::size_t& content) {
    auto moved = Moved::bytes;
    auto count = connection_.take_inbox(into);
    if (count == 0) {
        moved = connection_.receive(into, count);
    }
    KN_TRY(decoded, chunks_.decode(into.first(count)));
    connection_.put_back(into.subspan(decoded.consumed, count - decoded.consumed));
    content = decoded.content;
    return moved;
}

Task<bool> Connection::Body::drain() {
    while (!is_done()) {
        // Nobody looks at these bytes, so the loop's scratch serves although others write it too.
        const auto count = co_await read(std::as_writable_bytes(connection_.loop_.scratch()));
        if (!count || connection_.aborted_) {
            co_return false;
        }
    }
    co_return true;
}

}  // namespace kinodex::http
