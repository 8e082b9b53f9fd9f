#include "fetch/download.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "fetch/resume.h"

namespace kinodex::fetch {

namespace asio = boost::asio;
using base::Errc;

namespace {

constexpr std::chrono::milliseconds kTick{1000};

/// 408, 425, 429 and the server errors are of the moment.
bool is_passing_status(unsigned status) {
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

}  // namespace

Download::Download(Fetcher& fetcher, DownloadRequest request)
    : fetcher_(fetcher),
      request_(std::move(request)),
      deadline_(Clock::now() + request_.total),
      not_before_(Clock::now()) {}

base::Error Download::failed(Errc code, std::string detail) const {
    return base::fail(code, {{"url", request_.url}}, std::move(detail)).error();
}

runtime::Asked<std::unique_ptr<Download>> Download::open(Fetcher& fetcher,
                                                         DownloadRequest request) {
    std::unique_ptr<Download> download(new Download(fetcher, std::move(request)));
    KN_CO_TRY(answer, co_await download->ask({}));
    KN_CO_PASS(download->check_head(answer->head(), 200));
    download->first_ = answer->head();
    download->answer_ = std::move(answer);
    co_return std::move(download);
}

runtime::Asked<std::unique_ptr<Answer>> Download::ask(std::vector<std::string> headers) {
    GetRequest get;
    get.url = request_.url;
    get.rules = request_.rules;
    get.patience = request_.patience;
    get.headers = std::move(headers);
    return fetcher_.get(std::move(get));
}

/// Of an answer with a body that will do: `wanted` is 200, or 206 for what follows.
base::Status Download::check_head(const Head& head, unsigned wanted) const {
    if (head.status != wanted) {
        return std::unexpected(failed(is_passing_status(head.status)
                                          ? Errc::media_url_unreachable
                                          : Errc::media_url_not_accessible,
                                      "answered " + std::to_string(head.status)));
    }
    if (!head.content_encoding.empty() && head.content_encoding != "identity") {
        return base::fail(Errc::media_url_unsupported_format,
                          {{"detected_format", head.content_encoding}});
    }
    if (wanted == 200 && head.content_length.value_or(0) > request_.bytes_max) {
        return std::unexpected(too_large(head, *head.content_length));
    }
    return {};
}

base::Error Download::too_large(const Head& head, std::uint64_t size_bytes) const {
    return base::fail(Errc::body_too_large, {{"maximum_size", std::to_string(request_.bytes_max)},
                                             {"current_size", std::to_string(size_bytes)},
                                             {"content_type", head.content_type}})
        .error();
}

runtime::Asked<Piece> Download::read() {
    while (true) {
        if (Clock::now() >= deadline_) {
            co_return std::unexpected(failed(Errc::media_url_unreachable, "it took too long"));
        }
        KN_CO_TRY(has_paused, co_await pause());
        if (has_paused) {
            co_return Piece{Piece::Kind::tick, {}, {}};
        }
        if (!answer_) {
            KN_CO_TRY(is_anew, co_await connect());
            if (is_anew) {
                co_return Piece{Piece::Kind::restart, {}, {}};
            }
            continue;
        }
        auto piece = co_await answer_->read();
        if (piece && piece->kind == Piece::Kind::end &&
            received_ < first_.content_length.value_or(0)) {
            piece = std::unexpected(failed(Errc::media_url_unreachable, "it ended too early"));
        }
        if (!piece) {
            KN_CO_PASS(break_off(std::move(piece).error()));
            continue;
        }
        received_ += piece->bytes.size();
        since_break_ += piece->bytes.size();
        if (since_break_ >= kProgressBytes) {
            breaks_ = 0;
        }
        if (received_ > request_.bytes_max) {
            co_return std::unexpected(too_large(first_, received_));
        }
        co_return std::move(*piece);
    }
}

/// Waits a moment of what is left of the back-off; false when nothing is.
runtime::Asked<bool> Download::pause() {
    const auto left = not_before_ - Clock::now();
    if (left <= Clock::duration::zero()) {
        co_return false;
    }
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(std::min<Clock::duration>(left, kTick));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return true;
}

/// A connection was lost: comes back to it later, or gives up.
base::Status Download::break_off(base::Error error) {
    answer_.reset();
    since_break_ = 0;
    if (error.code == Errc::overloaded) {  // by others: what has come so far is kept
        not_before_ = Clock::now() + request_.first_pause;
        return {};
    }
    ++breaks_;
    if (error.code != Errc::media_url_unreachable || breaks_ > request_.breaks_max) {
        return std::unexpected(std::move(error));
    }
    not_before_ = Clock::now() + request_.first_pause * (1 << std::min(breaks_ - 1, 10));
    return {};
}

base::Status Download::begin_anew() {
    received_ = 0;
    if (++restarts_ > kRestartsMax) {
        return std::unexpected(failed(Errc::media_url_unreachable, "it keeps changing"));
    }
    return {};
}

/// True when what was received so far is void.
runtime::Asked<bool> Download::connect() {
    auto headers = resume_headers(first_, received_);
    const bool is_whole = headers.empty();
    auto answer = co_await ask(std::move(headers));
    if (!answer) {
        KN_CO_PASS(break_off(std::move(answer).error()));
        co_return false;
    }
    const auto& head = (*answer)->head();
    const auto verdict = judge_resumption(first_, received_, head);
    if (!is_whole && verdict == Resumption::has_to_ask) {
        KN_CO_PASS(begin_anew());
        first_ = {};
        co_return true;
    }
    const bool goes_on = !is_whole && verdict == Resumption::goes_on;
    if (auto status = check_head(head, goes_on ? 206 : 200); !status) {
        KN_CO_PASS(break_off(std::move(status).error()));
        co_return false;
    }
    if (goes_on) {
        answer_ = std::move(*answer);
        co_return false;
    }
    const bool had_bytes = received_ > 0;
    if (had_bytes) {
        KN_CO_PASS(begin_anew());
    }
    first_ = head;
    answer_ = std::move(*answer);
    co_return had_bytes;
}

}  // namespace kinodex::fetch
