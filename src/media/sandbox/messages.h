// The words between server, zygote and child: JSON text, bounded, parsed strictly.
//
// The parent treats a child's reply as hostile: every length, count and number has a bound, text
// must be valid UTF-8 without control characters, and only errors that a child may raise pass.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "media/media.h"
#include "media/sandbox/limits.h"

namespace kinodex::media {

/// A message from server to zygote or back.
inline constexpr std::size_t kControlBytesMax = 16 * 1024;
/// A frame from a child: the audio report of a day has 216,000 loudness values.
inline constexpr std::size_t kReplyBytesMax = 4 * kMiB;
inline constexpr std::size_t kSmallReplyBytesMax = kMiB;  // of probe, thumbnail and rendition
inline constexpr std::size_t kJobFdsMax = 3;
inline constexpr std::size_t kShotsMax = 200'000;
inline constexpr std::size_t kLoudnessValuesMax = 400'000;
inline constexpr std::size_t kSilencesMax = 200'000;

using Request = std::variant<ProbeRequest, ThumbnailRequest, RenditionRequest, AnalyzeRequest>;
using Reply = std::variant<std::monostate, ProbeReport, AnalyzeReport>;

Operation operation_of(const Request& request);

/// The request's descriptors in the order in which they travel, the source first.
std::vector<int> descriptors_of(const Request& request);
/// The request with its descriptors replaced, in the same order.
void replace_descriptors(Request& request, std::span<const int> fds);

/// Server to zygote: run this. The descriptors travel beside it, the reply socket first. The same
/// goes to a child at rest, over its reply socket and without another one.
struct JobOrder {
    std::uint64_t id = 0;
    Request request;
    Limits limits;
    bool stays = false;  // the child may be given another order of the same kind afterwards
};
struct KillOrder {
    std::uint64_t id = 0;
};
using Order = std::variant<JobOrder, KillOrder>;

std::string encode_order(const Order& order);
/// Descriptors in the request are 0 where one is to come and -1 where none is. Errors: internal.
base::Result<Order> decode_order(std::string_view text);

/// Zygote to server.
struct ZygoteReady {
    std::string confinement;  // which layers the kernel permitted, for the log
};
struct ChildEnded {
    std::uint64_t id = 0;
    int exit_code = 0;
    int signal = 0;  // 0 when it exited
};
struct ChildRefused {
    std::uint64_t id = 0;
    std::string reason;
};
using Event = std::variant<ZygoteReady, ChildEnded, ChildRefused>;

std::string encode_event(const Event& event);
base::Result<Event> decode_event(std::string_view text);

/// Child to server: any number of progress values, then one outcome, and then perhaps that it is
/// at rest, as good as new, and waits for another order.
struct ProgressMade {
    double value = 0;  // 0 to 1
};
struct AtRest {};
using Outcome = base::Result<Reply>;
using ChildMessage = std::variant<ProgressMade, Outcome, AtRest>;

std::string encode_progress(double value);
std::string encode_at_rest();
std::string encode_outcome(const Outcome& outcome);
/// Errors: internal, with the reason, when the text is not what a child of `operation` may say.
base::Result<ChildMessage> decode_child_message(Operation operation, std::string_view text);

}  // namespace kinodex::media
