// Lanes: work runs off the I/O thread, answers come back to it, and a full lane refuses at once.
#include "runtime/lane.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace kinodex::runtime {
namespace {

namespace asio = boost::asio;

class Gate {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

TEST(Lane, work_runs_on_a_lane_thread_and_resumes_on_the_io_thread) {
    asio::io_context io;
    Lane lane("test", 1, 8);
    std::thread::id worked;
    std::thread::id resumed;
    int answer = 0;
    auto story = [&]() -> Task<void> {
        auto work = [&]() -> base::Result<int> {
            worked = std::this_thread::get_id();
            return 42;
        };
        auto result = co_await lane.run<int>(work);
        answer = result.value();
        resumed = std::this_thread::get_id();
    };
    asio::co_spawn(io, story, asio::detached);
    io.run();
    EXPECT_EQ(answer, 42);
    EXPECT_EQ(resumed, std::this_thread::get_id());
    EXPECT_NE(worked, resumed);
}

TEST(Lane, full_lane_refuses_as_overloaded) {
    asio::io_context io;
    Lane lane("narrow", 1, 1);
    Gate gate;
    Gate started;
    ASSERT_TRUE(lane.post([&] {
        started.open();
        gate.wait();
    }));
    started.wait();
    ASSERT_TRUE(lane.post([] {}));  // fills the queue
    base::Errc code = base::Errc::internal;
    auto story = [&]() -> Task<void> {
        auto work = []() -> base::Status { return {}; };
        auto result = co_await lane.run<void>(work);
        code = result.error().code;
    };
    asio::co_spawn(io, story, asio::detached);
    io.run();
    gate.open();
    EXPECT_EQ(code, base::Errc::overloaded);
}

TEST(Lane, stop_finishes_what_was_queued) {
    std::atomic<int> done = 0;
    {
        Lane lane("stopping", 2, 100);
        for (int i = 0; i < 100; ++i) {
            ASSERT_TRUE(lane.post([&] { ++done; }));
        }
        lane.stop();
        EXPECT_FALSE(lane.post([] {}));
    }
    EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace kinodex::runtime
