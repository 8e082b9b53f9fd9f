#include "server/object_hold.h"

#include <unistd.h>

#include <thread>
#include <utility>

#include "observe/log.h"
#include "server/wait_for.h"

namespace kinodex::server {
namespace {

using std::chrono::minutes;
using std::chrono::steady_clock;

// Long enough for the largest object on a slow disk.
constexpr minutes kHeldFor{30};
constexpr minutes kRenewedAfter{1};
constexpr minutes kRemovalsEndWithin{2};
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

ObjectHold::ObjectHold(store::Store& store)
    : store_(&store), holder_(base::now().time_since_epoch().count() * 100'000 + ::getpid()) {}

ObjectHold::ObjectHold(ObjectHold&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      holder_(other.holder_),
      renewed_(other.renewed_) {}

ObjectHold::~ObjectHold() {
    if (store_ != nullptr) {
        auto released = wait_for(store_->transfer().release_objects(holder_));
        if (!released) {
            observe::log_warn("hold_not_released", {{"reason", released.error().detail}});
        }
    }
}

base::Result<ObjectHold> ObjectHold::take(store::Store& store) {
    ObjectHold hold(store);
    KN_PASS(hold.keep());
    const auto deadline = steady_clock::now() + kRemovalsEndWithin;
    while (true) {
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

base::Status ObjectHold::forget_in(store::Store& copy) const {
    return wait_for(copy.transfer().release_objects(holder_));
}

base::Status ObjectHold::keep() {
    const auto now = steady_clock::now();
    if (renewed_ != steady_clock::time_point{} && now - renewed_ < kRenewedAfter) {
        return {};
    }
    KN_PASS(wait_for(store_->transfer().hold_objects(holder_, base::now() + kHeldFor)));
    renewed_ = now;
    return {};
}

}  // namespace kinodex::server
