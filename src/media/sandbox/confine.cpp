#include "media/sandbox/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/unique_fd.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KN_SANITIZER_MAPS_TERABYTES 1
#endif
#endif

namespace kinodex::media {
namespace {

// What a job needs: its descriptors, memory, time, and an end.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fadvise64),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

// What libraries try and can do without. An error keeps them going; killing would turn a look at
// /dev/urandom or a core count into a broken upload. tgkill is abort(), which then ends in a trap.
constexpr int kRefused[] = {
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(statx),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(ioctl),
    SCMP_SYS(fcntl),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getrlimit),
    SCMP_SYS(sched_setaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_setscheduler),
    SCMP_SYS(setpriority),
    SCMP_SYS(get_mempolicy),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(mbind),
    SCMP_SYS(membarrier),
    SCMP_SYS(mlock),
    SCMP_SYS(tgkill),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(umask),
};

struct FreeFilter {
    void operator()(void* context) const { seccomp_release(context); }
};

bool add_rules(scmp_filter_ctx filter, Powers powers) {
    int failed = 0;
    for (const int call : kAllowed) {
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
    for (const int call : kRefused) {
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 0);
    }
    // glibc's fstat is newfstatat of an empty path; with another path the zygote's root is empty.
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
                               SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(newfstatat), 1,
                               SCMP_A3(SCMP_CMP_NE, AT_EMPTY_PATH, 0));
    // Memory is never executable when it is new.
    for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) {
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), call, 1,
                                   SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
    }
    // clone3 hides its flags behind a pointer; glibc falls back to clone, where they show.
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    const auto thread_action = powers.threads ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EAGAIN);
    failed |= seccomp_rule_add(filter, thread_action, SCMP_SYS(clone), 1,
                               SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (powers.descriptors) {
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 0);
    }
    return failed == 0;
}

base::Result<std::string> exported(scmp_filter_ctx filter) {
    const base::UniqueFd memory(::memfd_create("filter", MFD_CLOEXEC));
    if (!memory || seccomp_export_bpf(filter, memory.get()) != 0) {
        return base::fail(base::Errc::internal, {}, "the seccomp filter could not be exported");
    }
    const auto size = ::lseek(memory.get(), 0, SEEK_END);
    std::string program(static_cast<std::size_t>(size), '\0');
    if (::pread(memory.get(), program.data(), program.size(), 0) != size) {
        return base::fail(base::Errc::internal, {}, "the seccomp filter could not be read");
    }
    return program;
}

bool drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    return ::syscall(SYS_capset, &header, none.data()) == 0;
}

bool set_limit(__rlimit_resource resource, std::uint64_t soft, std::uint64_t hard) {
    const rlimit limit{soft, hard};
    return ::setrlimit(resource, &limit) == 0;
}

/// Children are the first that the kernel ends when memory runs out, never the server.
void volunteer_for_oom() {
    const base::UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
    if (file) {
        [[maybe_unused]] const auto written = ::write(file.get(), "1000", 4);
    }
}

}  // namespace

base::Result<SyscallFilter> SyscallFilter::make(Powers powers) {
    const std::unique_ptr<void, FreeFilter> filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
    if (filter == nullptr || !add_rules(filter.get(), powers)) {
        return base::fail(base::Errc::internal, {}, "the seccomp filter could not be made");
    }
    // A binary tree of numbers: a dozen comparisons for each system call, not eighty.
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    KN_TRY(program, exported(filter.get()));
    SyscallFilter out;
    out.program_ = std::move(program);
    return out;
}

bool SyscallFilter::install() const {
    sock_fprog program{};
    program.len = static_cast<unsigned short>(program_.size() / sizeof(sock_filter));
    program.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program_.data()));
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

std::string confine_zygote() {
    std::string layers = "seccomp";
    ::setsid();  // a Ctrl-C meant for the server stops it in order, and children with it
    volunteer_for_oom();
    constexpr int kSpaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWUTS;
    if (::unshare(CLONE_NEWUSER | kSpaces) == 0 || ::unshare(kSpaces) == 0) {
        layers += ", no network";
    }
    // A directory of /proc that holds no file a child could use, and cannot be written.
    if (::chroot("/proc/self/fdinfo") == 0 && ::chdir("/") == 0) {
        layers += ", no file system";
    }
    if (drop_capabilities()) {
        layers += ", no capabilities";
    }
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    return layers;
}

bool confine_child(const Limits& limits, std::uint64_t mapped, int keep_below, int files_max) {
    if (::close_range(static_cast<unsigned>(keep_below), ~0U, 0) != 0) {
        return false;
    }
    const auto cpu = static_cast<std::uint64_t>(limits.cpu.count());
    const auto files = static_cast<std::uint64_t>(files_max);
    bool held = set_limit(RLIMIT_CPU, cpu, cpu + 1) && set_limit(RLIMIT_CORE, 0, 0) &&
                set_limit(RLIMIT_FSIZE, limits.output_bytes, limits.output_bytes) &&
                set_limit(RLIMIT_NOFILE, files, files);
    if (!limits.threads) {
        held = held && set_limit(RLIMIT_NPROC, 0, 0);
    }
#ifndef KN_SANITIZER_MAPS_TERABYTES
    const std::uint64_t space = mapped + limits.memory_bytes;
    held = held && set_limit(RLIMIT_AS, space, space);
#else
    (void)mapped;  // shadow memory is address space, so this one limit does not fit there
#endif
    if (limits.nice > 0) {
        ::setpriority(PRIO_PROCESS, 0, limits.nice);
    }
    return held;
}

std::uint64_t mapped_bytes() {
    const base::UniqueFd file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) {
        return 0;
    }
    const auto pages = std::strtoull(text.data(), nullptr, 10);
    return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace kinodex::media
