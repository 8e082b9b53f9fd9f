#include "media/sandbox/zygote_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "media/sandbox/channel.h"
#include "media/sandbox/zygote.h"

namespace kinodex::media {
namespace {

constexpr int kControlFd = 3;

/// The few variables that the loader and the sanitizers read. The rest may hold keys.
std::vector<std::string> environment() {
    std::vector<std::string> kept;
    for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
        if (const char* value = std::getenv(name); value != nullptr) {
            kept.push_back(std::string(name) + "=" + value);
        }
    }
    return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    out.reserve(texts.size() + 1);
    for (auto& each : texts) {
        out.push_back(each.data());
    }
    out.push_back(nullptr);
    return out;
}

struct SpawnSetting {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};
    SpawnSetting() {
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnSetting() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnSetting(const SpawnSetting&) = delete;
    SpawnSetting& operator=(const SpawnSetting&) = delete;

    bool fill(int control) {
        sigset_t none;
        sigset_t all;
        sigemptyset(&none);
        sigfillset(&all);
        int failed = posix_spawn_file_actions_adddup2(&files, control, kControlFd);
        failed |= posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        failed |= posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
        failed |= posix_spawn_file_actions_addclosefrom_np(&files, kControlFd + 1);
        failed |= posix_spawnattr_setsigmask(&attributes, &none);
        failed |= posix_spawnattr_setsigdefault(&attributes, &all);
        failed |=
            posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        return failed == 0;
    }
};

}  // namespace

base::Result<ZygoteProcess> ZygoteProcess::start(const std::string& executable) {
    KN_TRY(pair, socket_pair(SOCK_SEQPACKET));
    // A dup2 onto its own number would keep close-on-exec, so ours must not be the target.
    const base::UniqueFd theirs(::fcntl(pair.theirs.get(), F_DUPFD_CLOEXEC, kControlFd + 1));
    SpawnSetting setting;
    if (!theirs || !setting.fill(theirs.get())) {
        return base::fail(base::Errc::media_worker_unavailable, {}, "zygote: no spawn setting");
    }
    std::vector<std::string> arguments{"kinodex", kZygoteCommand};
    auto variables = environment();
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, executable.c_str(), &setting.files, &setting.attributes,
                                    pointers(arguments).data(), pointers(variables).data());
    if (error != 0) {
        return base::fail(base::Errc::media_worker_unavailable, {},
                          std::string("zygote: ") + std::strerror(error));
    }
    return ZygoteProcess(pid, std::move(pair.ours));
}

ZygoteProcess::ZygoteProcess(ZygoteProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

ZygoteProcess::~ZygoteProcess() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
}

}  // namespace kinodex::media
