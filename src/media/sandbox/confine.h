// Taking power away from a process: once for the zygote, once more for each child.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "media/sandbox/limits.h"

namespace kinodex::media {

/// What only some children may do.
struct Powers {
    bool threads = false;
    bool descriptors = false;  // be handed more of them over a socket that is there
};

/// Compiled seccomp filters. Made once in the zygote, for compiling takes longer than forking.
class SyscallFilter {
  public:
    /// Reading and writing given descriptors, memory, clocks and exit are allowed. What libraries
    /// ask out of curiosity (opening a file, terminal control, process names) fails with an error;
    /// everything else, such as a socket, exec, fork or ptrace, kills the process. Errors:
    /// internal.
    static base::Result<SyscallFilter> make(Powers powers);
    /// From here on the calling process is filtered, for good. False when the kernel refuses.
    [[nodiscard]] bool install() const;

  private:
    std::string program_;  // struct sock_filter, one after the other
};

/// Gives up what the zygote never needs: own session, no privileges to gain, not traceable, dies
/// with the server; where the kernel permits also no network, no IPC, no file system, no
/// capabilities. Returns the layers that hold, for the log.
std::string confine_zygote();

/// Applies `limits` and closes everything but descriptors 0 to `keep_below` - 1; none may be
/// opened from `files_max` on. The filter comes after it. `mapped_bytes`: address space in use that
/// does not count. False on failure.
bool confine_child(const Limits& limits, std::uint64_t mapped_bytes, int keep_below, int files_max);

/// Address space of this process in bytes; 0 when unknown.
std::uint64_t mapped_bytes();

}  // namespace kinodex::media
