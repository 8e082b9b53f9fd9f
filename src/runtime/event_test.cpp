// Events: set before or after the wait begins, each wait ends once.
#include "runtime/event.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

namespace kinodex::runtime {
namespace {

namespace asio = boost::asio;

TEST(Event, set_before_the_wait_is_remembered_once) {
    Event event;
    event.set();
    event.set();
    int waits = 0;
    asio::io_context io;
    asio::co_spawn(
        io,
        [&]() -> Task<void> {
            co_await event.wait();
            ++waits;
            co_await event.wait();
            ++waits;
        },
        asio::detached);
    io.poll();
    EXPECT_EQ(waits, 1);
    event.set();
    io.restart();
    io.run();
    EXPECT_EQ(waits, 2);
}

TEST(Event, other_threads_set_it_and_the_loop_stays_alive_meanwhile) {
    Event event;
    int waits = 0;
    asio::io_context io;
    asio::co_spawn(
        io,
        [&]() -> Task<void> {
            for (; waits < 1000; ++waits) {
                co_await event.wait();
            }
        },
        asio::detached);
    std::atomic<bool> done = false;
    std::thread setter([&] {
        while (!done) {
            event.set();
        }
    });
    io.run();
    done = true;
    setter.join();
    EXPECT_EQ(waits, 1000);
}

}  // namespace
}  // namespace kinodex::runtime
