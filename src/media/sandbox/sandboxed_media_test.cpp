// Real children that do what hostile media could make them do: each fails its own call with the
// right error, and the next call works.
#include "media/sandbox/sandboxed_media.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/unique_fd.h"

namespace kinodex::media {
namespace {

namespace asio = boost::asio;
using base::Errc;
using std::chrono::milliseconds;
using testing::HasSubstr;

base::UniqueFd memory_file(std::string_view bytes) {
    base::UniqueFd fd(::memfd_create("media", MFD_CLOEXEC));
    EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    return fd;
}

SandboxOptions small_options() {
    SandboxOptions options;
    for (auto& limits : options.limits) {
        limits.memory_bytes = 256 * kMiB;
        limits.cpu = std::chrono::seconds(1);
        limits.output_bytes = 4 * kMiB;
    }
    return options;
}

/// Runs one coroutine to its end.
template <class Story>
void run(Story story) {
    asio::io_context io;
    asio::co_spawn(io, std::move(story), [](std::exception_ptr error) {
        if (error) {
            std::rethrow_exception(error);
        }
    });
    io.run();
}

base::Result<ProbeReport> probe(Media& media, std::string_view deed, int plan_fd = -1,
                                const std::string& key = {}) {
    const auto source = memory_file(deed);
    std::optional<base::Result<ProbeReport>> result;
    run([&]() -> runtime::Task<void> {
        const ProbeRequest request{source.get(), plan_fd, key};
        result = co_await media.probe(request);
    });
    return std::move(*result);
}

/// What a deed that survives reports, or else how it failed.
std::string what_it_saw(Media& media, std::string_view deed, int plan_fd = -1,
                        const std::string& key = {}) {
    const auto result = probe(media, deed, plan_fd, key);
    return result ? result->container_format : result.error().detail;
}

struct Case {
    const char* deed;
    Errc code;
    const char* detail;
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KN_SANITIZED 1
#endif
#endif

class HostileChild : public testing::TestWithParam<Case> {};

TEST_P(HostileChild, fails_its_own_call_and_the_next_one_works) {
#ifdef KN_SANITIZED
    const std::string_view deed = GetParam().deed;
    if (deed == "eat_memory" || deed == "throw") {
        GTEST_SKIP() << "the sanitizer takes the address space, and system calls when unwinding";
    }
#endif
    auto options = small_options();
    if (std::string_view(GetParam().deed) == "hang") {
        options.limits[0].wall = milliseconds(200);
    }
    const auto media = make_sandboxed_media(options);
    const auto result = probe(*media, GetParam().deed);
    ASSERT_FALSE(result.has_value()) << result->container_format;
    EXPECT_EQ(result.error().code, GetParam().code);
    EXPECT_THAT(result.error().detail, HasSubstr(GetParam().detail));
    const auto after = probe(*media, "fine");
    ASSERT_TRUE(after.has_value()) << after.error().detail;
    EXPECT_EQ(after->container_format, "fine");
}

INSTANTIATE_TEST_SUITE_P(
    deeds, HostileChild,
    testing::Values(Case{"crash", Errc::file_unprocessable, "crashed: signal 11"},
                    Case{"abort", Errc::file_unprocessable, "crashed"},
                    Case{"throw", Errc::file_unprocessable, "thrown"},
                    Case{"hang", Errc::file_unprocessable, "timed out"},
                    Case{"burn", Errc::file_unprocessable, "CPU time limit"},
                    Case{"eat_memory", Errc::file_unprocessable, "out of memory"},
                    Case{"exit", Errc::file_unprocessable, "exit code 7"},
                    Case{"open_socket", Errc::file_unprocessable, "forbidden system call"},
                    Case{"execute", Errc::file_unprocessable, "forbidden system call"},
                    Case{"fork", Errc::file_unprocessable, "forbidden system call"},
                    Case{"kill_parent", Errc::file_unprocessable, "forbidden system call"},
                    Case{"trace_parent", Errc::file_unprocessable, "forbidden system call"},
                    Case{"say_garbage", Errc::file_unprocessable, "bad reply"},
                    Case{"say_too_long", Errc::file_unprocessable, "reply too long"},
                    Case{"say_half", Errc::file_unprocessable, "no answer"},
                    Case{"say_lies", Errc::file_unprocessable, "bad reply"}),
    [](const auto& row) { return std::string(row.param.deed); });

TEST(Sandbox, a_child_sees_nothing_but_the_given_descriptors) {
    const auto media = make_sandboxed_media(small_options());
    // 3 is the reply, 4 the source, 5 the plan.
    EXPECT_EQ(what_it_saw(*media, "list_descriptors"), "3,4");
    const auto plan = memory_file("");
    EXPECT_EQ(what_it_saw(*media, "list_descriptors", plan.get()), "3,4,5");
}

TEST(Sandbox, a_child_cannot_open_or_look_at_files_nor_start_threads_nor_change_the_source) {
    const auto media = make_sandboxed_media(small_options());
    EXPECT_EQ(what_it_saw(*media, "open_file"), "refused-13");
    EXPECT_EQ(what_it_saw(*media, "stat_file"), "refused-13");
#ifndef KN_SANITIZED  // whose own thread start-up asks for more
    EXPECT_EQ(what_it_saw(*media, "thread"), "refused");
#endif
    EXPECT_EQ(what_it_saw(*media, "write_source"), "refused-9");
}

TEST(Sandbox, output_beyond_the_limit_ends_the_child) {
    const auto media = make_sandboxed_media(small_options());
    const auto plan = memory_file("");
    const auto result = probe(*media, "fill_output", plan.get());
    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().detail, HasSubstr("output size limit"));
    EXPECT_LE(::lseek(plan.get(), 0, SEEK_END), static_cast<off_t>(4 * kMiB));
}

TEST(Sandbox, errors_of_the_child_keep_their_code) {
    const auto media = make_sandboxed_media(small_options());
    const auto source = memory_file("fine");
    const auto out = memory_file("");
    run([&]() -> runtime::Task<void> {
        const ThumbnailRequest request{source.get(), out.get()};
        const auto result = co_await media->thumbnail(request);
        EXPECT_EQ(result.error().code, Errc::storage_full);
        EXPECT_EQ(result.error().detail, "no space");
    });
}

TEST(Sandbox, an_analysis_arrives_whole_and_a_rendition_tells_its_progress) {
    const auto media = make_sandboxed_media(small_options());
    const auto source = memory_file("fine");
    const auto first = memory_file("");
    const auto second = memory_file("");
    double progress = 0;
    run([&]() -> runtime::Task<void> {
        const AnalyzeRequest request{source.get(), first.get(), second.get(), {}};
        const auto report = co_await media->analyze(request);
        EXPECT_EQ(report->shots.at(0).picture_bytes, 20U);
        EXPECT_EQ(report->audio->loudness_lufs, (std::vector<float>{-23.5F, -70.0F}));
        EXPECT_EQ(report->audio->silences.at(0).start_sec, 0.5);
        const RenditionRequest rendition{source.get(), first.get(), second.get(), false,
                                         [&](double value) -> runtime::Task<bool> {
                                             progress = value;
                                             co_return true;
                                         }};
        const auto rendered = co_await media->rendition(rendition);
        EXPECT_TRUE(rendered.has_value());
    });
    EXPECT_EQ(progress, 0.5);
}

TEST(Sandbox, a_hundred_calls_at_once_are_all_answered) {
    const auto media = make_sandboxed_media(small_options());
    const auto source = memory_file("fine");
    asio::io_context io;
    int fine = 0;
    auto one = [&]() -> runtime::Task<void> {
        const ProbeRequest request{source.get()};
        const auto result = co_await media->probe(request);
        fine += result && result->container_format == "fine" ? 1 : 0;
    };
    for (int i = 0; i < 100; ++i) {
        asio::co_spawn(io, one, asio::detached);
    }
    io.run();
    EXPECT_EQ(fine, 100);
}

TEST(Sandbox, a_full_queue_refuses_and_the_others_are_served) {
    auto options = small_options();
    options.short_parallel = 1;
    options.queue_limit = 2;
    const auto media = make_sandboxed_media(options);
    const auto source = memory_file("fine");
    asio::io_context io;
    int fine = 0;
    int refused = 0;
    auto one = [&]() -> runtime::Task<void> {
        const ProbeRequest request{source.get()};
        const auto result = co_await media->probe(request);
        fine += result ? 1 : 0;
        refused += !result && result.error().code == Errc::overloaded ? 1 : 0;
    };
    for (int i = 0; i < 20; ++i) {
        asio::co_spawn(io, one, asio::detached);
    }
    io.run();
    EXPECT_EQ(fine + refused, 20);
    EXPECT_GE(fine, 2);
    EXPECT_GE(refused, 1);
}

/// Direct children of this process that are zygotes: the command line tells.
std::vector<pid_t> zygotes() {
    std::vector<pid_t> found;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream list(task.path() / "children");
        for (pid_t pid = 0; list >> pid;) {
            found.push_back(pid);
        }
    }
    return found;
}

enum class Wanted { yes, no };

/// Lets `media` have a hanging child whose progress has been seen, does `act`, and gives the error.
template <class Act>
base::Error error_of_hanging_rendition(Media& media, Act act, Wanted wanted = Wanted::yes) {
    const auto source = memory_file("hang");
    const auto first = memory_file("");
    const auto second = memory_file("");
    std::optional<base::Result<void>> result;
    run([&]() -> runtime::Task<void> {
        const RenditionRequest rendition{source.get(), first.get(), second.get(), false,
                                         [&](double) -> runtime::Task<bool> {
                                             act();
                                             co_return wanted == Wanted::yes;
                                         }};
        result = co_await media.rendition(rendition);
    });
    return result->error();
}

TEST(Sandbox, when_the_zygote_dies_running_calls_fail_and_a_new_one_starts) {
    const auto media = make_sandboxed_media(small_options());
    const auto error = error_of_hanging_rendition(*media, [] {
        const auto pids = zygotes();
        ASSERT_EQ(pids.size(), 1U);
        ::kill(pids[0], SIGKILL);
    });
    EXPECT_EQ(error.code, Errc::media_worker_unavailable);
    EXPECT_EQ(what_it_saw(*media, "fine"), "fine");
}

TEST(Sandbox, long_work_that_tells_no_more_progress_is_killed) {
    auto options = small_options();
    options.limits[static_cast<std::size_t>(Operation::rendition)].stall = milliseconds(200);
    const auto media = make_sandboxed_media(options);
    const auto error = error_of_hanging_rendition(*media, [] {});
    EXPECT_EQ(error.code, Errc::file_unprocessable);
    EXPECT_THAT(error.detail, HasSubstr("no progress for 200 ms"));
    EXPECT_EQ(what_it_saw(*media, "fine"), "fine");
}

TEST(Sandbox, stop_kills_a_hung_child_and_refuses_what_comes_later) {
    const auto media = make_sandboxed_media(small_options());
    const auto error = error_of_hanging_rendition(*media, [&] { media->stop(); });
    EXPECT_EQ(error.code, Errc::media_worker_unavailable);
    EXPECT_EQ(probe(*media, "fine").error().code, Errc::media_worker_unavailable);
    EXPECT_TRUE(zygotes().empty());
}

TEST(Sandbox, long_work_that_nobody_wants_any_more_ends_and_frees_its_slot) {
    auto options = small_options();
    options.long_parallel = 1;
    const auto media = make_sandboxed_media(options);
    for (int i = 0; i < 2; ++i) {
        const auto error = error_of_hanging_rendition(*media, [] {}, Wanted::no);
        EXPECT_EQ(error.code, Errc::media_worker_unavailable);
    }
}

TEST(Sandbox, cancelling_the_wait_kills_the_child_and_frees_its_slot) {
    auto options = small_options();
    options.long_parallel = 1;
    const auto media = make_sandboxed_media(options);
    const auto source = memory_file("hang");
    const auto fine = memory_file("fine");
    const auto first = memory_file("");
    const auto second = memory_file("");
    asio::io_context io;
    asio::cancellation_signal cancel;
    bool ended = false;
    auto hanging = [&]() -> runtime::Task<void> {
        const RenditionRequest request{source.get(), first.get(), second.get(), false,
                                       [&](double) -> runtime::Task<bool> {
                                           cancel.emit(asio::cancellation_type::all);
                                           co_return true;
                                       }};
        const auto result = co_await media->rendition(request);
        ended = !result.has_value();
    };
    asio::co_spawn(io, hanging,
                   asio::bind_cancellation_slot(cancel.slot(), [&](auto) { ended = true; }));
    io.run();
    EXPECT_TRUE(ended);
    run([&]() -> runtime::Task<void> {
        const RenditionRequest request{fine.get(), first.get(), second.get(), false, {}};
        const auto result = co_await media->rendition(request);
        EXPECT_TRUE(result.has_value());  // the only slot is free again
    });
}

TEST(Sandbox, a_binary_that_is_no_zygote_makes_calls_fail_rather_than_wait) {
    auto options = small_options();
    options.executable = "/bin/false";
    const auto media = make_sandboxed_media(options);
    EXPECT_EQ(probe(*media, "fine").error().code, Errc::media_worker_unavailable);
}

TEST(Sandbox, secrets_in_the_environment_do_not_reach_the_zygote) {
    ::setenv("KINODEX_API_KEY", "secret", 1);
    const auto media = make_sandboxed_media(small_options());
    const auto error = error_of_hanging_rendition(*media, [&] {
        std::ifstream file("/proc/" + std::to_string(zygotes().at(0)) + "/environ");
        const std::string text((std::istreambuf_iterator<char>(file)), {});
        EXPECT_THAT(text, testing::Not(HasSubstr("secret")));
        media->stop();
    });
    ::unsetenv("KINODEX_API_KEY");
    EXPECT_EQ(error.code, Errc::media_worker_unavailable);
}

class SharedChild : public testing::Test {
  protected:
    void start(SandboxOptions options = patient_options()) {
        media_ = make_sandboxed_media(std::move(options));
    }
    /// Rests for longer than any test lasts.
    static SandboxOptions patient_options() {
        auto options = small_options();
        options.rest = std::chrono::minutes(10);
        return options;
    }
    std::string see(std::string_view deed, const std::string& key, int plan_fd = -1) {
        return what_it_saw(*media_, deed, plan_fd, key);
    }
    std::unique_ptr<Media> media_;
};

TEST_F(SharedChild, looks_at_files_of_one_key_and_of_no_other) {
    start();
    const auto first = see("tell_process", "a");
    EXPECT_EQ(see("tell_process", "a"), first);
    EXPECT_NE(see("tell_process", "b"), first);
    EXPECT_EQ(see("tell_process", "a"), first);
    EXPECT_NE(see("tell_process", ""), see("tell_process", ""));
}

TEST_F(SharedChild, has_only_the_descriptors_of_the_file_before_it) {
    start();
    const auto plan = memory_file("");
    EXPECT_EQ(see("list_descriptors", "a", plan.get()), "3,4,5");
    EXPECT_EQ(see("list_descriptors", "a"), "3,4");
    EXPECT_EQ(see("list_descriptors", "a", plan.get()), "3,4,5");
    EXPECT_EQ(see("open_file", "a"), "refused-13");
    EXPECT_THAT(see("open_socket", "a"), HasSubstr("forbidden system call"));
}

TEST_F(SharedChild, that_a_file_broke_does_not_hurt_the_next_one) {
    for (const auto* trap : {"trap_with_crash", "trap_with_lies", "trap_with_hanging"}) {
        auto options = patient_options();
        options.limits[0].wall = milliseconds(500);
        start(options);
        EXPECT_THAT(see(trap, "a"), testing::MatchesRegex("[0-9]+")) << trap;
        EXPECT_EQ(see("fine", "a"), "fine") << trap;
    }
}

TEST_F(SharedChild, lets_a_bad_file_fail_for_itself) {
    start();
    EXPECT_EQ(see("fine", "a"), "fine");
    EXPECT_THAT(see("crash", "a"), HasSubstr("crashed: signal 11"));
    EXPECT_EQ(see("fine", "a"), "fine");
}

TEST_F(SharedChild, is_replaced_after_some_files) {
    start();
    std::vector<std::string> processes;
    for (int i = 0; i < 300; ++i) {
        processes.push_back(see("tell_process", "a"));
    }
    std::ranges::sort(processes);
    const auto same = std::ranges::unique(processes);
    EXPECT_EQ(processes.size() - same.size(), 2U);
}

#ifndef KN_SANITIZED  // whose shadow memory is much already
TEST_F(SharedChild, is_replaced_after_a_file_that_took_much_memory) {
    start();
    const auto first = see("touch_memory", "a");
    EXPECT_THAT(first, testing::MatchesRegex("[0-9]+"));
    EXPECT_NE(see("tell_process", "a"), first);
}
#endif

TEST_F(SharedChild, ends_when_it_has_rested_long_enough) {
    auto options = small_options();
    options.rest = milliseconds(1);
    start(options);
    const auto pid = std::stoi(see("tell_process", "a"));
    for (int i = 0; i < 2'000 && ::kill(pid, 0) == 0; ++i) {
        ::usleep(5'000);
    }
    EXPECT_NE(::kill(pid, 0), 0);
    EXPECT_EQ(see("fine", "a"), "fine");
}

}  // namespace
}  // namespace kinodex::media
