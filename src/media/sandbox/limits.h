// What one media child may use, per kind of work.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kinodex::media {

enum class Operation { probe, thumbnail, rendition, analyze };
inline constexpr int kOperationCount = 4;

/// Enforced by the kernel in the child (rlimits), but for `wall` and `stall`, timers of the parent.
struct Limits {
    std::uint64_t memory_bytes = 0;  // address space beyond the libraries that are always mapped
    std::chrono::seconds cpu{0};
    std::chrono::milliseconds wall{0};
    std::chrono::milliseconds stall{0};  // without telling progress; 0 where none is told
    std::uint64_t output_bytes = 0;      // of each file that is written
    bool threads = false;                // may start threads
    int nice = 0;                        // 0 to 19: long work yields to requests
};

inline constexpr std::uint64_t kMiB = 1024 * 1024;

/// The defaults. Memory: a 100-megapixel 16-bit RGBA image is 800 MB decoded, and an 8K 10-bit
/// HEVC reference set 1.7 GB. CPU and wall: generous for a slow disk and a busy machine, short
/// enough that a hostile file costs little. Stall: long work tells its progress four times a second
/// but for its last step, which takes seconds, or minutes on a busy machine. Output: a plan takes
/// some 30 bytes a sample, 16 kHz mono audio 115 MB an hour.
constexpr Limits default_limits(Operation operation) {
    using std::chrono::hours;
    using std::chrono::minutes;
    using std::chrono::seconds;
    switch (operation) {
        case Operation::probe:
            return {2048 * kMiB, seconds(30), seconds(60), seconds(0), 512 * kMiB, false, 0};
        case Operation::thumbnail:
            return {2048 * kMiB, seconds(30), seconds(60), seconds(0), 32 * kMiB, false, 0};
        case Operation::rendition:
            return {4096 * kMiB, hours(24), hours(12), minutes(10), 256 * 1024 * kMiB, true, 10};
        case Operation::analyze:
            return {2560 * kMiB, hours(12), hours(12), minutes(10), 16 * 1024 * kMiB, true, 10};
    }
    return {};
}

/// Long work has its own slots, so that uploads never wait behind a transcode.
constexpr bool is_long(Operation operation) {
    return operation == Operation::rendition || operation == Operation::analyze;
}

}  // namespace kinodex::media
