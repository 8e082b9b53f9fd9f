#include "server/stop_signal.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "server/command_store.h"

namespace kinodex::server {
namespace {

// A handler may touch what is free of locks, and nothing else.
std::atomic<int> noted = 0;
std::atomic<bool> asked = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void take_signal(int number, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    (void)::sigaction(number, &action, nullptr);
}

void note(int number) {
    noted = number;
    asked = true;
    // Whoever asks twice does not want to wait.
    take_signal(SIGINT, SIG_DFL);
    take_signal(SIGTERM, SIG_DFL);
}

}  // namespace

void watch_stop_signals() {
    take_signal(SIGINT, &note);
    take_signal(SIGTERM, &note);
}

int stop_signal() {
    return noted;
}

const std::atomic<bool>& stop_asked() {
    return asked;
}

base::Status check_stop() {
    return asked ? base::fail(base::Errc::internal, {}, "interrupted") : base::Status{};
}

int exit_code_of(const base::Error& error) {
    constexpr int kSignalled = 128;  // as a shell counts it
    if (!asked) {
        return complain(error);
    }
    fmt::print(stderr, "kinodex: interrupted; nothing was left behind\n");
    return kSignalled + noted;
}

}  // namespace kinodex::server
