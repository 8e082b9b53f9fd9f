#include "http/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/check.h"
#include "base/id.h"
#include "http/exchange.h"
#include "http/query.h"
#include "http/response_head.h"
#include "observe/log.h"

namespace kinodex::http {

namespace asio = boost::asio;

namespace {

constexpr auto kAsValue = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kRetryAfterSeconds = "1";

base::Error error_of(base::Errc code, std::vector<base::ErrorValue> values = {},
                     std::string detail = {}) {
    return base::fail(code, std::move(values), std::move(detail)).error();
}

/// One of the bodies that may stream at once.
class StreamSlot {
  public:
    explicit StreamSlot(std::atomic<std::size_t>& used) : used_(used), number_(used.fetch_add(1)) {}
    ~StreamSlot() { used_.fetch_sub(1); }
    StreamSlot(const StreamSlot&) = delete;
    StreamSlot& operator=(const StreamSlot&) = delete;
    [[nodiscard]] bool is_within(std::size_t limit) const { return number_ < limit; }

  private:
    std::atomic<std::size_t>& used_;
    std::size_t number_;
};

std::string_view view_of(const Response& response) {
    if (const auto* text = std::get_if<std::string>(&response.body)) {
        return *text;
    }
    if (const auto* shared = std::get_if<SharedBytes>(&response.body)) {
        KN_CHECK(shared->offset + shared->length <= shared->bytes->size(), "a part of the bytes");
        return std::string_view(*shared->bytes).substr(shared->offset, shared->length);
    }
    return {};
}

Task<Response> at_once(Response response) {
    co_return response;
}

/// What does not fit into the limits without an end in sight: too long a target or too many fields.
base::Error long_head_error(std::string_view bytes, const ServerLimits& limits) {
    const bool in_target =
        bytes.substr(0, limits.target_bytes).find("\r\n") == std::string_view::npos;
    return error_of(in_target ? base::Errc::uri_too_long : base::Errc::header_too_large);
}

}  // namespace

Connection::Connection(Loop& loop, Loop::Socket socket, Loop::Admission admission)
    : loop_(loop), socket_(std::move(socket)), admission_(admission) {}

Connection::~Connection() {
    if (place_) {
        loop_.delist(*place_);
    }
    loop_.forget();
}

Task<void> Connection::run(std::unique_ptr<Connection> self) {
    self->place_ = self->loop_.enlist(self.get());
    const int on = 1;
    ::setsockopt(self->socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
        co_await self->serve_all();
    } catch (const std::exception& error) {
        // Handlers' exceptions end in `call`; this is for memory that ran out between them.
        observe::log_error("http.connection_failed", {{"detail", error.what()}});
    }
}

Task<void> Connection::serve_all() {
    auto after = After::keep;
    if (admission_ == Loop::Admission::refuse) {
        after = co_await refuse_client();
    }
    while (after == After::keep && !loop_.shared().stopping.load()) {
        wake_at(1);  // a body may have waited for more
        if (inbox().empty()) {
            // Nothing is held while idle but this object, its socket and its coroutine.
            inbox_ = {};
            inbox_used_ = 0;
            deadline_ = Clock::now() + limits().idle_timeout;
            idle_ = true;
            co_await socket_.async_wait(Loop::Socket::wait_read, kAsValue);
            idle_ = false;
            deadline_ = Clock::time_point::max();
            if (is_interrupted()) {
                break;
            }
        }
        after = co_await serve_one();
    }
    if (after == After::linger) {
        co_await linger();
    }
}

Task<Connection::After> Connection::serve_one() {
    Exchange exchange(*this);
    bytes_in_ = bytes_out_ = 0;
    // Absolute: no byte of the head moves it.
    deadline_ = exchange.started + limits().header_timeout;
    while (!take_head(exchange)) {
        co_await socket_.async_wait(Loop::Socket::wait_read, kAsValue);
        if (aborted_) {
            co_return After::close;
        }
        if (expired_) {
            expired_ = false;
            exchange.broken = error_of(base::Errc::request_timed_out);
            break;
        }
    }
    deadline_ = Clock::time_point::max();
    if (exchange.gone) {
        co_return After::close;
    }
    auto& request = exchange.request;
    if (request.request_id.empty()) {
        request.request_id = base::id_text(base::next_id_bytes());
    }
    Response response;
    if (exchange.broken) {
        response = refusal(exchange, *exchange.broken);
    } else {
        exchange.body.begin(exchange.head);
        response = co_await answer(exchange);
    }
    co_return co_await send(exchange, std::move(response));
}

Task<Connection::After> Connection::refuse_client() {
    Exchange exchange(*this);
    exchange.request.request_id = base::id_text(base::next_id_bytes());
    exchange.broken = error_of(base::Errc::overloaded, {{"queue", "connections"}});
    co_return co_await send(exchange, refusal(exchange, *exchange.broken));
}

/// True when there is a head, or never will be one; false when more bytes are needed.
bool Connection::take_head(Exchange& exchange) {
    if (!inbox().empty() && exchange.scanned == 0 && parse_from(inbox(), exchange)) {
        return true;
    }
    std::size_t count = 0;
    const auto room = loop_.scratch().first(limits().header_bytes);
    const auto moved = receive(room, count);
    if (moved != Moved::bytes) {
        exchange.gone = moved == Moved::gone;
        return exchange.gone;
    }
    const std::string_view fresh(room.data(), count);
    // Whole heads mostly come in one piece and are read where they lie.
    if (inbox().empty() && parse_from(fresh, exchange)) {
        const auto used = inbox_used_;
        inbox_ = fresh.substr(std::min(used, fresh.size()));
        inbox_used_ = 0;
        return true;
    }
    if (inbox().empty()) {
        inbox_ = fresh;
        inbox_used_ = 0;
        return false;
    }
    inbox_ += fresh;
    return parse_from(inbox(), exchange);
}

/// Reads a head from the front of `bytes` and adds its size to `inbox_used_`.
bool Connection::parse_from(std::string_view bytes, Exchange& exchange) {
    // Line ends before a request are passed over (RFC 9112, section 2.2).
    const auto start = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
    const auto from = std::max(start, exchange.scanned);
    const auto end = bytes.find(kHeadEnd, from);
    if (end == std::string_view::npos) {
        exchange.scanned = bytes.size() < kHeadEnd.size() ? 0 : bytes.size() - kHeadEnd.size() + 1;
        if (bytes.size() < limits().header_bytes) {
            return false;
        }
        exchange.broken = long_head_error(bytes, limits());
        return true;
    }
    const auto head = bytes.substr(start, end + kHeadEnd.size() - start);
    const HeadLimits head_limits{limits().header_bytes, limits().target_bytes};
    const auto consumed = parse_head(head, head_limits, exchange.request, exchange.head);
    if (!consumed) {
        exchange.broken = consumed.error();
        return true;
    }
    inbox_used_ += start + *consumed;
    return true;
}

/// Finds the route at once; the coroutine that comes back is that of its handler or of a refusal.
Task<Response> Connection::answer(Exchange& exchange) {
    auto& request = exchange.request;
    const auto& shared = loop_.shared();
    auto match = shared.router.find(request.method, request.path);
    if (match.route == nullptr) {
        if (request.method == Method::options && shared.options.options_handler) {
            return call(exchange, shared.options.options_handler);
        }
        return at_once(no_route(exchange, match));
    }
    exchange.route = match.route;
    request.path_values = std::move(match.path_values);
    auto query = parse_query(exchange.head.raw_query);
    if (!query) {
        return at_once(refusal(exchange, query.error()));
    }
    request.query = std::move(*query);
    if (match.route->body == BodyMode::none) {
        return call(exchange, match.route->handler);
    }
    return answer_route(exchange, *match.route);
}

/// The routes that take a body.
Task<Response> Connection::answer_route(Exchange& exchange, const Route& route) {
    const auto limit = route.body_limit_bytes;
    if (limit > 0 && exchange.head.content_length > limit) {
        co_return refusal(exchange, error_of(base::Errc::body_too_large,
                                             {{"maximum_size", std::to_string(limit)}}));
    }
    exchange.body.set_limit(limit);
    if (route.body == BodyMode::whole) {
        if (auto status = co_await read_whole(exchange); !status) {
            co_return refusal(exchange, status.error());
        }
        co_return co_await call(exchange, route.handler);
    }
    const StreamSlot slot(loop_.shared().streamed_bodies);
    if (!slot.is_within(limits().streamed_bodies)) {
        co_return refusal(exchange,
                          error_of(base::Errc::overloaded, {{"queue", "streamed_bodies"}}));
    }
    exchange.request.body_reader = &exchange.body;
    exchange.request.is_client_gone = [this] { return is_client_gone(); };
    auto response = co_await call(exchange, route.handler);
    exchange.request.body_reader = nullptr;
    co_return response;
}

Asked<void> Connection::read_whole(Exchange& exchange) {
    constexpr std::size_t kPieceBytes = 16 * 1024;
    auto& body = exchange.request.body;
    while (!exchange.body.is_done()) {
        // Room grows with what has come, never with what was announced.
        const auto filled = body.size();
        body.resize(filled + kPieceBytes);
        const std::span room(body.data() + filled, kPieceBytes);
        const auto count = co_await exchange.body.read(std::as_writable_bytes(room));
        body.resize(filled + count.value_or(0));
        if (!count) {
            co_return std::unexpected(count.error());
        }
    }
    co_return base::Status{};
}

/// The one place where exceptions of handlers end.
Task<Response> Connection::call(Exchange& exchange, const Handler& handler) {
    std::string escaped;
    try {
        co_return co_await handler(exchange.request);
    } catch (const std::exception& error) {
        escaped = error.what();
    } catch (...) {
        escaped = "an exception of unknown type";
    }
    observe::log_error("http.handler_failed",
                       {{"request_id", exchange.request.request_id},
                        {"route", exchange.route ? exchange.route->name : ""},
                        {"detail", escaped}});
    co_return refusal(exchange, error_of(base::Errc::internal, {}, escaped));
}

Response Connection::no_route(Exchange& exchange, const Router::Match& match) {
    const auto& request = exchange.request;
    if (!match.path_known) {
        return refusal(exchange,
                       error_of(base::Errc::endpoint_not_exists, {{"path", request.path}}));
    }
    auto response =
        refusal(exchange, error_of(base::Errc::method_not_allowed,
                                   {{"method", request.method_text}, {"path", request.path}}));
    response.headers.emplace_back("Allow", match.allow);
    return response;
}

Response Connection::refusal(Exchange& exchange, const base::Error& error) {
    auto response = loop_.shared().options.render_error(error, exchange.request.request_id);
    const bool told = std::ranges::any_of(
        response.headers, [](const auto& header) { return header.first == "Retry-After"; });
    if (response.status == 503 && !told) {
        response.headers.emplace_back("Retry-After", kRetryAfterSeconds);
    }
    return response;
}

bool Connection::may_keep(const Exchange& exchange, const Response& response) const {
    return exchange.head.keep_alive && !exchange.broken && !response.close_connection &&
           !loop_.shared().stopping.load(std::memory_order_relaxed) && !aborted_ &&
           (exchange.body.is_done() || exchange.body.is_drainable());
}

Task<Connection::After> Connection::send(Exchange& exchange, Response response) {
    const bool keep = may_keep(exchange, response);
    HeadParts parts;
    parts.request_id = exchange.request.request_id;
    parts.date = loop_.date();
    parts.fixed_lines = loop_.shared().fixed_lines;
    parts.content_length = body_length(response);
    parts.connection = !keep                       ? ConnectionHeader::close
                       : exchange.head.is_http_1_0 ? ConnectionHeader::keep_alive
                                                   : ConnectionHeader::none;
    auto head = response_head(response, parts);
    const bool has_body = parts.content_length > 0 && !is_bodiless(response.status) &&
                          exchange.request.method != Method::head;
    auto* sourced = has_body ? std::get_if<SourcedBytes>(&response.body) : nullptr;
    bool sent = false;
    if (sourced != nullptr) {
        sent = co_await write_sourced(std::move(head), std::move(*sourced));
    } else {
        const auto body = has_body ? view_of(response) : std::string_view{};
        Pieces pieces{{{head.data(), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
        const auto moved = send_now(pieces);
        sent = moved == Moved::bytes || (moved == Moved::blocked && co_await write(pieces));
    }
    report(exchange, response.status);
    if (!sent) {
        co_return After::close;
    }
    if (keep) {
        co_return exchange.body.is_done() || co_await exchange.body.drain() ? After::keep
                                                                            : After::linger;
    }
    const bool clean = exchange.body.is_done() && inbox().empty() && !exchange.broken;
    co_return clean ? After::close : After::linger;
}

void Connection::report(const Exchange& exchange, unsigned status) const {
    const auto& on_access = loop_.shared().options.on_access;
    if (!on_access) {
        return;
    }
    Access access;
    access.method = exchange.request.method_text;
    access.route = exchange.route != nullptr ? std::string_view(exchange.route->name) : "";
    access.status = status;
    access.duration = Clock::now() - exchange.started;
    access.bytes_in = bytes_in_;
    access.bytes_out = bytes_out_;
    access.request_id = exchange.request.request_id;
    on_access(access);
}

}  // namespace kinodex::http
