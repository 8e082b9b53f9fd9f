#include "service/deliverer.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>

#include "observe/log.h"

namespace kinodex::service {
namespace {

namespace asio = boost::asio;
using base::Errc;
using domain::Delivery;
using domain::DeliveryId;
using domain::DeliveryOutcome;
using domain::DeliveryState;
using runtime::Task;

constexpr std::chrono::seconds kPoll{1};
constexpr std::chrono::minutes kTidyPause{1};
// After the store failed: what it could not keep would be sent again and again.
constexpr std::chrono::seconds kStoreFailedPause{10};

constexpr const char* kNotConfigured = "the endpoint is no longer configured";

/// A URL with what is under way to it.
struct Line {
    std::string url;
    asio::steady_timer timer;
    std::vector<DeliveryId> under_way;
    std::vector<DeliveryId> ended;  // of these
    bool store_failed = false;
};

bool holds(const std::vector<DeliveryId>& ids, DeliveryId id) {
    return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

/// Everything below runs on one strand, so plain members need no lock; the atomics are what other
/// threads look at.
struct Deliverer::State : std::enable_shared_from_this<Deliverer::State> {
    asio::strand<asio::any_io_executor> strand;
    store::WebhookStore& store;
    fetch::Fetcher& fetcher;
    WebhookOptions options;
    std::list<Line> lines;
    asio::steady_timer tidy_timer;
    std::atomic<bool> stopping = false;
    std::atomic<int> live_coroutines = 0;

    State(const asio::any_io_executor& executor, store::WebhookStore& the_store,
          fetch::Fetcher& the_fetcher, WebhookOptions the_options)
        : strand(asio::make_strand(executor)),
          store(the_store),
          fetcher(the_fetcher),
          options(std::move(the_options)),
          tidy_timer(strand) {
        for (const auto& endpoint : options.endpoints) {
            if (std::ranges::find(lines, endpoint.url, &Line::url) == lines.end()) {
                lines.push_back({endpoint.url, asio::steady_timer(strand), {}, {}});
            }
        }
    }

    void spawn(Task<void> story) {
        ++live_coroutines;
        auto self = shared_from_this();
        // Owned by `live_coroutines`: stopped() is true only when all of them have ended.
        asio::co_spawn(strand, std::move(story), [self](const std::exception_ptr& problem) {
            if (problem) {
                observe::log_error("deliverer_failed");
            }
            --self->live_coroutines;
        });
    }

    Task<void> wait(asio::steady_timer& timer, std::chrono::milliseconds time) {
        if (!stopping) {
            timer.expires_after(time);
            co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    [[nodiscard]] bool is_configured(const Delivery& delivery) const {
        return std::ranges::any_of(options.endpoints, [&](const WebhookEndpoint& endpoint) {
            return endpoint.url == delivery.url &&
                   (endpoint.account_name.empty() || delivery.account_name.empty() ||
                    endpoint.account_name == delivery.account_name);
        });
    }

    Task<void> look_after(Line& line);
    Task<void> send(Line& line, Delivery delivery);
    Task<std::optional<DeliveryOutcome>> outcome_of(const Delivery& delivery);
    Task<void> keep_tidy();
};

Task<void> Deliverer::State::look_after(Line& line) {
    while (!stopping) {
        // Only now, before a read: one that began earlier may still have shown them as due.
        for (const auto& id : std::exchange(line.ended, {})) {
            std::erase(line.under_way, id);
        }
        if (std::exchange(line.store_failed, false)) {
            co_await wait(line.timer, kStoreFailedPause);
            continue;
        }
        // As many as there may be: what is under way is among them until it is recorded.
        auto due = co_await store.due_deliveries(line.url, base::now(), kAtOnce);
        if (!due) {
            observe::log_warn("deliveries_not_read", {{"reason", due.error().detail}});
            line.store_failed = true;
            continue;
        }
        for (auto& each : *due) {
            if (!stopping && line.under_way.size() < kAtOnce && !holds(line.under_way, each.id)) {
                line.under_way.push_back(each.id);
                spawn(send(line, std::move(each)));
            }
        }
        if (line.ended.empty()) {
            co_await wait(line.timer, kPoll);
        }
    }
}

Task<void> Deliverer::State::send(Line& line, Delivery delivery) {
    auto outcome = co_await outcome_of(delivery);
    const auto id = delivery.id;
    if (outcome) {
        auto recorded = co_await store.record_outcome(std::move(delivery), std::move(*outcome));
        if (!recorded) {
            observe::log_warn("delivery_not_recorded",
                              {{"delivery", id.text()}, {"reason", recorded.error().detail}});
            line.store_failed = true;
        }
    }
    line.ended.push_back(id);
    line.timer.cancel();
}

/// Nothing when the server stops: that is not the endpoint's fault, and no attempt.
Task<std::optional<DeliveryOutcome>> Deliverer::State::outcome_of(const Delivery& delivery) {
    DeliveryOutcome outcome;
    if (!is_configured(delivery)) {
        outcome.state = DeliveryState::failed;
        outcome.error = kNotConfigured;
        outcome.was_tried = false;
        co_return outcome;
    }
    auto sent = co_await send_webhook(fetcher, options, delivery.url, delivery.body);
    if (sent) {
        outcome.state = DeliveryState::delivered;
        co_return outcome;
    }
    if (sent.error().code == Errc::shutting_down) {
        co_return std::nullopt;
    }
    const auto now = base::now();
    const bool is_late = now - delivery.created_at >= kTriedFor;
    const int attempts = delivery.attempts + 1;
    outcome.state = is_late ? DeliveryState::failed : DeliveryState::pending;
    outcome.error = reason_of(sent.error());
    outcome.next_at = now + jobs::backoff(attempts);
    observe::log_warn("webhook_not_delivered", {{"delivery", delivery.id.text()},
                                                {"event", delivery.event_id},
                                                {"attempts", attempts},
                                                {"reason", outcome.error},
                                                {"retry", !is_late}});
    co_return outcome;
}

/// Ends what no loop looks after, and forgets what ended long ago; also when there is no endpoint.
Task<void> Deliverer::State::keep_tidy() {
    std::vector<std::string> urls;
    for (const auto& line : lines) {
        urls.push_back(line.url);
    }
    while (!stopping) {
        auto failed = co_await store.fail_deliveries_beside(urls, kNotConfigured);
        auto forgotten = failed ? co_await store.forget_deliveries(base::now() - kKeptFor)
                                : base::Result<std::int64_t>(std::unexpected(failed.error()));
        if (!forgotten) {
            observe::log_warn("deliveries_not_tidied", {{"reason", forgotten.error().detail}});
        } else if (*failed > 0) {
            observe::log_warn("deliveries_ended", {{"count", *failed}, {"reason", kNotConfigured}});
        }
        // Each call changes some thousand rows at most.
        if (!forgotten || (*failed == 0 && *forgotten == 0)) {
            co_await wait(tidy_timer, kTidyPause);
        }
    }
}

Deliverer::Deliverer(const asio::any_io_executor& executor, store::WebhookStore& store,
                     fetch::Fetcher& fetcher, WebhookOptions options)
    : state_(std::make_shared<State>(executor, store, fetcher, std::move(options))) {}

Deliverer::~Deliverer() = default;

void Deliverer::start() {
    for (auto& line : state_->lines) {
        state_->spawn(state_->look_after(line));
    }
    state_->spawn(state_->keep_tidy());
}

void Deliverer::begin_stop() {
    state_->stopping = true;
    asio::post(state_->strand, [state = state_] {
        for (auto& line : state->lines) {
            line.timer.cancel();
        }
        state->tidy_timer.cancel();
    });
}

bool Deliverer::stopped() const {
    return state_->live_coroutines == 0;
}

}  // namespace kinodex::service
