// Runs one coroutine to its end on the calling thread: for start-up, and for commands that have no
// server.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "runtime/task.h"

namespace kinodex::server {

template <class T>
T wait_for(runtime::Task<T> task) {
    boost::asio::io_context io;
    std::optional<T> result;
    std::exception_ptr problem;
    auto story = [&]() -> runtime::Task<void> { result.emplace(co_await std::move(task)); };
    boost::asio::co_spawn(io, story,
                          [&](std::exception_ptr thrown) { problem = std::move(thrown); });
    io.run();
    if (problem) {
        std::rethrow_exception(problem);
    }
    return std::move(*result);
}

}  // namespace kinodex::server
