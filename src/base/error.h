// What can go wrong, named by what the caller should do about it.
//
// Lower folders return an Error with a condition and the named values its message needs. They know
// no HTTP status and write no prose for clients: `api/error_table.cpp` turns a condition into a
// status, a wire code and a sentence.
#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kinodex::base {

enum class Errc {
    // The request is wrong; an identical retry cannot help.
    parameter_invalid,       // values: parameter, [reason]
    parameter_not_provided,  // values: parameter
    parameter_unknown,       // values: parameter
    body_invalid_json,       // values: reason
    content_type_invalid,    // values: content_type
    content_type_not_json,   // values: content_type
    multipart_boundary_missing,
    invalid_multipart,
    method_not_valid,  // the validator message of POST /assets for `method`
    method_is_multipart,
    file_required,
    url_required,
    file_unprocessable,
    asset_type_unsupported,  // values: asset_type
    image_too_small,         // values: current_dimensions, minimum_dimensions
    image_broken,
    media_url_not_accessible,      // values: url
    media_url_unsupported_format,  // values: detected_format
    media_url_file_broken,
    media_filesize_too_large,  // values: maximum_size, current_size
    video_file_broken,
    video_file_live,
    video_resolution_too_low,  // values: minimum_resolution, maximum_resolution, current_resolution
    video_resolution_too_high,
    video_resolution_invalid_aspect_ratio,  // values: maximum_aspect_ratio, current_resolution
    video_duration_too_short,               // values: minimum_duration, current_duration
    video_duration_too_long,   // values: minimum_duration, maximum_duration, current_duration
    video_filesize_too_large,  // values: maximum_size, current_size
    audio_file_broken,
    audio_duration_too_short,
    audio_duration_too_long,
    audio_filesize_too_large,
    audio_format_unsupported,  // values: format, supported_formats
    task_video_file_broken,    // what tasks say of videos; values as above
    task_video_resolution_too_low,
    task_video_resolution_too_high,
    task_video_aspect_ratio_invalid,
    task_video_too_short,  // values: allowed_duration, current_duration
    task_video_too_long,
    index_name_already_exists,  // values: index_name
    index_option_cannot_be_changed,
    index_engine_cannot_be_changed,
    task_cannot_be_deleted,  // values: task_id, reason
    asset_not_ready,         // values: asset_id, status
    feature_not_available,   // values: parameter, reason: asked of a part this server lacks
    chunk_size_wrong,        // values: chunk_index, expected_size, current_size
    chunk_not_uploaded,      // values: chunk_index: reported before its bytes were all here
    chunk_proof_wrong,       // values: chunk_index: the ETag reported is not that of the bytes
    chunk_already_reported,  // values: chunk_index: its bytes are settled
    upload_expired,          // values: upload_id
    upload_completed,        // values: upload_id

    // Who is asking.
    api_key_invalid,
    api_not_allowed,
    quota_exceeded,           // values: quota, limit, used
    media_beyond_rate_limit,  // values: rate_limit, current_duration: no waiting helps
    media_signature_invalid,  // a media URL that was changed or has expired
    chunk_url_invalid,        // the URL of a chunk that was changed or has expired
    uploads_too_many,         // values: maximum: open sessions of an account

    // Not there, or in the way.
    resource_not_exist,   // values: resource_id, collection_name
    endpoint_not_exists,  // values: path
    method_not_allowed,   // values: method, path
    asset_in_use,         // values: asset_id, references
    range_not_satisfiable,
    chunk_replaced,  // values: chunk_index: another writer of the chunk was done first

    // HTTP itself.
    request_malformed,  // values: reason
    request_timed_out,
    header_too_large,
    body_too_large,  // values: maximum_size
    uri_too_long,

    // Retry later.
    too_many_requests,  // values: rate_limit, retry_after, retry_after_sec
    overloaded,         // values: queue
    shutting_down,
    storage_full,
    media_worker_unavailable,
    media_url_unreachable,  // values: url; as media_url_not_accessible, but it may work later

    // Ours.
    internal,
};

struct ErrorValue {
    std::string name;
    std::string text;
};

struct Error {
    Errc code = Errc::internal;
    std::vector<ErrorValue> values;  // what the client's message needs
    std::string detail;              // for the log only
    std::source_location where;

    /// The value called `name`, or an empty text.
    [[nodiscard]] std::string_view value(std::string_view name) const {
        for (const auto& each : values) {
            if (each.name == name) {
                return each.text;
            }
        }
        return {};
    }
};

}  // namespace kinodex::base
