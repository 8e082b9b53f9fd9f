#include "media/sandbox/zygote.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <unordered_map>

#include "media/sandbox/channel.h"
#include "media/sandbox/job_child.h"
#include "runtime/memory.h"

namespace kinodex::media {
namespace {

constexpr int kControlFd = 3;
constexpr int kExitSetUpFailed = 80;

class Zygote {
  public:
    /// What a child may do, by how it works.
    struct Filters {
        SyscallFilter single;
        SyscallFilter staying;
        SyscallFilter threaded;
    };

    Zygote(const ChildFunctions& functions, Filters filters, int ended)
        : functions_(functions),
          filters_(std::move(filters)),
          ended_fd_(ended),
          mapped_(mapped_bytes()) {}

    bool announce(const std::string& confinement) { return tell(ZygoteReady{confinement}); }

    int serve() {
        while (true) {
            std::array<pollfd, 2> ready{{{kControlFd, POLLIN, 0}, {ended_fd_, POLLIN, 0}}};
            if (::poll(ready.data(), ready.size(), -1) < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return kExitSetUpFailed;
            }
            if (ready[1].revents != 0 && !reap()) {
                break;
            }
            if (ready[0].revents != 0 && !obey()) {
                break;
            }
        }
        for (const auto& [pid, id] : jobs_) {
            ::kill(pid, SIGKILL);
        }
        return 0;  // the server has gone
    }

  private:
    static bool tell(const Event& event) {
        return send_packet(kControlFd, encode_event(event), {}, true) == Sent::yes;
    }

    bool obey() {
        auto packet = receive_packet(kControlFd, kControlBytesMax, true);
        if (packet.state != Received::State::packet) {
            return false;
        }
        auto order = decode_order(packet.text);
        if (!order) {
            return false;  // not our server: better gone than guessing
        }
        if (const auto* kill_order = std::get_if<KillOrder>(&*order)) {
            for (const auto& [pid, id] : jobs_) {
                if (id == kill_order->id) {
                    ::kill(pid, SIGKILL);
                }
            }
            return true;
        }
        return start(std::get<JobOrder>(std::move(*order)), std::move(packet.fds));
    }

    bool start(JobOrder order, std::vector<base::UniqueFd> fds) {
        if (fds.size() != 1 + descriptors_of(order.request).size()) {
            return tell(ChildRefused{order.id, "wrong number of descriptors"});
        }
        if (order.stays && order.limits.threads) {
            return tell(ChildRefused{order.id, "no filter for threads that stay"});
        }
        const ChildSetting setting{&functions_, &filter_for(order), mapped_, ::getpid()};
        const pid_t pid = ::fork();
        if (pid < 0) {
            return tell(ChildRefused{order.id, std::string("fork: ") + std::strerror(errno)});
        }
        if (pid == 0) {
            sigset_t none;
            sigemptyset(&none);
            ::sigprocmask(SIG_SETMASK, &none, nullptr);
            run_jobs(setting, std::move(order), std::move(fds));
        }
        jobs_.emplace(pid, order.id);
        return true;
    }

    [[nodiscard]] const SyscallFilter& filter_for(const JobOrder& order) const {
        if (order.limits.threads) {
            return filters_.threaded;
        }
        return order.stays ? filters_.staying : filters_.single;
    }

    bool reap() {
        signalfd_siginfo info{};
        [[maybe_unused]] const auto got = ::read(ended_fd_, &info, sizeof info);
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto job = jobs_.find(pid);
            if (job == jobs_.end()) {
                continue;
            }
            ChildEnded event{job->second, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                             WIFSIGNALED(status) ? WTERMSIG(status) : 0};
            jobs_.erase(job);
            if (!tell(event)) {
                return false;
            }
        }
        return true;
    }

    const ChildFunctions& functions_;
    Filters filters_;
    int ended_fd_;
    std::uint64_t mapped_;
    std::unordered_map<pid_t, std::uint64_t> jobs_;
};

/// Standard streams lead nowhere, so that no child can write into the server's log.
bool silence() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    bool done = null >= 0;
    for (int fd = 0; fd < 3 && done; ++fd) {
        done = ::dup2(null, fd) == fd;
    }
    if (null > kControlFd) {
        ::close(null);
    }
    return done;
}

}  // namespace

int run_zygote(const ChildFunctions& functions) {
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &children, nullptr);
    const int ended = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    functions.warm_up();
    runtime::return_unused_memory();
    auto single = SyscallFilter::make({});
    auto staying = SyscallFilter::make({.descriptors = true});
    auto threaded = SyscallFilter::make({.threads = true});
    if (ended < 0 || !silence() || !single || !staying || !threaded) {
        return kExitSetUpFailed;
    }
    const auto pid_before = ::getppid();
    Zygote zygote(functions, {std::move(*single), std::move(*staying), std::move(*threaded)},
                  ended);
    const std::string confinement = confine_zygote();
    if (::getppid() != pid_before || !zygote.announce(confinement)) {
        return 0;
    }
    return zygote.serve();
}

}  // namespace kinodex::media
