#include "server/object_hold.h"

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "observe/log.h"
#include "server/stop_signal.h"
#include "server/wait_for.h"

namespace kinodex::server {
namespace {

using std::chrono::steady_clock;

// Short, so that what was deleted leaves the disk soon after a copy was killed; and five renewals
// may fail before it ends.
constexpr std::chrono::minutes kHeldFor{3};
constexpr std::chrono::seconds kRenewedAfter{30};
constexpr std::chrono::minutes kRemovalsEndWithin{2};
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

struct ObjectHold::Renewal {
    store::Store& store;
    std::int64_t holder = base::now().time_since_epoch().count() * 100'000 + ::getpid();
    std::mutex mutex;
    std::condition_variable changed;
    bool is_ending = false;                  // under `mutex`
    bool has_lapsed = false;                 // under `mutex`
    std::optional<base::Timestamp> ends_at;  // under `mutex`; by the clock of those who remove
    std::thread thread;

    explicit Renewal(store::Store& held) : store(held) {}
    ~Renewal() {
        if (!thread.joinable()) {
            return;  // was never taken
        }
        {
            const std::lock_guard lock(mutex);
            is_ending = true;
        }
        changed.notify_all();
        thread.join();
        auto released = wait_for(store.transfer().release_objects(holder));
        if (!released) {
            observe::log_warn("hold_not_released", {{"reason", released.error().detail}});
        }
    }
    Renewal(const Renewal&) = delete;
    Renewal& operator=(const Renewal&) = delete;

    base::Status renew() {
        const auto begun = base::now();
        KN_PASS(wait_for(store.transfer().hold_objects(holder, begun + kHeldFor)));
        const std::lock_guard lock(mutex);
        has_lapsed = has_lapsed || (ends_at && *ends_at < base::now());
        ends_at = begun + kHeldFor;
        return {};
    }

    void keep_renewing() {
        std::unique_lock lock(mutex);
        while (!changed.wait_for(lock, kRenewedAfter, [this] { return is_ending; })) {
            lock.unlock();
            if (auto renewed = renew(); !renewed) {
                observe::log_warn("hold_not_renewed", {{"reason", renewed.error().detail}});
            }
            lock.lock();
        }
    }
};

ObjectHold::ObjectHold(std::unique_ptr<Renewal> renewal) : renewal_(std::move(renewal)) {}
ObjectHold::ObjectHold(ObjectHold&& other) noexcept = default;
ObjectHold::~ObjectHold() = default;

base::Result<ObjectHold> ObjectHold::take(store::Store& store) {
    ObjectHold hold(std::make_unique<Renewal>(store));
    auto& renewal = *hold.renewal_;
    KN_PASS(renewal.renew());
    renewal.thread = std::thread([&renewal] { renewal.keep_renewing(); });
    const auto deadline = steady_clock::now() + kRemovalsEndWithin;
    while (true) {
        KN_PASS(check_stop());
        KN_TRY(removing, wait_for(store.transfer().objects_are_removed()));
        if (!removing) {
            return hold;
        }
        if (steady_clock::now() > deadline) {
            return base::fail(base::Errc::overloaded, {{"queue", "remove_objects"}},
                              "a removal of objects does not end");
        }
        std::this_thread::sleep_for(kLook);
    }
}

base::Status ObjectHold::check() const {
    const std::lock_guard lock(renewal_->mutex);
    if (renewal_->has_lapsed || *renewal_->ends_at < base::now()) {
        return base::fail(base::Errc::internal, {},
                          "media may have been removed meanwhile, because this was paused or the "
                          "database could not be written for minutes; run it again");
    }
    return {};
}

base::Status ObjectHold::forget_in(store::Store& copy) const {
    return wait_for(copy.transfer().release_objects(renewal_->holder));
}

}  // namespace kinodex::server
