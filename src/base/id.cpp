#include "base/id.h"

#include <chrono>
#include <mutex>
#include <random>

#include "base/hex.h"

namespace kinodex::base {
namespace {

constexpr std::uint64_t kLow48 = (std::uint64_t{1} << 48) - 1;
// Leaves room to count up within a millisecond without running over.
constexpr std::uint64_t kRandomStart = (std::uint64_t{1} << 47) - 1;

struct Sequence {
    std::mutex mutex;
    std::uint64_t last_ms = 0;
    std::uint64_t low = 0;
    std::mt19937_64 random{std::random_device{}()};
};

}  // namespace

IdBytes next_id_bytes() {
    // Process-wide on purpose: order within the process is the promise.
    static Sequence sequence;
    std::uint64_t ms = 0;
    std::uint64_t low = 0;
    {
        const std::lock_guard lock(sequence.mutex);
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                             std::chrono::system_clock::now().time_since_epoch())
                             .count();
        ms = static_cast<std::uint64_t>(now) & kLow48;
        if (ms > sequence.last_ms) {
            sequence.last_ms = ms;
            sequence.low = sequence.random() & kRandomStart;
        } else {  // same millisecond, or the clock stepped back
            ms = sequence.last_ms;
            ++sequence.low;
        }
        low = sequence.low;
    }
    IdBytes bytes{};
    for (std::size_t i = 0; i < 6; ++i) {
        bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
        bytes[6 + i] = static_cast<std::uint8_t>(low >> (40 - 8 * i));
    }
    return bytes;
}

std::string id_text(const IdBytes& bytes) {
    return hex_text(bytes);
}

std::optional<IdBytes> parse_id_bytes(std::string_view text) {
    IdBytes bytes{};
    return parse_hex(text, bytes) ? std::optional(bytes) : std::nullopt;
}

}  // namespace kinodex::base
