// The pieces of one draft that wait to be written: the lane goes from one to the next without
// waiting for the caller, who meanwhile fetches more.
//
// They are written in order, by one lane thread at a time. After a failure nothing more is written.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

#include "runtime/event.h"
#include "runtime/lane.h"
#include "runtime/task.h"

namespace kinodex::objects {

/// Pieces of one draft that wait or are being written; who adds more waits.
inline constexpr std::size_t kPiecesBehindMax = 2;

class WriteBehind : public std::enable_shared_from_this<WriteBehind> {
  public:
    struct Piece {
        std::span<const std::byte> bytes;
        std::shared_ptr<const void> owner;  // shared with whoever fills it again
    };
    /// Called on the lane, for one piece at a time.
    using Write = std::move_only_function<base::Status(std::span<const std::byte>)>;

    WriteBehind(runtime::Lane& lane, Write write) : lane_(lane), write_(std::move(write)) {}

    /// Waits for room, not for the writing. One caller at a time, here and in `settle`.
    /// Errors: overloaded, and what went wrong with an earlier piece.
    runtime::Asked<void> add(Piece piece);
    /// All pieces were written. Errors: what went wrong with one.
    runtime::Asked<void> settle();

  private:
    runtime::Asked<void> wait_until_at_most(std::size_t pieces);
    void drain();
    bool write_next();

    runtime::Lane& lane_;
    Write write_;
    std::mutex mutex_;
    std::deque<Piece> pieces_;  // the first one is being written while `draining_`
    bool draining_ = false;
    std::optional<base::Error> failure_;
    std::optional<std::size_t> awaited_pieces_;  // the caller waits until no more are left
    runtime::Event changed_;
};

}  // namespace kinodex::objects
