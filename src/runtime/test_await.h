// Runs one coroutine to its end on the thread of a test. For tests only.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "runtime/task.h"

namespace kinodex::runtime {

template <class T>
T await(Task<T> task) {
    boost::asio::io_context io;
    std::optional<T> result;
    auto story = [&]() -> Task<void> { result.emplace(co_await std::move(task)); };
    boost::asio::co_spawn(io, story, [](const std::exception_ptr& problem) {
        if (problem) {
            std::rethrow_exception(problem);
        }
    });
    io.run();
    return std::move(*result);
}

}  // namespace kinodex::runtime
