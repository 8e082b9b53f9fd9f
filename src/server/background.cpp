#include "server/background.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "observe/log.h"

namespace kinodex::server {

namespace asio = boost::asio;

namespace {

// One write a minute at most for looking busy.
constexpr int kRoundsToRecordUses = 60;

}  // namespace

Background::Background() : guard_(asio::make_work_guard(io_)), pause_(io_) {
    thread_ = std::thread([this] { io_.run(); });
}

Background::~Background() {
    join();
}

void Background::spawn(runtime::Task<void> story) {
    ++rounds_;
    asio::co_spawn(io_, std::move(story), [this](const std::exception_ptr& problem) {
        if (problem) {
            observe::log_error("background_failed");
        }
        --rounds_;
    });
}

void Background::start(store::Store& store, objects::Objects& objects, service::KeyRing& keys,
                       service::Uploads& uploads) {
    spawn(look_every_second(store, keys, uploads));
    auto sweep = [](store::Store& the_store, objects::Objects& the_objects,
                    base::Timestamp started_at) -> runtime::Task<void> {
        auto swept = co_await service::sweep_orphans(the_store, the_objects, started_at);
        if (!swept) {
            observe::log_warn("sweep_failed", {{"reason", swept.error().detail}});
        }
    };
    spawn(sweep(store, objects, base::now()));
}

runtime::Task<void> Background::look_every_second(store::Store& store, service::KeyRing& keys,
                                                  service::Uploads& uploads) {
    int rounds = 0;
    while (!stopping_) {
        pause_.expires_after(std::chrono::seconds(1));
        co_await pause_.async_wait(asio::as_tuple(asio::use_awaitable));
        auto refreshed = co_await keys.refresh();
        if (!refreshed) {
            observe::log_warn("keys_not_refreshed", {{"reason", refreshed.error().detail}});
        }
        auto tidied = co_await uploads.tidy(base::now());
        if (!tidied) {
            observe::log_warn("uploads_not_tidied", {{"reason", tidied.error().detail}});
        }
        if (++rounds % kRoundsToRecordUses == 0 || stopping_) {
            auto recorded = co_await keys.record_uses();
            if (!recorded) {
                observe::log_warn("key_uses_not_recorded", {{"reason", recorded.error().detail}});
            }
        }
        auto counts = co_await store.count_jobs();
        if (counts) {
            waiting_ = counts->waiting;
            running_ = counts->running;
        }
    }
}

void Background::begin_stop() {
    stopping_ = true;
    asio::post(io_, [this] { pause_.cancel(); });
}

void Background::join() {
    guard_.reset();
    if (thread_.joinable()) {
        thread_.join();
    }
}

store::JobCounts Background::jobs() const {
    return {waiting_, running_};
}

}  // namespace kinodex::server
