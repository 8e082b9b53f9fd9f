// Sends what waits for webhook endpoints, each by itself: none waits for another.
//
// Each URL has a loop of its own, which looks for what is due and has a few attempts under way at
// most. What waits, and until when, is in the store alone: a kill loses nothing, and what is asked
// for by another process is found at the next look. Start reading at Deliverer::start.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>

#include "service/webhooks.h"

namespace kinodex::service {

class Deliverer {
  public:
    /// Attempts under way at one URL.
    static constexpr std::size_t kAtOnce = 2;
    /// How long a delivery is tried, and how long its outcome is kept.
    static constexpr std::chrono::hours kTriedFor{24};
    static constexpr std::chrono::hours kKeptFor{7 * 24};

    Deliverer(const boost::asio::any_io_executor& executor, store::WebhookStore& store,
              fetch::Fetcher& fetcher, WebhookOptions options);
    ~Deliverer();

    void start();
    /// Begins nothing more; what is under way ends when the fetcher is stopped. Any thread.
    void begin_stop();
    /// True when all of it has ended. Any thread.
    [[nodiscard]] bool stopped() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kinodex::service
