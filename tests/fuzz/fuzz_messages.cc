// What a child that was taken over could say to the server, and what server and zygote say to each
// other: refused, or within every bound. The first byte chooses which kind of message it is.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "media/sandbox/message_reader.h"
#include "media/sandbox/messages.h"

namespace {

using namespace kinodex::media;
using kinodex::base::Errc;

/// Text that may go into headers, logs and answers as it is.
bool is_harmless(std::string_view text) {
    return kinodex::base::is_utf8(text) && std::ranges::none_of(text, [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
           });
}

void check_error(const kinodex::base::Error& error) {
    constexpr Errc kPermitted[] = {
        Errc::file_unprocessable, Errc::asset_type_unsupported,   Errc::image_broken,
        Errc::video_file_broken,  Errc::video_file_live,          Errc::audio_file_broken,
        Errc::storage_full,       Errc::audio_format_unsupported, Errc::internal};
    KN_CHECK(std::ranges::find(kPermitted, error.code) != std::end(kPermitted),
             "only what a child may raise");
    KN_CHECK(is_harmless(error.detail), "detail for the log");
    for (const auto& [name, text] : error.values) {
        KN_CHECK(is_name(name) && is_harmless(text), "values for the answer");
        KN_CHECK(text.size() <= kErrorTextBytesMax, "bounded values");
    }
}

bool is_time(double sec) {
    return std::isfinite(sec) && std::abs(sec) <= 1e9;
}

void check_reply(const ProbeReport& report) {
    KN_CHECK(is_mime(report.file_type), "a MIME type is a header");
    KN_CHECK(is_ascii_word_list(report.container_format), "names of formats");
    KN_CHECK(!report.duration_sec || (is_time(*report.duration_sec) && *report.duration_sec >= 0),
             "a duration");
    KN_CHECK(!report.width || *report.width > 0, "a width");
    KN_CHECK(!report.height || *report.height > 0, "a height");
    KN_CHECK(
        report.technical_metadata.empty() || parse_object(report.technical_metadata).has_value(),
        "metadata is an object that clients can read");
    KN_CHECK(kinodex::base::is_utf8(report.technical_metadata), "metadata is text");
    if (report.refusal) {
        check_error(*report.refusal);
    }
}

void check_reply(const AnalyzeReport& report) {
    KN_CHECK(report.shots.size() <= kShotsMax, "bounded shots");
    for (const auto& shot : report.shots) {
        KN_CHECK(is_time(shot.start_sec) && is_time(shot.end_sec) && is_time(shot.picture_sec),
                 "times of shots");
        KN_CHECK(shot.picture_offset <= shot.picture_offset + shot.picture_bytes,
                 "a place that can be added up");
    }
    if (report.audio) {
        KN_CHECK(report.audio->loudness_lufs.size() <= kLoudnessValuesMax, "bounded loudness");
        KN_CHECK(std::ranges::all_of(report.audio->loudness_lufs,
                                     [](float value) { return std::isfinite(value); }),
                 "loudness is a number");
        KN_CHECK(report.audio->silences.size() <= kSilencesMax, "bounded silences");
    }
}

void check_child_message(Operation operation, std::string_view text) {
    const auto message = decode_child_message(operation, text);
    if (!message) {
        KN_CHECK(!message.error().detail.empty(), "a refusal says why");
        return;
    }
    if (const auto* progress = std::get_if<ProgressMade>(&*message)) {
        KN_CHECK(progress->value >= 0 && progress->value <= 1, "progress from 0 to 1");
        return;
    }
    if (std::holds_alternative<AtRest>(*message)) {
        return;
    }
    const auto& outcome = std::get<Outcome>(*message);
    if (!outcome) {
        check_error(outcome.error());
    } else if (const auto* probe = std::get_if<ProbeReport>(&*outcome)) {
        KN_CHECK(operation == Operation::probe, "the reply to what was asked");
        check_reply(*probe);
    } else if (const auto* analysis = std::get_if<AnalyzeReport>(&*outcome)) {
        KN_CHECK(operation == Operation::analyze, "the reply to what was asked");
        check_reply(*analysis);
    }
    KN_CHECK(decode_child_message(operation, encode_outcome(outcome)).has_value(),
             "what is believed can be said again");
}

void check_order(std::string_view text) {
    if (const auto order = decode_order(text)) {
        KN_CHECK(decode_order(encode_order(*order)).has_value(), "an order can be given again");
        if (const auto* job = std::get_if<JobOrder>(&*order)) {
            KN_CHECK(descriptors_of(job->request).size() <= kJobFdsMax, "few descriptors");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const int kind = *data % (kOperationCount + 2);
    if (kind < kOperationCount) {
        check_child_message(static_cast<Operation>(kind), text);
    } else if (kind == kOperationCount) {
        check_order(text);
    } else if (const auto event = decode_event(text)) {
        KN_CHECK(decode_event(encode_event(*event)).has_value(), "an event can be told again");
    }
    return 0;
}
