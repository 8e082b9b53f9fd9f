// Media work in sandboxed children: the server's side.
//
// A zygote process is started at once and again whenever it dies. Every call becomes one child
// that it forks, or goes to one that rests from a probe with the same key; calls beyond the
// parallel limits wait in order, and beyond the queue limit are refused as `overloaded`. All state
// lives on one thread of its own; callers only await.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>

#include "media/media.h"
#include "media/sandbox/limits.h"

namespace kinodex::media {

struct SandboxOptions {
    /// The binary whose `media-zygote` subcommand calls run_zygote. The default is this one, even
    /// when its file has been replaced meanwhile.
    std::string executable = "/proc/self/exe";
    /// Children at once for probes and thumbnails: they mostly wait for each other's core.
    std::size_t short_parallel = 4;
    /// And for renditions and analyses, which take cores for minutes.
    std::size_t long_parallel = 2;
    /// Calls that wait, for each of the two kinds. A waiting call holds three descriptors.
    std::size_t queue_limit = 256;
    std::array<Limits, kOperationCount> limits = {
        default_limits(Operation::probe), default_limits(Operation::thumbnail),
        default_limits(Operation::rendition), default_limits(Operation::analyze)};
    /// How long a child that may be used again is kept without work.
    std::chrono::milliseconds rest{1'000};

    [[nodiscard]] const Limits& limits_of(Operation operation) const {
        return limits[static_cast<std::size_t>(operation)];
    }
};

/// Threads: calls may come from any. Destroying it kills what runs and joins its thread; no call
/// may be outstanding then unless its executor has stopped.
std::unique_ptr<Media> make_sandboxed_media(SandboxOptions options);

}  // namespace kinodex::media
