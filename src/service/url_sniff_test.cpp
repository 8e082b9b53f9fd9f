// Pages, playlists and endless streams are told from files by their head and first bytes.
#include "service/url_sniff.h"

#include <gtest/gtest.h>

namespace kinodex::service {
namespace {

using base::Errc;

constexpr auto kFine = Errc::internal;  // no error

Errc code_of(const base::Status& status) {
    return status ? kFine : status.error().code;
}

TEST(UrlSniff, heads) {
    const auto head = [](std::string type, bool radio, std::optional<std::uint64_t> length) {
        fetch::Head made;
        made.content_type = std::move(type);
        made.is_radio = radio;
        made.content_length = length;
        return code_of(check_answer_head(made));
    };
    EXPECT_EQ(head("video/mp4", false, 5), kFine);
    EXPECT_EQ(head("", false, std::nullopt), kFine);
    EXPECT_EQ(head("audio/mpeg", true, std::nullopt), Errc::video_file_live);
    EXPECT_EQ(head("audio/mpeg", true, 5), kFine) << "a file from a radio's archive";
    EXPECT_EQ(head("Application/x-mpegURL; charset=utf-8", false, 5), Errc::video_file_live);
    EXPECT_EQ(head("application/dash+xml", false, 5), Errc::video_file_live);
    EXPECT_EQ(head("multipart/x-mixed-replace; boundary=x", false, std::nullopt),
              Errc::video_file_live);
}

TEST(UrlSniff, first_bytes) {
    struct Row {
        const char* bytes;
        const char* type;
        Errc code;
        const char* format;
    };
    constexpr auto kPage = Errc::media_url_unsupported_format;
    constexpr Row kRows[] = {
        {"\x1A\x45\xDF\xA3", "text/html", kFine, "bytes count, not what is said of them"},
        {"", "text/html", kFine, ""},
        {"words", "text/plain", kFine, "the probe tells"},
        {"#EXTM3U\n", "", Errc::video_file_live, ""},
        {"\xEF\xBB\xBF#EXTM3U", "video/mp4", Errc::video_file_live, ""},
        {"[playlist]\nFile1=x", "", Errc::video_file_live, ""},
        {"<?xml version=\"1.0\"?>\n<MPD type=\"static\">", "", Errc::video_file_live, ""},
        {"<SmoothStreamingMedia>", "", Errc::video_file_live, ""},
        {"<!DOCTYPE html><title>", "", kPage, "text/html"},
        {"\n  <HTML>", "video/mp4", kPage, "text/html"},
        {"<!-- shared --><div>", "text/html; charset=x", kPage, "text/html"},
        {"<?xml version=\"1.0\"?><html xmlns=", "", kPage, "text/html"},
        {"<?xml version=\"1.0\"?><rss>", "", kPage, "application/xml"},
        {"<svg xmlns=", "", kPage, "image/svg+xml"},
        {"{\"error\":1}", "application/json", kPage, "application/json"},
        {"{\"error\":1}", "video/mp4", kFine, ""},
    };
    for (const auto& row : kRows) {
        const auto status = check_first_bytes(row.bytes, row.type);
        EXPECT_EQ(code_of(status), row.code) << row.bytes;
        if (row.code == kPage && !status) {
            EXPECT_EQ(status.error().value("detected_format"), row.format);
        }
    }
}

TEST(UrlSniff, announced_types) {
    EXPECT_EQ(announced_type("Image/PNG"), domain::AssetType::image);
    EXPECT_EQ(announced_type("audio/mpeg; x"), domain::AssetType::audio);
    EXPECT_EQ(announced_type("video/mp4"), domain::AssetType::video);
    EXPECT_EQ(announced_type("application/octet-stream"), domain::AssetType::unknown);
}

}  // namespace
}  // namespace kinodex::service
