// The thread of everything that happens between requests: jobs, sweeps, looking at keys and counts.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "jobs/runner.h"
#include "service/keys.h"
#include "service/sweep.h"
#include "service/uploads.h"

namespace kinodex::server {

class Background {
  public:
    Background();
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    [[nodiscard]] boost::asio::any_io_executor executor() { return io_.get_executor(); }
    /// Looks at keys, job counts and upload sessions every second, and sweeps orphans once.
    void start(store::Store& store, objects::Objects& objects, service::KeyRing& keys,
               service::Uploads& uploads);
    /// Ends the rounds; the thread goes on for whoever still needs it.
    void begin_stop();
    /// True once the rounds have ended.
    [[nodiscard]] bool stopped() const { return rounds_ == 0; }
    /// Ends the thread.
    void join();

    [[nodiscard]] store::JobCounts jobs() const;

  private:
    runtime::Task<void> look_every_second(store::Store& store, service::KeyRing& keys,
                                          service::Uploads& uploads);
    void spawn(runtime::Task<void> story);

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
    boost::asio::steady_timer pause_;
    std::atomic<bool> stopping_ = false;
    std::atomic<int> rounds_ = 0;
    std::atomic<std::int64_t> waiting_ = 0;
    std::atomic<std::int64_t> running_ = 0;
    std::thread thread_;
};

}  // namespace kinodex::server
