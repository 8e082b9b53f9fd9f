// The thread that moves the bytes of all transfers. It runs while there are any.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "fetch/transfer.h"
#include "runtime/lane.h"

namespace kinodex::fetch {

class Loop {
  public:
    explicit Loop(std::size_t transfers_max);
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Any thread.
    /// Errors: overloaded beyond the bound, shutting_down.
    base::Status start(std::shared_ptr<Transfer> transfer);
    /// There is room again for what the transfer brings.
    void go_on(std::shared_ptr<Transfer> transfer);
    /// Nobody reads it any more.
    void drop(std::shared_ptr<Transfer> transfer);
    /// Fails all with shutting_down and refuses new ones. Safe twice.
    void stop();
    [[nodiscard]] std::size_t transfers() const { return transfers_; }

  private:
    using Clock = std::chrono::steady_clock;
    struct Command {
        enum class Kind { start, go_on, drop } kind;
        std::shared_ptr<Transfer> transfer;
    };

    bool command(Command command);
    void drive();
    bool take_commands();
    void obey(const Command& command);
    void settle_finished();
    void settle_stopped(CURLM* multi);
    void tick();
    void forget(CURLM* multi, CURL* easy);

    const std::size_t transfers_max_;
    std::atomic<std::size_t> transfers_ = 0;

    std::mutex mutex_;
    std::vector<Command> commands_;
    CURLM* multi_ = nullptr;  // while driving; only its wake-up may be called by other threads
    bool is_driving_ = false;
    bool is_stopping_ = false;

    // Of the loop's thread alone.
    std::vector<Command> taken_;
    std::unordered_map<CURL*, std::shared_ptr<Transfer>> active_;
    Clock::time_point ticked_at_;

    runtime::Lane lane_;  // last: ends before what it works on
};

}  // namespace kinodex::fetch
