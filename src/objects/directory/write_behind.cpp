#include "objects/directory/write_behind.h"

#include <utility>

namespace kinodex::objects {

using runtime::Asked;

namespace {

constexpr int kPiecesInTurn = 16;

}  // namespace

Asked<void> WriteBehind::add(Piece piece) {
    KN_CO_PASS(co_await wait_until_at_most(kPiecesBehindMax - 1));
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
    if (!draining_) {
        draining_ = lane_.post([self = shared_from_this()] { self->drain(); });
        if (!draining_) {
            failure_ = base::fail(base::Errc::overloaded, {{"queue", lane_.name()}}).error();
            pieces_.clear();
            co_return std::unexpected(*failure_);
        }
    }
    co_return base::Status{};
}

Asked<void> WriteBehind::settle() {
    co_return co_await wait_until_at_most(0);
}

Asked<void> WriteBehind::wait_until_at_most(std::size_t pieces) {
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (failure_) {
                co_return std::unexpected(*failure_);
            }
            if (pieces_.size() <= pieces) {
                co_return base::Status{};
            }
            awaited_pieces_ = pieces;
        }
        co_await changed_.wait();
    }
}

/// Its turn on the lane is bounded, so that a fast upload leaves the thread to others.
void WriteBehind::drain() {
    for (int i = 0; i < kPiecesInTurn; ++i) {
        if (!write_next()) {
            return;
        }
    }
    if (!lane_.post([self = shared_from_this()] { self->drain(); })) {
        while (write_next()) {  // a full lane must not lose what it took
        }
    }
}

/// False when nothing is left to write.
bool WriteBehind::write_next() {
    std::span<const std::byte> bytes;
    {
        const std::lock_guard lock(mutex_);
        bytes = pieces_.front().bytes;
    }
    auto written = write_(bytes);
    std::deque<Piece> done;  // let go outside the lock, and before the caller looks for a buffer
    bool is_more = false;
    bool is_awaited = false;
    {
        const std::lock_guard lock(mutex_);
        if (written) {
            done.push_back(std::move(pieces_.front()));
            pieces_.pop_front();
        } else {
            failure_ = std::move(written).error();
            done.swap(pieces_);
        }
        is_more = draining_ = !pieces_.empty();
        if (awaited_pieces_ && pieces_.size() <= *awaited_pieces_) {
            awaited_pieces_.reset();
            is_awaited = true;
        }
    }
    done.clear();
    if (is_awaited) {
        changed_.set();
    }
    return is_more;
}

}  // namespace kinodex::objects
