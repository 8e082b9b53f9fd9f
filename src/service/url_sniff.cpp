#include "service/url_sniff.h"

#include <algorithm>
#include <string>

namespace kinodex::service {
namespace {

using base::Errc;
using std::string_view_literals::operator""sv;

std::string lower_case(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

/// "text/html" of "Text/HTML; charset=utf-8".
std::string media_type(std::string_view content_type) {
    auto type = lower_case(content_type.substr(0, content_type.find(';')));
    type.erase(type.find_last_not_of(' ') + 1);
    return type;
}

std::unexpected<base::Error> unsupported(std::string_view format) {
    return base::fail(Errc::media_url_unsupported_format,
                      {{"detected_format", std::string(format)}});
}

bool is_playlist_type(std::string_view type) {
    constexpr std::string_view kPlaylists[] = {"application/vnd.apple.mpegurl",
                                               "application/x-mpegurl",
                                               "audio/mpegurl",
                                               "audio/x-mpegurl",
                                               "application/dash+xml",
                                               "application/vnd.ms-sstr+xml",
                                               "audio/x-scpls",
                                               "video/x-ms-asx",
                                               "application/smil+xml"};
    return std::ranges::find(kPlaylists, type) != std::end(kPlaylists);
}

}  // namespace

base::Status check_answer_head(const fetch::Head& head) {
    const auto type = media_type(head.content_type);
    // The last is a camera that sends picture after picture.
    if ((head.is_radio && !head.content_length) || is_playlist_type(type) ||
        type == "multipart/x-mixed-replace") {
        return base::fail(Errc::video_file_live);
    }
    return {};
}

base::Status check_first_bytes(std::string_view bytes, std::string_view content_type) {
    constexpr auto kByteOrderMark = "\xEF\xBB\xBF"sv;
    if (bytes.starts_with(kByteOrderMark)) {
        bytes.remove_prefix(kByteOrderMark.size());
    }
    const auto first = std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size());
    const auto text = lower_case(bytes.substr(first, kSniffBytes));
    if (text.starts_with("#extm3u") || text.starts_with("[playlist]")) {
        return base::fail(Errc::video_file_live);
    }
    const auto type = media_type(content_type);
    if (text.starts_with("{") && type.ends_with("json")) {
        return unsupported(type);
    }
    if (!text.starts_with("<")) {
        return {};
    }
    for (const auto manifest : {"<mpd"sv, "<smoothstreamingmedia"sv, "<smil"sv, "<asx"sv}) {
        if (text.contains(manifest)) {
            return base::fail(Errc::video_file_live);
        }
    }
    for (const auto page : {"<!doctype html"sv, "<html"sv, "<head"sv, "<body"sv, "<script"sv}) {
        if (text.starts_with(page)) {
            return unsupported("text/html");
        }
    }
    if (text.contains("<svg")) {
        return unsupported("image/svg+xml");
    }
    if (type == "text/html" || type == "application/xhtml+xml" || text.contains("<html")) {
        return unsupported("text/html");
    }
    return text.starts_with("<?xml") ? unsupported("application/xml") : base::Status{};
}

domain::AssetType announced_type(std::string_view content_type) {
    const auto type = media_type(content_type);
    if (type.starts_with("video/")) {
        return domain::AssetType::video;
    }
    if (type.starts_with("audio/")) {
        return domain::AssetType::audio;
    }
    return type.starts_with("image/") ? domain::AssetType::image : domain::AssetType::unknown;
}

}  // namespace kinodex::service
