#include "media/sandbox/job_child.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <exception>
#include <new>
#include <optional>

#include "media/sandbox/channel.h"

namespace kinodex::media {
namespace {

constexpr int kReplyFd = 3;                   // beside the standard ones, which lead to /dev/null
constexpr int kKeptBytes = 32 * 1024 * 1024;  // the most that glibc takes
constexpr std::uint64_t kRestingBytesMax = 128 * kMiB;
constexpr auto kProgressEvery = std::chrono::milliseconds(250);

/// Moves the descriptors to 3, 4, … whatever numbers they have now.
bool place_descriptors(std::vector<base::UniqueFd>& fds) {
    const int first_free = kReplyFd + static_cast<int>(fds.size());
    for (auto& each : fds) {
        // Out of the way first: a target number may be another one's present place.
        each.reset(::fcntl(each.get(), F_DUPFD_CLOEXEC, first_free));
        if (!each) {
            return false;
        }
    }
    for (std::size_t i = 0; i < fds.size(); ++i) {
        const int target = kReplyFd + static_cast<int>(i);
        if (::dup2(fds[i].get(), target) != target) {
            return false;
        }
        [[maybe_unused]] const int left = fds[i].release();  // close_range takes the old number
    }
    return true;
}

bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(kReplyFd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

std::string framed(const std::string& text) {
    return frame_header(text.size()) + text;
}

Progress throttled_progress() {
    using Clock = std::chrono::steady_clock;
    return [last = Clock::time_point()](double value) mutable {
        const auto now = Clock::now();
        if (now - last < kProgressEvery || !std::isfinite(value)) {
            return;
        }
        last = now;
        write_all(framed(encode_progress(std::min(1.0, std::max(0.0, value)))));
    };
}

Outcome done(const base::Result<void>& result) {
    if (!result) {
        return std::unexpected(result.error());
    }
    return Reply(std::monostate{});
}

template <class Report>
Outcome done(base::Result<Report> result) {
    if (!result) {
        return std::unexpected(std::move(result).error());
    }
    return Reply(std::move(*result));
}

Outcome run(const ChildFunctions& functions, const Request& request) {
    const Progress progress = throttled_progress();
    if (const auto* probe = std::get_if<ProbeRequest>(&request)) {
        return done(functions.probe(*probe));
    }
    if (const auto* thumbnail = std::get_if<ThumbnailRequest>(&request)) {
        return done(functions.thumbnail(*thumbnail));
    }
    if (const auto* rendition = std::get_if<RenditionRequest>(&request)) {
        return done(functions.rendition(*rendition, progress));
    }
    return done(functions.analyze(std::get<AnalyzeRequest>(request), progress));
}

Outcome run_safely(const ChildFunctions& functions, const Request& request) {
    try {
        return run(functions, request);
    } catch (const std::bad_alloc&) {
        return base::fail(base::Errc::file_unprocessable, {}, "out of memory");
    } catch (const std::exception& error) {
        return base::fail(base::Errc::file_unprocessable, {}, error.what());
    }
}

/// Whether a further job has nearly all of the limits to itself: they are of the process.
bool is_as_good_as_new(const Limits& limits) {
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) != 0) {
        return false;
    }
    const auto spent = std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                       std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    const auto resident = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
    const auto resident_max = std::min(kRestingBytesMax, limits.memory_bytes / 4);
    return 6 * spent <= limits.cpu && resident <= resident_max;
}

/// Waits for it; nothing when the parent wants no more, or what came is none.
std::optional<JobOrder> next_order() {
    auto packet = receive_packet(kReplyFd, kControlBytesMax, true);
    if (packet.state != Received::State::packet) {
        return std::nullopt;
    }
    auto order = decode_order(packet.text);
    auto* job = order ? std::get_if<JobOrder>(&*order) : nullptr;
    if (job == nullptr || packet.fds.size() != descriptors_of(job->request).size()) {
        return std::nullopt;
    }
    std::vector<int> places;
    places.reserve(packet.fds.size());
    for (auto& fd : packet.fds) {
        places.push_back(fd.release());
    }
    replace_descriptors(job->request, places);
    return std::move(*job);
}

}  // namespace

void run_jobs(const ChildSetting& setting, JobOrder order, std::vector<base::UniqueFd> fds) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != setting.zygote_pid) {
        ::_exit(kExitNotConfined);  // the zygote died before the line above
    }
    ::signal(SIGPIPE, SIG_IGN);  // a server that has gone is a failed write
    const int keep_below = kReplyFd + static_cast<int>(fds.size());
    const int files_max = order.stays ? kReplyFd + 1 + static_cast<int>(kJobFdsMax) : keep_below;
    std::vector<int> places;
    for (int fd = kReplyFd + 1; fd < keep_below; ++fd) {
        places.push_back(fd);
    }
    if (!place_descriptors(fds) ||
        !confine_child(order.limits, setting.mapped_bytes, keep_below, files_max) ||
        !setting.filter->install()) {
        ::_exit(kExitNotConfined);
    }
    // Memory that was touched once is kept for the next frame: a child lives too briefly to give
    // anything back, and faulting pages in again costs a tenth of a probe.
    ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
    ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
    replace_descriptors(order.request, places);
    while (true) {
        auto text = framed(encode_outcome(run_safely(*setting.functions, order.request)));
        const bool stays = order.stays && is_as_good_as_new(order.limits);
        if (stays) {
            text += framed(encode_at_rest());
        }
        for (const int fd : descriptors_of(order.request)) {
            ::close(fd);
        }
        if (!write_all(text)) {
            ::_exit(kExitReportFailed);
        }
        auto next = stays ? next_order() : std::nullopt;
        if (!next) {
            ::_exit(kExitDone);
        }
        order = std::move(*next);
    }
}

}  // namespace kinodex::media
