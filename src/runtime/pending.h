// Work that runs on a lane while its owner does something else, and is awaited later.
//
//     Pending<void> write = Pending<void>::start(lane, work);
//     …                                   // meanwhile
//     KN_CO_PASS(co_await write.wait());  // at most one waiter, at most once
//
// A Pending that is dropped lets its work run to its end; the work must own what it touches.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "runtime/lane.h"
#include "runtime/resume.h"

namespace kinodex::runtime {

template <class T>
class Pending {
  public:
    Pending() = default;

    /// Starts `work` (a callable without arguments that returns Result<T>). A full lane is the
    /// outcome `overloaded`.
    template <class Work>
    static Pending start(Lane& lane, Work work) {
        Pending pending;
        pending.state_ = std::make_shared<State>();
        auto step = [state = pending.state_, work = std::move(work)]() mutable {
            state->settle(work());
        };
        if (!lane.post(std::move(step))) {
            pending.state_->settle(base::fail(base::Errc::overloaded, {{"queue", lane.name()}}));
        }
        return pending;
    }

    [[nodiscard]] bool is_started() const { return state_ != nullptr; }

    /// The outcome. Afterwards the Pending is empty again.
    Asked<T> wait() {
        namespace asio = boost::asio;
        const auto state = std::exchange(state_, nullptr);
        auto initiate = [state](auto handler) {
            state->on_settled(resumption_of(std::move(handler)));
        };
        co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                             asio::use_awaitable);
        co_return std::move(*state->result);
    }

  private:
    struct State {
        std::mutex mutex;
        std::optional<base::Result<T>> result;
        std::move_only_function<void()> resume;

        void settle(base::Result<T> outcome) {
            std::move_only_function<void()> waiter;
            {
                const std::lock_guard lock(mutex);
                result.emplace(std::move(outcome));
                waiter = std::move(resume);
            }
            if (waiter) {
                waiter();
            }
        }
        void on_settled(std::move_only_function<void()> waiter) {
            {
                const std::lock_guard lock(mutex);
                if (!result) {
                    resume = std::move(waiter);
                    return;
                }
            }
            waiter();
        }
    };

    std::shared_ptr<State> state_;
};

}  // namespace kinodex::runtime
