#include "fetch/loop.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>

namespace kinodex::fetch {
namespace {

using base::Errc;

constexpr std::chrono::seconds kTick{1};
constexpr int kPollMs = 1000;

base::Error stopped() {
    return base::fail(Errc::shutting_down).error();
}

}  // namespace

Loop::Loop(std::size_t transfers_max) : transfers_max_(transfers_max), lane_("fetch", 1, 1) {}

Loop::~Loop() {
    stop();
}

base::Status Loop::start(std::shared_ptr<Transfer> transfer) {
    if (transfers_.fetch_add(1) >= transfers_max_) {
        --transfers_;
        return base::fail(Errc::overloaded, {{"queue", "fetch"}}, "others have every transfer");
    }
    if (!command({Command::Kind::start, std::move(transfer)})) {
        --transfers_;
        return std::unexpected(stopped());
    }
    return {};
}

void Loop::go_on(std::shared_ptr<Transfer> transfer) {
    command({Command::Kind::go_on, std::move(transfer)});
}

void Loop::drop(std::shared_ptr<Transfer> transfer) {
    command({Command::Kind::drop, std::move(transfer)});
}

void Loop::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        if (multi_ != nullptr) {
            curl_multi_wakeup(multi_);
        }
    }
    lane_.stop();
}

bool Loop::command(Command command) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) {
        return false;
    }
    if (!is_driving_) {
        if (command.kind != Command::Kind::start) {
            return true;  // it has ended already
        }
        is_driving_ = lane_.post([this] { drive(); });
        if (!is_driving_) {
            return false;
        }
    }
    commands_.push_back(std::move(command));
    if (multi_ != nullptr) {
        curl_multi_wakeup(multi_);
    }
    return true;
}

void Loop::drive() {
    // A peer that closes while TLS is being written would end the process otherwise.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM* multi = curl_multi_init();
    {
        const std::lock_guard lock(mutex_);
        multi_ = multi;
    }
    ticked_at_ = Clock::now();
    while (take_commands()) {
        for (const auto& each : taken_) {
            obey(each);
        }
        taken_.clear();
        int running = 0;
        curl_multi_perform(multi_, &running);
        settle_finished();
        tick();
        curl_multi_poll(multi_, nullptr, 0, active_.empty() ? 0 : kPollMs, nullptr);
    }
    settle_stopped(multi);
    curl_multi_cleanup(multi);
}

/// False when there is nothing left to do, or a stop.
bool Loop::take_commands() {
    const std::lock_guard lock(mutex_);
    taken_.swap(commands_);
    if (!is_stopping_ && !(taken_.empty() && active_.empty())) {
        return true;
    }
    multi_ = nullptr;
    is_driving_ = false;
    return false;
}

void Loop::obey(const Command& command) {
    const auto& transfer = command.transfer;
    switch (command.kind) {
        case Command::Kind::start: {
            CURL* easy = transfer->open();
            if (easy == nullptr || curl_multi_add_handle(multi_, easy) != CURLM_OK) {
                --transfers_;
                transfer->fail(base::fail(Errc::internal, {}, "curl has no memory").error());
                return;
            }
            active_.emplace(easy, transfer);
            return;
        }
        case Command::Kind::go_on:
            transfer->go_on();
            return;
        case Command::Kind::drop: {
            const auto found = std::ranges::find_if(
                active_, [&](const auto& each) { return each.second == transfer; });
            if (found != active_.end()) {
                forget(multi_, found->first);
                transfer->fail(stopped());
            }
            return;
        }
    }
}

void Loop::forget(CURLM* multi, CURL* easy) {
    active_.at(easy)->discard();
    curl_multi_remove_handle(multi, easy);
    active_.erase(easy);
    --transfers_;
}

void Loop::settle_finished() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        const CURLcode code = message->data.result;
        CURL* easy = message->easy_handle;
        const auto transfer = active_.at(easy);
        forget(multi_, easy);
        transfer->finish(code);
    }
}

void Loop::settle_stopped(CURLM* multi) {
    for (const auto& each : taken_) {
        if (each.kind == Command::Kind::start) {
            --transfers_;
            each.transfer->fail(stopped());
        }
    }
    taken_.clear();
    while (!active_.empty()) {
        const auto [easy, transfer] = *active_.begin();
        forget(multi, easy);
        transfer->fail(stopped());
    }
}

void Loop::tick() {
    const auto now = Clock::now();
    if (now - ticked_at_ < kTick) {
        return;
    }
    ticked_at_ = now;
    for (const auto& [easy, transfer] : active_) {
        transfer->tick();
    }
}

}  // namespace kinodex::fetch
