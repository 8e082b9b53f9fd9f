// The template half of lane.h: hops to a lane thread and back.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "runtime/resume.h"

namespace kinodex::runtime {

template <class T, class Work>
Asked<T> Lane::run(Work work) {
    namespace asio = boost::asio;
    // The slot is shared because the awaiting frame may be cancelled while the work runs on.
    auto slot = std::make_shared<std::optional<base::Result<T>>>();
    auto initiate = [this, slot](auto handler, Work job) {
        auto executor = asio::get_associated_executor(handler);
        auto resume = resumption_of(std::move(handler));
        auto step = [slot, job = std::move(job), resume]() mutable {
            slot->emplace(job());
            resume();
        };
        if (!post_quietly(std::move(step))) {
            slot->emplace(base::fail(base::Errc::overloaded, {{"queue", name()}}));
            resume();
            return;
        }
        // Woken after whatever else is ready on this executor: under load many requests come to
        // the lane in one go, and alone a request waits for nothing.
        if (claim_flush()) {
            asio::post(executor, [this] { flush(); });
        }
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        std::move(initiate), asio::use_awaitable, std::move(work));
    co_return std::move(**slot);
}

}  // namespace kinodex::runtime
