// POST /v1.3/assets: a form with a file or a URL.
#include "api/api.h"
#include "api/asset_wire.h"
#include "api/error_table.h"
#include "api/form.h"

namespace kinodex::api {
namespace {

base::Status check_method(const Form& form) {
    const auto* method = form.text("method");
    if (method == nullptr || method->empty()) {
        return base::fail(Errc::method_not_valid, {{"tag", "required"}});
    }
    if (*method == "multipart") {
        return base::fail(Errc::method_is_multipart);
    }
    if (*method == "url") {
        const auto* url = form.text("url");
        return url != nullptr && !url->empty() ? base::Status{} : base::fail(Errc::url_required);
    }
    if (*method != "direct") {
        return base::fail(Errc::method_not_valid, {{"tag", "oneof"}});
    }
    return form.file ? base::Status{} : base::fail(Errc::file_required);
}

base::Result<service::NewUpload> upload_of(const Caller& caller, Form form) {
    KN_PASS(check_method(form));
    service::NewUpload upload;
    upload.account = caller.account;
    if (*form.text("method") == "url") {
        upload.method = domain::AssetMethod::url;
        upload.source_url = *form.text("url");
        form.file.reset();  // the method decides
        form.file_name = service::filename_of_url(upload.source_url);
    }
    const auto* name = form.text("filename");
    upload.filename = name != nullptr ? *name : form.file_name;
    if (name == nullptr && upload.filename.empty()) {
        upload.filename = "upload";  // a file part need not have a name
    }
    KN_PASS(service::check_filename(upload.filename));
    KN_TRY(hls, form.flag("enable_hls", false));
    KN_TRY(thumbnail, form.flag("enable_thumbnail", false));
    upload.wishes = {.hls = hls, .thumbnail = thumbnail};
    KN_TRY(metadata, form.metadata());
    upload.user_metadata = std::move(metadata);
    upload.media = std::move(form.file);
    return upload;
}

Asked<Reply> create_asset(Services& services, http::Request& request) {
    KN_CO_TRY(caller, identify(services, request));
    FormRules rules{
        "file",
        {"method", "url", "filename", "enable_hls", "enable_thumbnail", "user_metadata"},
        services.assets.upload_bytes_max()};
    KN_CO_TRY(form, co_await read_form(services.assets, request, std::move(rules)));
    KN_CO_TRY(upload, upload_of(caller, std::move(form)));
    auto asset = upload.method == domain::AssetMethod::url
                     ? co_await services.url_assets.create(
                           std::move(upload), [&request] { return !request.is_client_gone(); })
                     : co_await services.assets.create(std::move(upload));
    if (!asset) {
        co_return std::unexpected(std::move(asset).error());
    }
    co_return Reply{asset_json(*asset), {}};
}

std::vector<Field> create_fields() {
    constexpr auto kWanted = Presence::required;
    constexpr auto kFree = Presence::optional;
    const auto off = schema::flag().defaults_to("false");
    return {
        part("method", In::form, kWanted, schema::words({"direct", "url"}), "How the bytes come."),
        part("file", In::form, kFree, schema::binary(), "The file; of method `direct`."),
        part("url", In::form, kFree, schema::url(),
             "Where the server fetches the file; of method `url`. An http or https address that "
             "anybody can read, without credentials."),
        part("filename", In::form, kFree, schema::line(1, service::kFilenameCharsMax),
             "The asset's filename; else the one of the file part, or the last segment of "
             "the URL's path."),
        part("enable_hls", In::form, kFree, off, "Make it playable over HLS."),
        part("enable_thumbnail", In::form, kFree, off, "Make a thumbnail."),
        metadata_part(),
    };
}

std::vector<Errc> create_errors() {
    std::vector<Errc> errors{Errc::content_type_invalid,
                             Errc::multipart_boundary_missing,
                             Errc::invalid_multipart,
                             Errc::method_not_valid,
                             Errc::file_required,
                             Errc::url_required,
                             Errc::media_url_not_accessible,
                             Errc::media_url_unsupported_format,
                             Errc::media_url_file_broken,
                             Errc::quota_exceeded};
    for (const auto each : media_errors()) {
        errors.push_back(each);
    }
    return errors;
}

runtime::Task<http::Response> respond(Services& services, http::Request& request) {
    auto reply = co_await create_asset(services, request);
    if (!reply) {
        co_return render_error(reply.error(), request.request_id);
    }
    co_return json_response(201, std::move(reply->json));
}

}  // namespace

std::vector<Endpoint> upload_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(counted_as(
        service::RateCategory::upload,
        raw_endpoint(
            {Method::post, "/v1.3/assets", "assets.create", "Upload an asset",
             "The parts may come in any order. The answer comes when the file is on disk "
             "and its bytes "
             "were looked at, or with `--ingest async` when it is on disk. What comes from a "
             "URL and is larger than 200 MB, or slow, is answered `processing` and "
             "fetched in the background."},
            answers(201, asset_schema()).making("asset_id"), create_errors(), create_fields(),
            Access::key, http::BodyMode::streamed,
            [&services](http::Request& request) { return respond(services, request); })));
    return endpoints;
}

}  // namespace kinodex::api
