// An event that one coroutine waits for and any thread sets. Set while nobody waits, it is
// remembered for the next wait; each wait uses it up.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/task.h"

namespace kinodex::runtime {

class Event {
  public:
    /// Any thread.
    void set() {
        std::move_only_function<void()> waiter;
        {
            const std::lock_guard lock(mutex_);
            if (!waiter_) {
                is_set_ = true;
                return;
            }
            waiter = std::exchange(waiter_, nullptr);
        }
        waiter();
    }

    /// One waiter at a time; the Event must outlive the wait. Resumes on the waiter's executor.
    Task<void> wait() {
        namespace asio = boost::asio;
        auto initiate = [this](auto handler) {
            auto executor = asio::get_associated_executor(handler);
            auto alive = asio::prefer(executor, asio::execution::outstanding_work.tracked);
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            auto resume = [shared, alive] {
                asio::post(alive, [shared]() mutable { std::move (*shared)(); });
            };
            {
                const std::lock_guard lock(mutex_);
                if (!is_set_) {
                    waiter_ = std::move(resume);
                    return;
                }
                is_set_ = false;
            }
            resume();
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                             asio::use_awaitable);
    }

  private:
    std::mutex mutex_;
    bool is_set_ = false;
    std::move_only_function<void()> waiter_;
};

}  // namespace kinodex::runtime
