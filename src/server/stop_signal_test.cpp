// What a command does once it was asked to stop; each in a process of its own, for a signal is
// noted once.
#include "server/stop_signal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "base/unique_fd.h"
#include "server/media_copy.h"

namespace kinodex::server {
namespace {

[[noreturn]] void copy_after(int signal) {
    const base::UniqueFd from(::open("/proc/self/exe", O_RDONLY));
    const base::UniqueFd to(::memfd_create("copy", 0));
    watch_stop_signals();
    std::raise(signal);
    auto copied = copy_bytes(from.get(), to.get(), 1, "a file");
    std::_Exit(copied ? 0 : exit_code_of(copied.error()));
}

TEST(StopSignal, ends_a_copy_with_the_exit_code_of_a_shell) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(copy_after(SIGINT), testing::ExitedWithCode(130), "interrupted");
    EXPECT_EXIT(copy_after(SIGTERM), testing::ExitedWithCode(143), "interrupted");
}

TEST(StopSignal, a_second_one_ends_the_process_at_once) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            watch_stop_signals();
            std::raise(SIGINT);
            std::raise(SIGTERM);
        },
        testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace kinodex::server
