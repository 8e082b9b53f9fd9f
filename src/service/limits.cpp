#include "service/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace kinodex::service {
namespace {

using base::Errc;
using domain::AssetType;

std::string number_text(double number) {
    return fmt::format("{:g}", number);
}

std::string dimensions(int width, int height) {
    return fmt::format("{}x{}", width, height);
}

base::Status check_resolution(const MediaBounds& bounds, int width, int height) {
    const int long_side = std::max(width, height);
    const int short_side = std::min(width, height);
    const std::vector<base::ErrorValue> values{
        {"minimum_resolution", dimensions(bounds.min_side, bounds.min_side)},
        {"maximum_resolution", dimensions(bounds.max_long_side, bounds.max_short_side)},
        {"current_resolution", dimensions(width, height)}};
    if (short_side < bounds.min_side) {
        return base::fail(Errc::video_resolution_too_low, values);
    }
    if ((bounds.max_long_side > 0 && long_side > bounds.max_long_side) ||
        (bounds.max_short_side > 0 && short_side > bounds.max_short_side)) {
        return base::fail(Errc::video_resolution_too_high, values);
    }
    if (bounds.max_aspect_ratio > 0 &&
        static_cast<double>(long_side) > bounds.max_aspect_ratio * short_side) {
        return base::fail(
            Errc::video_resolution_invalid_aspect_ratio,
            {{"maximum_aspect_ratio", fmt::format("{}:1", number_text(bounds.max_aspect_ratio))},
             {"current_resolution", dimensions(width, height)}});
    }
    return {};
}

base::Status check_duration(const MediaBounds& bounds, AssetType type, double duration_sec) {
    const bool is_audio = type == AssetType::audio;
    const auto values = [&] {
        return std::vector<base::ErrorValue>{
            {"minimum_duration", number_text(bounds.min_duration_sec)},
            {"maximum_duration", number_text(bounds.max_duration_sec)},
            {"current_duration", fmt::format("{:.3f}", duration_sec)}};
    };
    if (duration_sec < bounds.min_duration_sec) {
        return base::fail(
            is_audio ? Errc::audio_duration_too_short : Errc::video_duration_too_short, values());
    }
    if (bounds.max_duration_sec > 0 && duration_sec > bounds.max_duration_sec) {
        return base::fail(is_audio ? Errc::audio_duration_too_long : Errc::video_duration_too_long,
                          values());
    }
    return {};
}

/// "between 4 seconds and 4 hours(14400 seconds)", as the documentation writes it.
std::string allowed_duration(const base::Error& error) {
    const std::string least(error.value("minimum_duration"));
    const std::string most(error.value("maximum_duration"));
    if (most == "0") {
        return "of at least " + least + " seconds";
    }
    const double seconds = std::strtod(most.c_str(), nullptr);
    const auto whole = [&](double unit) { return seconds / unit == std::floor(seconds / unit); };
    if (whole(60)) {
        const bool in_hours = whole(3600);
        return fmt::format("between {} seconds and {} {}({} seconds)", least,
                           number_text(seconds / (in_hours ? 3600 : 60)),
                           in_hours ? "hours" : "minutes", most);
    }
    return fmt::format("between {} seconds and {} seconds", least, most);
}

base::Status check_image(const UploadLimits& limits, const media::ProbeReport& report) {
    const int width = report.width.value_or(0);
    const int height = report.height.value_or(0);
    if (std::min(width, height) < limits.min_image_side) {
        return base::fail(
            Errc::image_too_small,
            {{"current_dimensions", dimensions(width, height)},
             {"minimum_dimensions", dimensions(limits.min_image_side, limits.min_image_side)}});
    }
    return {};
}

}  // namespace

std::string size_text(std::int64_t bytes) {
    static constexpr const char* kUnits[] = {"bytes", "KB", "MB", "GB", "TB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(kUnits)) {
        value /= 1024;
        ++unit;
    }
    // Two decimals, and none where they say nothing.
    auto text = fmt::format("{:.2f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    return text + " " + kUnits[unit];
}

std::unexpected<base::Error> too_large(AssetType type, std::int64_t limit_bytes,
                                       std::int64_t size_bytes) {
    Errc code = Errc::video_filesize_too_large;
    if (type == AssetType::audio) {
        code = Errc::audio_filesize_too_large;
    } else if (type == AssetType::image) {
        code = Errc::media_filesize_too_large;
    }
    auto limit = size_text(limit_bytes);
    auto size = size_text(size_bytes);
    if (limit == size) {  // a few bytes more, which the units hide
        limit += fmt::format(" ({} bytes)", limit_bytes);
        size = fmt::format("{} bytes", size_bytes);
    }
    return base::fail(code,
                      {{"maximum_size", std::move(limit)}, {"current_size", std::move(size)}});
}

std::int64_t size_limit(const UploadLimits& limits, domain::AssetMethod method, AssetType type) {
    if (type == AssetType::image) {
        return limits.max_image_bytes;
    }
    switch (method) {
        case domain::AssetMethod::direct:
            return limits.max_direct_bytes;
        case domain::AssetMethod::url:
            return limits.max_url_bytes;
        case domain::AssetMethod::multipart:
            break;
    }
    return limits.max_multipart_bytes;
}

base::Status check_upload(const UploadLimits& limits, domain::AssetMethod method,
                          const media::ProbeReport& report, std::int64_t size_bytes) {
    if (report.refusal) {
        return std::unexpected(*report.refusal);
    }
    const auto limit = size_limit(limits, method, report.type);
    if (size_bytes > limit) {
        return too_large(report.type, limit, size_bytes);
    }
    switch (report.type) {
        case AssetType::image:
            return check_image(limits, report);
        case AssetType::video:
            KN_PASS(check_resolution(limits.media, report.width.value_or(0),
                                     report.height.value_or(0)));
            return check_duration(limits.media, report.type, report.duration_sec.value_or(0));
        case AssetType::audio:
            return check_duration(limits.media, report.type, report.duration_sec.value_or(0));
        case AssetType::unknown:
            break;
    }
    return base::fail(Errc::asset_type_unsupported, {{"asset_type", report.file_type}});
}

base::Status check_task_upload(const UploadLimits& limits, const media::ProbeReport& report,
                               std::int64_t size_bytes) {
    if (report.refusal) {
        return std::unexpected(*report.refusal);
    }
    if (report.type != AssetType::video) {
        return base::fail(Errc::asset_type_unsupported, {{"asset_type", report.file_type}});
    }
    if (size_bytes > limits.max_task_bytes) {
        return too_large(report.type, limits.max_task_bytes, size_bytes);
    }
    KN_PASS(check_resolution(limits.media, report.width.value_or(0), report.height.value_or(0)));
    return check_duration(limits.media, report.type, report.duration_sec.value_or(0));
}

base::Error as_task_error(base::Error error) {
    switch (error.code) {
        case Errc::asset_type_unsupported:
        case Errc::file_unprocessable:
        case Errc::video_file_broken:
        case Errc::audio_file_broken:
        case Errc::audio_format_unsupported:
        case Errc::image_broken:
        case Errc::image_too_small:
            error.code = Errc::task_video_file_broken;
            break;
        case Errc::video_resolution_too_low:
            error.code = Errc::task_video_resolution_too_low;
            break;
        case Errc::video_resolution_too_high:
            error.code = Errc::task_video_resolution_too_high;
            break;
        case Errc::video_resolution_invalid_aspect_ratio:
            error.code = Errc::task_video_aspect_ratio_invalid;
            break;
        case Errc::video_duration_too_short:
        case Errc::video_duration_too_long:
            error.values.push_back({"allowed_duration", allowed_duration(error)});
            error.code = error.code == Errc::video_duration_too_short ? Errc::task_video_too_short
                                                                      : Errc::task_video_too_long;
            break;
        case Errc::audio_filesize_too_large:
        case Errc::media_filesize_too_large:
            error.code = Errc::video_filesize_too_large;
            break;
        default:
            break;
    }
    return error;
}

base::Status check_indexing(const MediaBounds& bounds, const domain::Asset& asset) {
    if (asset.type == AssetType::image) {
        return base::fail(
            Errc::parameter_invalid,
            {{"parameter", "asset_id"}, {"reason", "Only video and audio assets can be indexed."}});
    }
    if (asset.type == AssetType::video) {
        KN_PASS(check_resolution(bounds, asset.width.value_or(0), asset.height.value_or(0)));
    }
    return check_duration(bounds, asset.type, asset.duration_sec.value_or(0));
}

}  // namespace kinodex::service
