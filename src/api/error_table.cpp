#include "api/error_table.h"

#include "api/json.h"
#include "observe/log.h"

namespace kinodex::api {
namespace {

using base::Errc;

constexpr std::string_view kDocsUrl = "https://docs.twelvelabs.io/api-reference/error-codes";

// Clients that retry wait this long; the JavaScript SDK has its own pace.
constexpr std::string_view kRetryAfterSec = "1";

constexpr bool kPermanent = false;
constexpr bool kPassing = true;

ErrorRow row_of_media(Errc code);

}  // namespace

// A table: one row a condition.
// NOLINTNEXTLINE(readability-function-size)
ErrorRow row_of(Errc code) {
    switch (code) {
        case Errc::parameter_invalid:
        case Errc::feature_not_available:
            return {"parameter_invalid", 400, "The `{parameter}` parameter is invalid.",
                    kPermanent};
        case Errc::parameter_not_provided:
            return {"parameter_not_provided", 400,
                    "The `{parameter}` parameter is required but was not provided.", kPermanent};
        case Errc::parameter_unknown:
            return {"parameter_unknown", 400, "The `{parameter}` parameter is unknown.",
                    kPermanent};
        case Errc::body_invalid_json:
            return {"parameter_invalid", 400, "The request body is not a valid JSON object.",
                    kPermanent};
        case Errc::content_type_invalid:
            return {"content_type_invalid", 400,
                    "The content type `{content_type}` is not supported. Please use "
                    "`multipart/form-data`.",
                    kPermanent};
        case Errc::content_type_not_json:
            return {"content_type_invalid", 400,
                    "The content type `{content_type}` is not supported. Please use "
                    "`application/json`.",
                    kPermanent};
        case Errc::multipart_boundary_missing:
            return {"multipart_boundary_missing", 400,
                    "Multipart boundary is missing. Please provide the boundary in the "
                    "`Content-Type` header.",
                    kPermanent};
        case Errc::invalid_multipart:
            return {"invalid_multipart", 400,
                    "Invalid multipart form. Please check your implementation and try again.",
                    kPermanent};
        case Errc::index_name_already_exists:
            return {"index_name_already_exists", 400,
                    "Index name `{index_name}` already exists. Please use another unique name and "
                    "try again.",
                    kPermanent};
        case Errc::index_option_cannot_be_changed:
            return {"index_option_cannot_be_changed", 400,
                    "Index option cannot be changed. Please remove index_options parameter and try "
                    "again. If you want to change index option, please create new index.",
                    kPermanent};
        case Errc::index_engine_cannot_be_changed:
            return {"index_engine_cannot_be_changed", 400,
                    "Index engine cannot be changed. Please remove engine_id parameter and try "
                    "again. If you want to change engine, please create new index.",
                    kPermanent};
        case Errc::task_cannot_be_deleted:
            return {"task_cannot_be_deleted", 400, "Task `{task_id}` cannot be deleted.",
                    kPermanent};
        case Errc::asset_not_ready:
            return {"parameter_invalid", 400,
                    "The `{parameter}` parameter is invalid. Asset `{asset_id}` is `{status}`; it "
                    "must be `ready`.",
                    kPermanent};
        case Errc::chunk_size_wrong:
            return {"chunk_size_invalid", 400,
                    "Chunk `{chunk_index}` must have exactly {expected_size} bytes, not "
                    "{current_size}.",
                    kPermanent};
        case Errc::chunk_not_uploaded:
            return {"chunk_not_uploaded", 400,
                    "Chunk `{chunk_index}` has not been uploaded completely. Please upload it, and "
                    "report it with the ETag of the answer.",
                    kPermanent};
        case Errc::chunk_proof_wrong:
            return {"chunk_proof_invalid", 400,
                    "The proof of chunk `{chunk_index}` is not the ETag of what was uploaded.",
                    kPermanent};
        case Errc::chunk_already_reported:
            return {"chunk_already_reported", 400,
                    "Chunk `{chunk_index}` has been reported as uploaded and cannot change any "
                    "more.",
                    kPermanent};
        case Errc::upload_expired:
            return {"upload_session_expired", 400,
                    "Upload session `{upload_id}` has expired. Please create a new one.",
                    kPermanent};
        case Errc::upload_completed:
            return {"upload_session_completed", 400, "Upload session `{upload_id}` is completed.",
                    kPermanent};
        case Errc::api_key_invalid:
            return {"api_key_invalid", 401,
                    "API Key is either invalid or expired. Please check your API key or generate a "
                    "new one from the dashboard and try again.",
                    kPermanent};
        case Errc::api_not_allowed:
            return {"api_not_allowed", 403, "API is not allowed to use.", kPermanent};
        case Errc::quota_exceeded:
            return {"usage_limit_exceeded", 400,
                    "The {quota} quota of the account is {limit}, of which {used} are used. Delete "
                    "something first, or ask for a larger quota.",
                    kPermanent};
        case Errc::media_beyond_rate_limit:
            return {"usage_limit_exceeded", 400,
                    "The account may index {rate_limit}, and this is {current_duration} seconds "
                    "long. Waiting does not help: ask for a higher limit.",
                    kPermanent};
        case Errc::too_many_requests:
            return {"too_many_requests", 429,
                    "You have exceeded the rate limit (`{rate_limit}`). Please try again later "
                    "after `{retry_after}`.",
                    kPassing};
        case Errc::media_signature_invalid:
            return {"media_signature_invalid", 403,
                    "The media URL is not valid or has expired. Retrieve the resource again to get "
                    "a new one.",
                    kPermanent};
        case Errc::chunk_url_invalid:
            return {"upload_url_invalid", 403,
                    "The upload URL is not valid or has expired. Please request new presigned URLs "
                    "and try again.",
                    kPermanent};
        case Errc::uploads_too_many:
            return {"upload_sessions_limit_exceeded", 403,
                    "Your account already has {maximum} open upload sessions. Please complete them "
                    "or wait until they expire.",
                    kPermanent};
        case Errc::resource_not_exist:
            return {"resource_not_exist", 404,
                    "Resource with id `{resource_id}` does not exist in `{collection_name}`.",
                    kPermanent};
        case Errc::endpoint_not_exists:
            return {"endpoint_not_exists", 404, "The endpoint `{path}` does not exist.",
                    kPermanent};
        case Errc::method_not_allowed:
            return {"method_not_allowed", 405, "The method `{method}` is not allowed for `{path}`.",
                    kPermanent};
        case Errc::asset_in_use:
            return {
                "asset_in_use", 409,
                "Asset `{asset_id}` is referenced by indexed assets ({references}). Delete them "
                "first, or set the `force` parameter to `true`.",
                kPermanent};
        case Errc::chunk_replaced:
            return {"chunk_replaced", 409,
                    "Chunk `{chunk_index}` was completed by another upload of it meanwhile. Please "
                    "upload it again if its bytes should be others.",
                    kPermanent};
        case Errc::range_not_satisfiable:
            return {"range_not_satisfiable", 416, "The requested range is outside the content.",
                    kPermanent};
        case Errc::request_malformed:
            return {"request_malformed", 400, "The request is not valid HTTP.", kPermanent};
        case Errc::request_timed_out:
            return {"request_canceled_or_timed_out", 408, "Request canceled.", kPassing};
        case Errc::header_too_large:
            return {"header_too_large", 431, "The request headers are too large.", kPermanent};
        case Errc::body_too_large:
            return {"body_too_large", 413,
                    "The request body is too large. It can have at most {maximum_size} bytes.",
                    kPermanent};
        case Errc::uri_too_long:
            return {"uri_too_long", 414, "The request target is too long.", kPermanent};
        case Errc::overloaded:
            return {"server_overloaded", 503,
                    "The server is busy (`{queue}`). Please try again later.", kPassing};
        case Errc::shutting_down:
            return {"server_shutting_down", 503,
                    "The server is shutting down. Please try again later.", kPassing};
        case Errc::storage_full:
            return {"storage_full", 507,
                    "The server has no space left to store this. Nothing was changed. Please try "
                    "again after space has been freed.",
                    kPassing};
        case Errc::media_worker_unavailable:
            return {"media_worker_unavailable", 503,
                    "The server cannot examine media right now. Please try again later.", kPassing};
        case Errc::internal:
            return {
                "internal_error", 500,
                "An error occurred on the server. Its log has more under the request id of this "
                "answer.",
                kPassing};
        case Errc::method_not_valid:
        case Errc::method_is_multipart:
        case Errc::file_required:
        case Errc::url_required:
        case Errc::file_unprocessable:
        case Errc::asset_type_unsupported:
        case Errc::image_too_small:
        case Errc::image_broken:
        case Errc::media_url_not_accessible:
        case Errc::media_url_unreachable:
        case Errc::media_url_unsupported_format:
        case Errc::media_url_file_broken:
        case Errc::media_filesize_too_large:
        case Errc::video_file_broken:
        case Errc::video_file_live:
        case Errc::video_resolution_too_low:
        case Errc::video_resolution_too_high:
        case Errc::video_resolution_invalid_aspect_ratio:
        case Errc::video_duration_too_short:
        case Errc::video_duration_too_long:
        case Errc::video_filesize_too_large:
        case Errc::audio_file_broken:
        case Errc::audio_duration_too_short:
        case Errc::audio_duration_too_long:
        case Errc::audio_filesize_too_large:
        case Errc::audio_format_unsupported:
        case Errc::task_video_file_broken:
        case Errc::task_video_resolution_too_low:
        case Errc::task_video_resolution_too_high:
        case Errc::task_video_aspect_ratio_invalid:
        case Errc::task_video_too_short:
        case Errc::task_video_too_long:
            return row_of_media(code);
    }
    return {"internal_error", 500, "An error occurred.", kPassing};
}

namespace {

/// The catalogue of POST /assets: a table too.
// NOLINTNEXTLINE(readability-function-size)
ErrorRow row_of_media(Errc code) {
    const auto bad = [](std::string_view name, std::string_view message) {
        return ErrorRow{name, 400, message, kPermanent};
    };
    switch (code) {
        case Errc::method_not_valid:
            return bad("parameter_invalid",
                       "Key: 'CreateAssetRequest.Method' Error:Field validation for 'Method' "
                       "failed on the '{tag}' tag");
        case Errc::method_is_multipart:
            return bad("parameter_invalid",
                       "The `method` parameter is invalid. To upload in parts, use the "
                       "`/assets/multipart-uploads` endpoint.");
        case Errc::file_required:
            return bad("parameter_not_provided",
                       "The `file` parameter is required but was not provided. `file` is required "
                       "when `method` is `direct`.");
        case Errc::url_required:
            return bad("parameter_not_provided",
                       "The `url` parameter is required but was not provided. `url` is required "
                       "when `method` is `url`.");
        case Errc::file_unprocessable:
            return bad("parameter_invalid",
                       "The `file` parameter is invalid. Unable to process the uploaded file. "
                       "Please try uploading again.");
        case Errc::asset_type_unsupported:
            return bad("parameter_invalid",
                       "The `file` parameter is invalid. Unsupported asset type: `{asset_type}`.");
        case Errc::image_too_small:
            return bad("parameter_invalid",
                       "The `image` parameter is invalid. Image dimensions `{current_dimensions}` "
                       "are below the minimum `{minimum_dimensions}`.");
        case Errc::image_broken:
            return bad("parameter_invalid",
                       "The `image` parameter is invalid. Invalid image file. Please check the "
                       "format and dimensions.");
        case Errc::media_url_not_accessible:
        case Errc::media_url_unreachable:
            return bad("media_url_not_accessible",
                       "Cannot access the media URL `{url}`. The server responded with an error. "
                       "Please verify the URL is correct and publicly accessible.");
        case Errc::media_url_unsupported_format:
            return bad("media_url_unsupported_format",
                       "The file at the provided URL is not a supported media format. Detected "
                       "format: `{detected_format}`. Please provide a valid asset file.");
        case Errc::media_url_file_broken:
            return bad("media_url_file_broken",
                       "Cannot read the media file at the specified URL. Please verify the file is "
                       "valid and try again.");
        case Errc::media_filesize_too_large:
            return bad("media_filesize_too_large",
                       "The media file is too large. Please upload a file smaller than "
                       "`{maximum_size}`. The current size is `{current_size}`.");
        case Errc::video_file_broken:
            return bad("video_file_broken",
                       "Unable to process video file. Please check if the file is valid and try "
                       "again.");
        case Errc::video_file_live:
            return bad("video_file_live",
                       "Live video streams are not supported. Please provide a URL that is not a "
                       "live stream.");
        case Errc::video_resolution_too_low:
            return bad("video_resolution_too_low",
                       "The resolution of the video is too low. Please upload a video with a "
                       "resolution between `{minimum_resolution}` and `{maximum_resolution}`. "
                       "Current resolution is `{current_resolution}`.");
        case Errc::video_resolution_too_high:
            return bad("video_resolution_too_high",
                       "The resolution of the video is too high. Please upload a video with a "
                       "resolution between `{minimum_resolution}` and `{maximum_resolution}`. "
                       "Current resolution is `{current_resolution}`.");
        case Errc::video_resolution_invalid_aspect_ratio:
            return bad("video_resolution_invalid_aspect_ratio",
                       "The aspect ratio of the video is invalid. Please upload a video with an "
                       "aspect ratio between 1:1 and `{maximum_aspect_ratio}`. Current resolution "
                       "is `{current_resolution}`.");
        case Errc::video_duration_too_short:
            return bad("video_duration_too_short",
                       "The video is too short. Please use a video with a duration of at least "
                       "`{minimum_duration}` seconds. Current duration is `{current_duration}` "
                       "seconds.");
        case Errc::video_duration_too_long:
            return bad("video_duration_too_long",
                       "The video is too long. Please use a video with a duration between "
                       "`{minimum_duration}` and `{maximum_duration}` seconds. Current duration is "
                       "`{current_duration}` seconds.");
        case Errc::video_filesize_too_large:
            return bad("video_filesize_too_large",
                       "The video is too large. Please use a video with a size less than "
                       "`{maximum_size}`. The current size is `{current_size}`.");
        case Errc::audio_file_broken:
            return bad("audio_file_broken",
                       "Unable to process audio file. Please check if the file is valid and try "
                       "again.");
        case Errc::audio_duration_too_short:
            return bad("audio_duration_too_short",
                       "The audio is too short. Please use an audio file with a duration of at "
                       "least `{minimum_duration}` seconds. Current duration is "
                       "`{current_duration}` seconds.");
        case Errc::audio_duration_too_long:
            return bad("audio_duration_too_long",
                       "The audio is too long. Please use an audio file with a duration between "
                       "`{minimum_duration}` and `{maximum_duration}` seconds. Current duration is "
                       "`{current_duration}` seconds.");
        case Errc::audio_filesize_too_large:
            return bad("audio_filesize_too_large",
                       "The audio is too large. Please use an audio file with a size less than "
                       "`{maximum_size}`. The current size is `{current_size}`.");
        case Errc::audio_format_unsupported:
            return bad("audio_format_unsupported",
                       "The audio format `{format}` is not supported. Please use one of the "
                       "following formats: `{supported_formats}`.");
        case Errc::task_video_file_broken:
            return bad("video_file_broken",
                       "Cannot read video file. Please check the video file is valid and try "
                       "again.");
        case Errc::task_video_resolution_too_low:
            return bad("video_resolution_too_low",
                       "The resolution of the video is too low. Please upload a video with "
                       "resolution between {minimum_resolution} and {maximum_resolution}. Current "
                       "resolution is {current_resolution}.");
        case Errc::task_video_resolution_too_high:
            return bad("video_resolution_too_high",
                       "The resolution of the video is too high. Please upload a video with "
                       "resolution between {minimum_resolution} and {maximum_resolution}. Current "
                       "resolution is {current_resolution}.");
        case Errc::task_video_aspect_ratio_invalid:
            return bad("video_resolution_invalid_aspect_ratio",
                       "The aspect ratio of the video is invalid. Please upload a video with "
                       "aspect ratio between 1:1 and {maximum_aspect_ratio}. Current resolution is "
                       "{current_resolution}.");
        case Errc::task_video_too_short:
            return bad("video_duration_too_short",
                       "Video is too short. Please use video with duration {allowed_duration}. "
                       "Current duration is {current_duration} seconds.");
        case Errc::task_video_too_long:
            return bad("video_duration_too_long",
                       "Video is too long. Please use video with duration {allowed_duration}. "
                       "Current duration is {current_duration} seconds.");
        default:
            return {"internal_error", 500, "An error occurred.", kPassing};
    }
}

}  // namespace

bool says_when_to_retry(const ErrorRow& row) {
    return row.retry_helps && row.status != 500;
}

std::vector<Errc> media_errors() {
    return {Errc::file_unprocessable,        Errc::asset_type_unsupported,
            Errc::image_too_small,           Errc::image_broken,
            Errc::media_filesize_too_large,  Errc::video_file_broken,
            Errc::video_file_live,           Errc::video_resolution_too_low,
            Errc::video_resolution_too_high, Errc::video_resolution_invalid_aspect_ratio,
            Errc::video_duration_too_short,  Errc::video_duration_too_long,
            Errc::video_filesize_too_large,  Errc::audio_file_broken,
            Errc::audio_duration_too_short,  Errc::audio_duration_too_long,
            Errc::audio_filesize_too_large,  Errc::audio_format_unsupported,
            Errc::media_worker_unavailable};
}

std::string message_of(const base::Error& error) {
    std::string_view rest = row_of(error.code).message;
    std::string message;
    while (!rest.empty()) {
        const auto open = rest.find('{');
        message += rest.substr(0, open);
        if (open == std::string_view::npos) {
            break;
        }
        const auto close = rest.find('}', open);
        message += error.value(rest.substr(open + 1, close - open - 1));
        rest = rest.substr(close + 1);
    }
    const auto reason = error.value("reason");
    if (!reason.empty()) {
        message += ' ';
        message += reason;
    }
    return message;
}

http::Response render_error(const base::Error& error, std::string_view request_id) {
    const auto row = row_of(error.code);
    if (row.status >= 500) {
        observe::log(row.status == 500 ? observe::Level::error : observe::Level::warn,
                     "request_failed",
                     {{"request_id", request_id},
                      {"code", row.code},
                      {"detail", error.detail},
                      {"at", fmt::format("{}:{}", error.where.file_name(), error.where.line())}});
    }
    http::Response response;
    response.status = row.status;
    std::string body;
    {
        JsonObject object(body);
        object.text("code", row.code);
        object.text("message", message_of(error));
        object.text("docs_url", kDocsUrl);
    }
    response.headers.emplace_back("Content-Type", "application/json");
    if (says_when_to_retry(row)) {
        const auto told = error.value("retry_after_sec");
        response.headers.emplace_back("Retry-After", told.empty() ? kRetryAfterSec : told);
    }
    response.body = std::move(body);
    return response;
}

}  // namespace kinodex::api
