// The media store: large immutable objects under text keys, behind one interface.
//
// Keys: "assets/<asset id>/source", ".../thumbnail.jpg", ".../playback.plan", ".../rendition.mp4",
// "indexed/<indexed asset id>/shots.json", ".../shot-0001.jpg", ".../audio.wav", ".../audio.json".
// An object appears whole or not at all: it is written aside, synced, and then put in place with
// its directory synced. Objects never change; putting a key again replaces it whole.
// Errors of every call: overloaded, storage_full, internal; resource_not_exist for a missing key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "runtime/task.h"

namespace kinodex::objects {

using runtime::Asked;

/// An object being written. Dropped without `commit`, it leaves nothing behind (after a crash, the
/// start-up sweep removes it).
class Draft {
  public:
    virtual ~Draft() = default;
    /// Appends; returns when the bytes were handed to the store. One call at a time.
    virtual Asked<void> append(std::span<const std::byte> bytes) = 0;
    /// The same, but returns as soon as all earlier bytes were handed over: the caller can fetch
    /// more while these are written. `owner` keeps them alive for as long as that takes. What goes
    /// wrong with them is the error of the next call.
    virtual Asked<void> append_behind(std::span<const std::byte> bytes,
                                      std::shared_ptr<const void> owner) = 0;
    /// All bytes were handed over, also those appended behind.
    virtual Asked<void> settle() = 0;
    /// Bytes taken so far.
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    /// A descriptor on the bytes written so far, readable and writable by a media child, owned by
    /// the draft.
    [[nodiscard]] virtual int fd() const = 0;
    /// The same for reading only: a child's source.
    [[nodiscard]] virtual int read_fd() const = 0;
    /// Begins to make the bytes durable and returns at once: the caller can look at them meanwhile.
    /// Nothing is written afterwards, neither here nor through `fd`. What goes wrong is the error
    /// of `commit`, which waits for it.
    virtual Asked<void> sync_behind() = 0;
    /// Durable and visible under `key` when it returns. At most once.
    virtual Asked<void> commit(std::string key) = 0;
};

inline constexpr std::size_t kDirectAlignment = 4096;

/// Which bytes of the whole object a part is. `index` is its number, from 1.
struct PartSpan {
    std::int64_t index = 0;
    std::uint64_t offset = 0;
    std::uint64_t size_bytes = 0;
};

/// One part of an object in parts, being written. Dropped without `finish`, it leaves the bytes of
/// the part undefined if it was in place, and untouched if it was aside.
///
/// Of several writers of the same part at most one is in place; the others begin aside. A writer
/// that was ended by another's `take_over` gets chunk_replaced from every later call.
class Part {
  public:
    virtual ~Part() = default;
    [[nodiscard]] virtual bool is_aside() const = 0;
    /// Before the first byte: what is in place shall stay until `finish`.
    virtual Asked<void> keep_aside() = 0;
    /// As Draft::append_behind, and no more than the part's size may come. A store may write pieces
    /// whose place in memory and size are multiples of kDirectAlignment without copying them.
    virtual Asked<void> append_behind(std::span<const std::byte> bytes,
                                      std::shared_ptr<const void> owner) = 0;
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    /// Settles all bytes, and names them: equal bytes have the same ETag, others another.
    virtual Asked<std::string> etag() = 0;
    /// Ends every other writer of the part: when it returns, none changes a byte any more.
    virtual Asked<void> take_over() = 0;
    /// In place and durable. A part that is aside takes over first.
    virtual Asked<void> finish() = 0;
};

/// An open object: positioned reads from any thread, one file's lifetime.
class Object {
  public:
    virtual ~Object() = default;
    [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
    /// Fills `into` from `offset`. Errors: internal when the object is shorter.
    virtual Asked<void> read(std::uint64_t offset, std::span<std::byte> into) = 0;
    /// Owned by the object; for handing to a media child.
    [[nodiscard]] virtual int fd() const = 0;
};

/// A draft and the key it is to have.
struct Placing {
    std::unique_ptr<Draft> draft;
    std::string key;
};

struct SweepReport {
    std::uint64_t drafts_removed = 0;
    std::uint64_t bytes_removed = 0;
};

class Objects {
  public:
    virtual ~Objects() = default;
    virtual Asked<std::unique_ptr<Draft>> create() = 0;
    /// Commits drafts of this store that belong together, for little more than the price of one.
    /// On failure some may be in place, in any order: the caller removes what it does not want.
    virtual Asked<void> commit_all(std::vector<Placing> placings) = 0;
    /// An object that comes in parts, in any order and several at once, over hours and restarts.
    /// Nobody sees it under `key` before `join_parts`, and `sweep` leaves it alone. Again is fine.
    virtual Asked<void> open_parts(std::string key, std::uint64_t size_bytes) = 0;
    /// Errors: resource_not_exist when no parts are open under `key`.
    virtual Asked<std::unique_ptr<Part>> write_part(std::string key, PartSpan span) = 0;
    /// Every part was finished: the object is visible and durable under `key` when it returns.
    /// Again is fine. Errors: resource_not_exist when there are neither parts nor the object.
    virtual Asked<void> join_parts(std::string key) = 0;
    virtual Asked<std::shared_ptr<Object>> open(std::string key) = 0;
    /// Whole small object. Errors: also body_too_large beyond `limit_bytes`.
    virtual Asked<std::string> read_all(std::string key, std::uint64_t limit_bytes) = 0;
    virtual Asked<void> put(std::string key, std::string bytes) = 0;
    virtual Asked<bool> exists(std::string key) = 0;
    /// Removes every object whose key starts with `prefix` (which ends in '/'), also those in
    /// parts; none is fine.
    virtual Asked<void> remove_prefix(std::string prefix) = 0;
    /// Names directly under "assets/" or "indexed/", also of objects in parts: for finding orphans
    /// at start.
    virtual Asked<std::vector<std::string>> list_owners(std::string top) = 0;
    /// Keys that start with `prefix` (which ends in '/'), sorted, without objects in parts.
    virtual Asked<std::vector<std::string>> list(std::string prefix) = 0;
    /// Removes drafts left by an earlier process.
    virtual Asked<SweepReport> sweep() = 0;
    virtual Asked<std::uint64_t> free_bytes() = 0;
};

}  // namespace kinodex::objects
