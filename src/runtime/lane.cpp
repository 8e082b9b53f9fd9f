#include "runtime/lane.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace kinodex::runtime {

struct Lane::State {
    std::string name;
    std::size_t queue_limit = 0;
    mutable std::mutex mutex;
    std::condition_variable ready;
    std::deque<std::move_only_function<void()>> queue;
    std::size_t idle = 0;
    bool stopping = false;
    std::atomic<bool> flush_claimed = false;
    std::vector<std::thread> threads;

    void work() {
        std::unique_lock lock(mutex);
        while (true) {
            ++idle;
            ready.wait(lock, [this] { return stopping || !queue.empty(); });
            --idle;
            if (queue.empty()) {
                return;
            }
            auto job = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            job();
            job = nullptr;  // captured state dies here, outside the lock
            lock.lock();
        }
    }
};

Lane::Lane(std::string name, std::size_t width, std::size_t queue_limit)
    : state_(std::make_unique<State>()) {
    state_->name = std::move(name);
    state_->queue_limit = queue_limit;
    for (std::size_t i = 0; i < width; ++i) {
        state_->threads.emplace_back([this] { state_->work(); });
        // Thread names are cut at 15 characters by the kernel.
        pthread_setname_np(state_->threads.back().native_handle(),
                           state_->name.substr(0, 15).c_str());
    }
}

Lane::~Lane() {
    stop();
}

bool Lane::post(std::move_only_function<void()> work) {
    if (!post_quietly(std::move(work))) {
        return false;
    }
    flush();
    return true;
}

bool Lane::post_quietly(std::move_only_function<void()> work) {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping || state_->queue.size() >= state_->queue_limit) {
        return false;
    }
    state_->queue.push_back(std::move(work));
    return true;
}

bool Lane::claim_flush() {
    return !state_->flush_claimed.exchange(true);
}

void Lane::flush() {
    // Cleared first: who queues from here on sees to a flush of their own.
    state_->flush_claimed.store(false);
    std::size_t wakes = 0;
    {
        const std::lock_guard lock(state_->mutex);
        wakes = std::min(state_->idle, state_->queue.size());
    }
    for (std::size_t i = 0; i < wakes; ++i) {
        state_->ready.notify_one();
    }
}

const std::string& Lane::name() const {
    return state_->name;
}

std::size_t Lane::depth() const {
    const std::lock_guard lock(state_->mutex);
    return state_->queue.size();
}

void Lane::stop() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->ready.notify_all();
    for (auto& thread : state_->threads) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

}  // namespace kinodex::runtime
