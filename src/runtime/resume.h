// How work on another thread wakes the coroutine that awaits it.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <memory>
#include <utility>

namespace kinodex::runtime {

/// A function, to be called once from any thread, that resumes `handler` on its own executor. Until
/// it is gone it keeps that executor's loop alive, even when nothing else is pending there. It can
/// be copied, as callables that are kept must be.
template <class Handler>
auto resumption_of(Handler handler) {
    namespace asio = boost::asio;
    auto executor = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
    auto shared = std::make_shared<Handler>(std::move(handler));
    return
        [shared, executor] { asio::post(executor, [shared]() mutable { std::move (*shared)(); }); };
}

}  // namespace kinodex::runtime
