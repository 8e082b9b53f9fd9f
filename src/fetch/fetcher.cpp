#include "fetch/fetcher.h"

#include <algorithm>

#include "fetch/loop.h"

namespace kinodex::fetch {
namespace {

using base::Errc;

bool is_redirect(const Head& head) {
    switch (head.status) {
        case 301:
        case 302:
        case 303:
        case 307:
        case 308:
            return !head.location.empty();
        default:
            return false;
    }
}

std::unexpected<base::Error> not_accessible(const std::string& url, std::string detail) {
    return base::fail(Errc::media_url_not_accessible, {{"url", url}}, std::move(detail));
}

}  // namespace

Answer::Answer(std::shared_ptr<Transfer> transfer, std::shared_ptr<Loop> loop, Head head)
    : transfer_(std::move(transfer)), loop_(std::move(loop)), head_(std::move(head)) {}

Answer::~Answer() {
    loop_->drop(transfer_);
}

runtime::Asked<Piece> Answer::read() {
    return transfer_->read();
}

Fetcher::Fetcher(FetcherOptions options)
    : options_(std::move(options)), loop_(std::make_shared<Loop>(options_.transfers_max)) {}

Fetcher::~Fetcher() {
    stop();
}

runtime::Asked<std::unique_ptr<Answer>> Fetcher::begin(Request request) {
    request.ca_file = options_.ca_file;
    auto transfer = std::make_shared<Transfer>(std::move(request), loop_);
    KN_CO_PASS(loop_->start(transfer));
    auto head = co_await transfer->head();
    if (!head) {
        co_return std::unexpected(std::move(head).error());
    }
    co_return std::make_unique<Answer>(std::move(transfer), loop_, std::move(*head));
}

runtime::Asked<std::unique_ptr<Answer>> Fetcher::get(GetRequest request) {
    KN_CO_TRY(url, parse_url(request.url));
    for (int hops = 0; hops <= kRedirectsMax; ++hops) {
        Request one;
        one.url = url;
        one.asked_url = request.url;
        one.headers = request.headers;
        one.patience = request.patience;
        one.rules = request.rules;
        KN_CO_TRY(answer, co_await begin(std::move(one)));
        if (!is_redirect(answer->head())) {
            co_return std::move(answer);
        }
        auto next = redirected(url, answer->head().location);
        if (!next) {
            co_return not_accessible(request.url,
                                     url.host + " redirects to what may not be fetched");
        }
        url = std::move(*next);
    }
    co_return not_accessible(request.url, "too many redirects");
}

runtime::Asked<Head> Fetcher::post(PostRequest request) {
    Request one;
    KN_CO_TRY(url, parse_url(request.url));
    one.url = std::move(url);
    one.asked_url = request.url;
    one.method = Method::post;
    one.headers = std::move(request.headers);
    one.body = std::move(request.body);
    one.patience = request.patience;
    one.rules = std::move(request.rules);
    KN_CO_TRY(answer, co_await begin(std::move(one)));
    // Politeness: most bodies come within this one look of a second, and end without a reset.
    (void)co_await answer->read();
    co_return answer->head();
}

void Fetcher::stop() {
    loop_->stop();
}

std::size_t Fetcher::transfers() const {
    return loop_->transfers();
}

}  // namespace kinodex::fetch
