// The bounds of uploads and indexing: below, at and above each, with the code of the catalogue.
#include "service/limits.h"

#include <gtest/gtest.h>

namespace kinodex::service {
namespace {

using base::Errc;
using domain::AssetMethod;
using domain::AssetType;

media::ProbeReport video(int width, int height, double duration_sec) {
    media::ProbeReport report;
    report.type = AssetType::video;
    report.width = width;
    report.height = height;
    report.duration_sec = duration_sec;
    return report;
}

std::optional<Errc> refusal(const media::ProbeReport& report, std::int64_t size = 1000) {
    const auto status = check_upload(UploadLimits{}, AssetMethod::direct, report, size);
    return status ? std::nullopt : std::optional(status.error().code);
}

TEST(UploadLimits, size_limit_depends_on_how_the_file_came_and_never_for_images) {
    const UploadLimits limits;
    EXPECT_EQ(size_limit(limits, AssetMethod::direct, AssetType::video), limits.max_direct_bytes);
    EXPECT_EQ(size_limit(limits, AssetMethod::multipart, AssetType::audio),
              limits.max_multipart_bytes);
    EXPECT_EQ(size_limit(limits, AssetMethod::multipart, AssetType::image), limits.max_image_bytes);
    const auto film = video(640, 480, 10);
    EXPECT_TRUE(check_upload(limits, AssetMethod::multipart, film, limits.max_multipart_bytes));
    EXPECT_FALSE(
        check_upload(limits, AssetMethod::multipart, film, limits.max_multipart_bytes + 1));
}

TEST(UploadLimits, video_bounds_hold_in_both_orientations) {
    struct Case {
        int width;
        int height;
        std::optional<Errc> expected;
    };
    for (const auto& each : std::vector<Case>{
             {360, 360, {}},
             {359, 640, Errc::video_resolution_too_low},
             {640, 359, Errc::video_resolution_too_low},
             {5184, 2160, {}},
             {2160, 5184, {}},
             {5185, 2161, Errc::video_resolution_too_high},
             {5184, 2161, Errc::video_resolution_too_high},
             {864, 360, {}},
             {865, 360, Errc::video_resolution_invalid_aspect_ratio},
             {360, 865, Errc::video_resolution_invalid_aspect_ratio},
         }) {
        EXPECT_EQ(refusal(video(each.width, each.height, 10)), each.expected)
            << each.width << "x" << each.height;
    }
}

TEST(UploadLimits, duration_bounds_are_inclusive) {
    EXPECT_EQ(refusal(video(640, 480, 3.999)), Errc::video_duration_too_short);
    EXPECT_EQ(refusal(video(640, 480, 4)), std::nullopt);
    EXPECT_EQ(refusal(video(640, 480, 14400)), std::nullopt);
    EXPECT_EQ(refusal(video(640, 480, 14400.1)), Errc::video_duration_too_long);
    UploadLimits open;
    open.media.max_duration_sec = 0;
    EXPECT_TRUE(check_upload(open, AssetMethod::direct, video(640, 480, 1e6), 1));
}

TEST(UploadLimits, size_bound_follows_the_type) {
    const UploadLimits limits;
    EXPECT_EQ(refusal(video(640, 480, 10), limits.max_direct_bytes), std::nullopt);
    EXPECT_EQ(refusal(video(640, 480, 10), limits.max_direct_bytes + 1),
              Errc::video_filesize_too_large);
    auto image = video(128, 128, 0);
    image.type = AssetType::image;
    EXPECT_EQ(refusal(image, limits.max_image_bytes), std::nullopt);
    EXPECT_EQ(refusal(image, limits.max_image_bytes + 1), Errc::media_filesize_too_large);
    image.width = 127;
    EXPECT_EQ(refusal(image), Errc::image_too_small);
    auto audio = video(0, 0, 3);
    audio.type = AssetType::audio;
    EXPECT_EQ(refusal(audio), Errc::audio_duration_too_short);
}

TEST(UploadLimits, size_bound_follows_the_method) {
    const UploadLimits limits;
    const auto from_url = [&](AssetType type) {
        return size_limit(limits, AssetMethod::url, type);
    };
    EXPECT_EQ(from_url(AssetType::video), 4LL * 1024 * 1024 * 1024);
    EXPECT_EQ(from_url(AssetType::image), limits.max_image_bytes);
    EXPECT_TRUE(check_upload(limits, AssetMethod::url, video(640, 480, 10), limits.max_url_bytes));
    EXPECT_FALSE(
        check_upload(limits, AssetMethod::url, video(640, 480, 10), limits.max_url_bytes + 1));
}

TEST(UploadLimits, sizes_read_like_the_documentation) {
    EXPECT_EQ(size_text(200LL * 1024 * 1024), "200 MB");
    EXPECT_EQ(size_text(4LL * 1024 * 1024 * 1024), "4 GB");
    EXPECT_EQ(size_text(1536), "1.5 KB");
    EXPECT_EQ(size_text(999), "999 bytes");
}

TEST(SizeText, a_size_just_above_the_limit_is_told_apart_from_it) {
    constexpr std::int64_t kLimit = 10LL * 1024 * 1024 * 1024;
    auto error = too_large(domain::AssetType::video, kLimit, kLimit + 1).error();
    EXPECT_EQ(error.value("maximum_size"), "10 GB (10737418240 bytes)");
    EXPECT_EQ(error.value("current_size"), "10737418241 bytes");
    error = too_large(domain::AssetType::video, kLimit, 2 * kLimit).error();
    EXPECT_EQ(error.value("maximum_size"), "10 GB");
    EXPECT_EQ(error.value("current_size"), "20 GB");
}

TEST(IndexingLimits, images_are_refused_and_videos_keep_the_bounds) {
    domain::Asset asset;
    asset.type = AssetType::image;
    EXPECT_EQ(check_indexing(MediaBounds{}, asset).error().code, Errc::parameter_invalid);
    asset.type = AssetType::video;
    asset.width = 640;
    asset.height = 360;
    asset.duration_sec = 4;
    EXPECT_TRUE(check_indexing(MediaBounds{}, asset));
    asset.duration_sec = 3.9;
    EXPECT_EQ(check_indexing(MediaBounds{}, asset).error().code, Errc::video_duration_too_short);
}

std::optional<Errc> task_refusal(const media::ProbeReport& report, std::int64_t size = 1000) {
    UploadLimits limits;
    limits.max_task_bytes = 2000;
    const auto status = check_task_upload(limits, report, size);
    return status ? std::nullopt : std::optional(as_task_error(status.error()).code);
}

TEST(TaskLimits, take_videos_within_the_bounds_and_nothing_else) {
    EXPECT_EQ(task_refusal(video(360, 360, 4)), std::nullopt);
    EXPECT_EQ(task_refusal(video(360, 360, 4), 2000), std::nullopt);
    EXPECT_EQ(task_refusal(video(360, 360, 4), 2001), Errc::video_filesize_too_large);
    EXPECT_EQ(task_refusal(video(359, 360, 4)), Errc::task_video_resolution_too_low);
    EXPECT_EQ(task_refusal(video(5185, 2161, 4)), Errc::task_video_resolution_too_high);
    EXPECT_EQ(task_refusal(video(865, 360, 4)), Errc::task_video_aspect_ratio_invalid);
    EXPECT_EQ(task_refusal(video(640, 360, 3.999)), Errc::task_video_too_short);
    EXPECT_EQ(task_refusal(video(640, 360, 14400.5)), Errc::task_video_too_long);
    for (const auto type : {AssetType::audio, AssetType::image, AssetType::unknown}) {
        auto report = video(640, 360, 10);
        report.type = type;
        EXPECT_EQ(task_refusal(report), Errc::task_video_file_broken);
    }
    auto broken = video(640, 360, 10);
    broken.refusal = base::fail(Errc::image_broken).error();
    EXPECT_EQ(task_refusal(broken), Errc::task_video_file_broken);
}

TEST(TaskLimits, durations_are_told_as_the_documentation_does) {
    const auto told = [](double most) {
        UploadLimits limits;
        limits.media.max_duration_sec = most;
        const auto status = check_task_upload(limits, video(640, 360, 1), 1);
        return std::string(as_task_error(status.error()).value("allowed_duration"));
    };
    EXPECT_EQ(told(14400), "between 4 seconds and 4 hours(14400 seconds)");
    EXPECT_EQ(told(5400), "between 4 seconds and 90 minutes(5400 seconds)");
    EXPECT_EQ(told(100), "between 4 seconds and 100 seconds");
    EXPECT_EQ(told(0), "of at least 4 seconds");
}

}  // namespace
}  // namespace kinodex::service
