// What a child may say, and what of it is believed.
#include "media/sandbox/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/sandbox/message_reader.h"

namespace kinodex::media {
namespace {

using base::Errc;
using testing::HasSubstr;

ProbeReport full_report() {
    ProbeReport report;
    report.type = domain::AssetType::video;
    report.file_type = "video/mp4";
    report.container_format = "mov,mp4,m4a,3gp,3g2,mj2";
    report.duration_sec = 10.01;
    report.fps = 29.97;
    report.width = 1920;
    report.height = 1080;
    report.has_audio = report.has_video = true;
    report.technical_metadata = R"({"video_fps":29.97,"video_streams":[{"index":0}],"a":10.0})";
    report.playback = Playback::remux;
    report.plan_written = true;
    return report;
}

base::Result<ChildMessage> back(Operation operation, const Outcome& outcome) {
    return decode_child_message(operation, encode_outcome(outcome));
}

TEST(Messages, a_report_comes_back_as_it_was) {
    const auto sent = full_report();
    const auto message = back(Operation::probe, Outcome(sent));
    ASSERT_TRUE(message.has_value()) << message.error().detail;
    const auto& got = std::get<ProbeReport>(std::get<Outcome>(*message).value());
    EXPECT_EQ(got.type, sent.type);
    EXPECT_EQ(got.file_type, sent.file_type);
    EXPECT_EQ(got.container_format, sent.container_format);
    EXPECT_EQ(got.duration_sec, sent.duration_sec);
    EXPECT_EQ(got.fps, sent.fps);
    EXPECT_EQ(got.width, sent.width);
    EXPECT_EQ(got.height, sent.height);
    EXPECT_TRUE(got.has_audio && got.has_video && got.plan_written);
    EXPECT_EQ(got.playback, sent.playback);
    EXPECT_FALSE(got.refusal.has_value());
    EXPECT_EQ(got.technical_metadata,
              R"({"video_fps":29.97,"video_streams":[{"index":0}],"a":10})");
}

TEST(Messages, a_refusal_keeps_its_code_and_values) {
    ProbeReport sent;
    sent.file_type = "application/pdf";
    sent.refusal = base::Error{
        Errc::asset_type_unsupported, {{"asset_type", "application/pdf"}}, "line\nbreak \xFF", {}};
    const auto message = back(Operation::probe, Outcome(sent));
    ASSERT_TRUE(message.has_value()) << message.error().detail;
    const auto& got = std::get<ProbeReport>(std::get<Outcome>(*message).value());
    EXPECT_EQ(got.refusal->code, Errc::asset_type_unsupported);
    EXPECT_EQ(got.refusal->value("asset_type"), "application/pdf");
    EXPECT_EQ(got.refusal->detail, "line?break ?");
}

TEST(Messages, an_error_that_no_child_may_raise_arrives_as_internal) {
    const auto message =
        back(Operation::probe, std::unexpected(base::Error{Errc::api_key_invalid, {}, {}, {}}));
    EXPECT_EQ(std::get<Outcome>(*message).error().code, Errc::internal);
}

TEST(Messages, an_analysis_comes_back_as_it_was) {
    AnalyzeReport sent;
    sent.shots = {{0, 1.5, 0.5, 0, 100}, {1.5, 3, 2, 100, 50}};
    sent.audio = AudioReport{3, -23.1, 5, -1, {-20.25F, -70}, {{0.5, 1.25}}};
    const auto message = back(Operation::analyze, Outcome(sent));
    const auto& got = std::get<AnalyzeReport>(std::get<Outcome>(*message).value());
    ASSERT_EQ(got.shots.size(), 2U);
    EXPECT_EQ(got.shots[1].picture_offset, 100U);
    EXPECT_EQ(got.shots[1].end_sec, 3);
    EXPECT_EQ(got.audio->loudness_lufs, (std::vector<float>{-20.25F, -70}));
    EXPECT_EQ(got.audio->silences[0].end_sec, 1.25);
}

std::string with(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Messages, a_report_with_one_wrong_thing_is_refused_whole) {
    const std::string good = encode_outcome(Outcome(full_report()));
    ASSERT_TRUE(decode_child_message(Operation::probe, good).has_value());
    const std::pair<const char*, std::string> wrong[] = {
        {"unknown type", with(good, "\"video\"", "\"hologram\"")},
        {"header in a MIME type", with(good, "\"video/mp4\"", "\"video/mp4\\r\\nX: y\"")},
        {"no MIME type", with(good, "\"video/mp4\"", "\"video\"")},
        {"negative duration", with(good, "1.001E1", "-1")},
        {"endless duration", with(good, "1.001E1", "1e300")},
        {"text for a number", with(good, "1.001E1", "\"10\"")},
        {"fraction for an integer", with(good, "1920", "1920.5")},
        {"integer out of bounds", with(good, "1920", "10000000")},
        {"number for a boolean", with(good, "\"has_audio\":true", "\"has_audio\":1")},
        {"missing member", with(good, "\"has_audio\":true,", "")},
        {"metadata that is no object", with(good, R"({\"video_fps\")", R"([{\"video_fps\")")},
        {"invalid UTF-8", with(good, "mov,mp4", "mov\xFFmp4")},
        {"control character", with(good, "mov,mp4", "mov\\u0007mp4")},
        {"cut off", good.substr(0, good.size() - 1)},
        {"something behind", good + "x"},
        {"no object", "[]"},
        {"neither outcome nor progress", "{}"},
        {"deep nesting", R"({"ok":)" + std::string(100, '[') + std::string(100, ']') + "}"},
        {"progress beyond the end", R"({"progress":1.5})"},
        {"unknown error", R"({"error":{"code":"nonsense","values":{},"detail":""}})"},
        {"values that are no text",
         R"({"error":{"code":"internal","values":{"a":1},"detail":""}})"},
    };
    for (const auto& [what, text] : wrong) {
        EXPECT_FALSE(decode_child_message(Operation::probe, text).has_value()) << what;
    }
}

TEST(Messages, a_child_says_when_it_rests) {
    const auto message = decode_child_message(Operation::probe, encode_at_rest());
    ASSERT_TRUE(message.has_value()) << message.error().detail;
    EXPECT_TRUE(std::holds_alternative<AtRest>(*message));
}

TEST(Messages, lists_have_bounds) {
    std::string shots;
    for (std::size_t i = 0; i <= kShotsMax; ++i) {
        shots += i == 0 ? "[0,1,0,0,0]" : ",[0,1,0,0,0]";
    }
    const auto message =
        decode_child_message(Operation::analyze, R"({"ok":{"shots":[)" + shots + "]}}");
    ASSERT_FALSE(message.has_value());
    EXPECT_THAT(message.error().detail, HasSubstr("shots"));
}

TEST(Messages, an_order_comes_back_with_places_for_its_descriptors) {
    const JobOrder sent{7, ThumbnailRequest{10, 11, 640, domain::AssetType::audio},
                        default_limits(Operation::thumbnail), true};
    auto order = decode_order(encode_order(sent));
    ASSERT_TRUE(order.has_value()) << order.error().detail;
    auto job = std::get<JobOrder>(*order);
    EXPECT_EQ(job.id, 7U);
    EXPECT_EQ(job.limits.memory_bytes, sent.limits.memory_bytes);
    EXPECT_EQ(job.limits.cpu, sent.limits.cpu);
    EXPECT_TRUE(job.stays);
    replace_descriptors(job.request, std::vector<int>{4, 5});
    const auto& request = std::get<ThumbnailRequest>(job.request);
    EXPECT_EQ(request.source_fd, 4);
    EXPECT_EQ(request.out_fd, 5);
    EXPECT_EQ(request.max_width, 640);
    EXPECT_EQ(request.type, domain::AssetType::audio);
}

TEST(Messages, an_absent_plan_stays_absent) {
    auto order = decode_order(
        encode_order(JobOrder{1, ProbeRequest{3, -1}, default_limits(Operation::probe)}));
    EXPECT_EQ(descriptors_of(std::get<JobOrder>(*order).request).size(), 1U);
}

TEST(Messages, events_come_back_as_they_were) {
    const auto ended = decode_event(encode_event(ChildEnded{5, 0, 31}));
    EXPECT_EQ(std::get<ChildEnded>(*ended).signal, 31);
    const auto refused = decode_event(encode_event(ChildRefused{6, "fork"}));
    EXPECT_EQ(std::get<ChildRefused>(*refused).reason, "fork");
    EXPECT_TRUE(decode_event(encode_event(ZygoteReady{"seccomp"})).has_value());
    EXPECT_FALSE(decode_event("{\"ended\":0}").has_value());
}

}  // namespace
}  // namespace kinodex::media
