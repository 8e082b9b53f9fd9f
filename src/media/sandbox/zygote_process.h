// Starting and ending the zygote process, seen from the server.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace kinodex::media {

/// A running zygote; destroying it kills and reaps it, and the kernel then kills its children.
class ZygoteProcess {
  public:
    /// Starts `executable media-zygote` with nothing of ours but a socket: no descriptors, no
    /// arguments, an environment without secrets. Errors: media_worker_unavailable.
    static base::Result<ZygoteProcess> start(const std::string& executable);

    ZygoteProcess(ZygoteProcess&& other) noexcept;
    ZygoteProcess& operator=(ZygoteProcess&&) = delete;
    ~ZygoteProcess();

    [[nodiscard]] int socket() const { return socket_.get(); }
    [[nodiscard]] pid_t pid() const { return pid_; }

  private:
    ZygoteProcess(pid_t pid, base::UniqueFd socket) : pid_(pid), socket_(std::move(socket)) {}
    pid_t pid_ = -1;
    base::UniqueFd socket_;
};

}  // namespace kinodex::media
