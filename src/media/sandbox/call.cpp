#include "media/sandbox/call.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "media/sandbox/worker_pool.h"
#include "runtime/resume.h"

namespace kinodex::media {

namespace asio = boost::asio;

runtime::Task<Happening> Call::next() {
    auto self = shared_from_this();
    auto initiate = [self](auto handler) {
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected()) {
            slot.assign([weak = self->weak_from_this()](asio::cancellation_type) {
                if (auto call = weak.lock()) {
                    call->abandon();
                }
            });
        }
        auto resume = runtime::resumption_of(std::move(handler));
        {
            const std::lock_guard lock(self->mutex_);
            self->resume_ = std::move(resume);
        }
        self->wake();
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                         asio::use_awaitable);
    const std::lock_guard lock(mutex_);
    co_return std::exchange(news_, {});
}

void Call::make_progress(double value) {
    {
        const std::lock_guard lock(mutex_);
        news_.progress = value;
    }
    wake();
}

void Call::finish(Outcome outcome) {
    {
        const std::lock_guard lock(mutex_);
        if (finished_) {
            return;
        }
        finished_ = true;
        news_.outcome = std::move(outcome);
    }
    wake();
}

void Call::abandon() {
    if (auto pool = pool_.lock()) {
        pool->abandon(shared_from_this());
    }
}

void Call::wake() {
    std::move_only_function<void()> resume;
    {
        const std::lock_guard lock(mutex_);
        if (!news_.progress && !news_.outcome) {
            return;
        }
        resume = std::exchange(resume_, nullptr);
    }
    if (resume) {
        resume();
    }
}

}  // namespace kinodex::media
