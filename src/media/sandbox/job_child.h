// One forked child: confine, run, report, and exit or rest until there is more of the same.
#pragma once

#include <span>
#include <vector>

#include "base/unique_fd.h"
#include "media/sandbox/confine.h"
#include "media/sandbox/messages.h"
#include "media/sandbox/zygote.h"

namespace kinodex::media {

/// The zygote's own, shared by all children.
struct ChildSetting {
    const ChildFunctions* functions = nullptr;
    const SyscallFilter* filter = nullptr;
    std::uint64_t mapped_bytes = 0;
    int zygote_pid = 0;
};

// Exit codes by which a child that could not even report says why.
inline constexpr int kExitDone = 0;
inline constexpr int kExitNotConfined = 81;
inline constexpr int kExitReportFailed = 82;

/// Runs in the child and never returns. `fds`: the reply socket, then those of the request. With
/// `order.stays` further orders are taken from that socket for as long as the child is as good as
/// new: little memory and little processor time were used.
[[noreturn]] void run_jobs(const ChildSetting& setting, JobOrder order,
                           std::vector<base::UniqueFd> fds);

}  // namespace kinodex::media
