// What a hostile media file could make a child do, and the test program's second life as a zygote.
// The "media" of the sandbox tests is the name of a deed; a probe does it and, when it survives,
// reports what it saw as `container_format`.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>
#include <thread>
#include <vector>

#include "media/sandbox/limits.h"
#include "media/sandbox/zygote.h"

namespace kinodex::media {
namespace {

using Deed = std::function<std::string()>;

[[gnu::noinline]] void crash() {
    volatile int* nowhere = nullptr;
    *nowhere = 1;  // NOLINT(clang-analyzer-core.NullDereference): this is the deed
}

std::string hang() {
    while (true) {
        ::usleep(1000);
    }
}

std::string burn() {
    volatile unsigned turns = 0;
    while (true) {
        turns = turns + 1;
    }
}

std::string eat_memory() {
    std::vector<std::string> eaten;
    while (true) {
        eaten.emplace_back(16 * kMiB, 'x');
    }
}

std::string errno_word(bool failed) {
    return failed ? "refused-" + std::to_string(errno) : "worked";
}

std::string open_file() {
    return errno_word(::open("/etc/passwd", O_RDONLY) < 0);
}

std::string stat_file() {
    struct stat info{};
    return errno_word(::stat("/etc/passwd", &info) != 0);
}

std::string open_socket() {
    return errno_word(::socket(AF_INET, SOCK_STREAM, 0) < 0);
}

std::string execute() {
    const std::array<char*, 2> arguments{const_cast<char*>("/bin/true"), nullptr};
    return errno_word(::execv("/bin/true", arguments.data()) != 0);
}

std::string make_child() {
    return errno_word(::fork() < 0);
}

std::string start_thread() {
    try {
        std::thread([] {}).join();
        return "worked";
    } catch (const std::system_error&) {
        return "refused";
    }
}

std::string kill_parent() {
    return errno_word(::kill(::getppid(), SIGKILL) != 0);
}

std::string trace_parent() {
    return errno_word(::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr) != 0);
}

/// The numbers of all open descriptors beyond the standard ones.
std::string list_descriptors() {
    std::string open;
    for (int fd = 3; fd < 1024; ++fd) {
        struct stat info{};
        if (::fstat(fd, &info) == 0) {
            open += (open.empty() ? "" : ",") + std::to_string(fd);
        }
    }
    return open;
}

std::string write_source() {
    return errno_word(::pwrite(4, "x", 1, 0) < 0);
}

std::string fill_output() {
    const std::string block(kMiB, 'x');
    for (int i = 0; i < 64; ++i) {
        if (::write(5, block.data(), block.size()) < 0) {
            return "failed";
        }
    }
    return "worked";
}

/// What the next file of this process meets, left behind by one that took the process over.
std::string& trap() {
    static std::string deed;
    return deed;
}

std::string set_trap(const char* deed) {
    trap() = deed;
    return std::to_string(::getpid());
}

std::string touch_memory() {
    const std::string much(160 * kMiB, 'x');
    return std::to_string(::getpid() + (much.back() == 'x' ? 0 : 1));
}

/// Speaks to the parent past the reply that the sandbox would write.
std::string say(const std::string& bytes) {
    [[maybe_unused]] const auto written = ::write(3, bytes.data(), bytes.size());
    ::_exit(0);
}

std::string frame(const std::string& text) {
    std::string bytes(4, '\0');
    const auto size = static_cast<std::uint32_t>(text.size());
    std::memcpy(bytes.data(), &size, sizeof size);
    return bytes + text;
}

const std::map<std::string, Deed, std::less<>>& deeds() {
    static const std::map<std::string, Deed, std::less<>> all = {
        {"fine", [] { return std::string("fine"); }},
        {"tell_process", [] { return std::to_string(::getpid()); }},
        {"trap_with_crash", [] { return set_trap("crash"); }},
        {"trap_with_lies", [] { return set_trap("say_lies"); }},
        {"trap_with_hanging", [] { return set_trap("hang"); }},
        {"touch_memory", touch_memory},
        {"crash",
         [] {
             crash();
             return std::string();
         }},
        {"abort",
         [] {
             std::abort();
             return std::string();
         }},
        {"throw", []() -> std::string { throw std::runtime_error("thrown"); }},
        {"hang", hang},
        {"burn", burn},
        {"eat_memory", eat_memory},
        {"exit", []() -> std::string { ::_exit(7); }},
        {"open_file", open_file},
        {"stat_file", stat_file},
        {"open_socket", open_socket},
        {"execute", execute},
        {"fork", make_child},
        {"thread", start_thread},
        {"kill_parent", kill_parent},
        {"trace_parent", trace_parent},
        {"list_descriptors", list_descriptors},
        {"write_source", write_source},
        {"fill_output", fill_output},
        {"say_garbage", [] { return say(frame("not json")); }},
        {"say_too_long", [] { return say(std::string("\xff\xff\xff\x7f", 4)); }},
        {"say_half", [] { return say(frame("{\"ok\":{}}").substr(0, 8)); }},
        {"say_lies",
         [] { return say(frame(R"({"ok":{"type":"video","file_type":"a\r\nSet-Cookie: b"}})")); }},
    };
    return all;
}

std::string do_deed(int source) {
    if (!trap().empty()) {
        return deeds().find(trap())->second();
    }
    std::array<char, 64> name{};
    const auto size = ::pread(source, name.data(), name.size() - 1, 0);
    const auto found =
        deeds().find(std::string_view(name.data(), size > 0 ? static_cast<std::size_t>(size) : 0));
    return found == deeds().end() ? "unknown" : found->second();
}

ChildFunctions hostile_functions() {
    ChildFunctions functions;
    functions.warm_up = [] {};
    functions.probe = [](const ProbeRequest& request) -> base::Result<ProbeReport> {
        ProbeReport report;
        report.file_type = "application/octet-stream";
        report.container_format = do_deed(request.source_fd);
        return report;
    };
    functions.thumbnail = [](const ThumbnailRequest&) -> base::Result<void> {
        return base::fail(base::Errc::storage_full, {}, "no space");
    };
    functions.rendition = [](const RenditionRequest& request,
                             const Progress& progress) -> base::Result<void> {
        progress(0.5);
        do_deed(request.source_fd);
        return {};
    };
    functions.analyze = [](const AnalyzeRequest&, const Progress&) -> base::Result<AnalyzeReport> {
        AnalyzeReport report;
        report.shots.push_back({0, 1.5, 0.25, 10, 20});
        report.audio = AudioReport{1.5, -23, 4, -1.5, {-23.5F, -70.0F}, {{0.5, 1}}};
        return report;
    };
    return functions;
}

}  // namespace
}  // namespace kinodex::media

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], kinodex::media::kZygoteCommand) == 0) {
        return kinodex::media::run_zygote(kinodex::media::hostile_functions());
    }
    // In sanitizer builds a crash shall stay a signal, as it is in the real thing.
    const std::string flags = "handle_segv=0:handle_abort=0:allocator_may_return_null=1";
    for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS"}) {
        const char* given = std::getenv(name);
        ::setenv(name, (std::string(given == nullptr ? "" : given) + ":" + flags).c_str(), 1);
    }
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
