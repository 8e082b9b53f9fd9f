// Pending work: its outcome reaches the waiter whether it ends before or after the wait begins.
#include "runtime/pending.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <semaphore>

namespace kinodex::runtime {
namespace {

namespace asio = boost::asio;

template <class Story>
void run(Story story) {
    asio::io_context io;
    asio::co_spawn(io, std::move(story), asio::detached);
    io.run();
}

TEST(Pending, outcome_waits_for_its_waiter) {
    Lane lane("test", 1, 4);
    auto pending = Pending<int>::start(lane, []() -> base::Result<int> { return 7; });
    lane.stop();  // the work has ended before anybody waits
    int answer = 0;
    run([&]() -> Task<void> { answer = (co_await pending.wait()).value(); });
    EXPECT_EQ(answer, 7);
    EXPECT_FALSE(pending.is_started());
}

TEST(Pending, waiter_is_resumed_when_the_work_ends) {
    Lane lane("test", 1, 4);
    std::binary_semaphore gate(0);
    auto pending = Pending<void>::start(lane, [&]() -> base::Status {
        gate.acquire();
        return base::fail(base::Errc::storage_full);
    });
    auto code = base::Errc::internal;
    run([&]() -> Task<void> {
        gate.release();
        code = (co_await pending.wait()).error().code;
    });
    EXPECT_EQ(code, base::Errc::storage_full);
}

TEST(Pending, full_lane_is_an_outcome) {
    Lane lane("narrow", 1, 4);
    lane.stop();
    auto pending = Pending<void>::start(lane, []() -> base::Status { return {}; });
    auto code = base::Errc::internal;
    run([&]() -> Task<void> { code = (co_await pending.wait()).error().code; });
    EXPECT_EQ(code, base::Errc::overloaded);
}

}  // namespace
}  // namespace kinodex::runtime
