// POST /v1.3/assets: a form whose file is written to the media store while it arrives.
//
// Clients order the parts as they like (the JavaScript SDK sends the file before the fields), so
// nothing but sizes is judged before the whole form is there.
#include "api/api.h"
#include "api/asset_wire.h"
#include "api/error_table.h"
#include "http/multipart_reader.h"

namespace kinodex::api {
namespace {

// Text parts may be as large as metadata can be with every character escaped.
constexpr std::size_t kTextPartBytesMax = 512 * 1024;

struct Form {
    std::vector<std::pair<std::string, std::string>> texts;
    std::unique_ptr<objects::Draft> file;
    std::string file_name;  // of the file part, without its path; may be empty

    [[nodiscard]] const std::string* text(std::string_view name) const {
        for (const auto& [key, value] : texts) {
            if (key == name) {
                return &value;
            }
        }
        return nullptr;
    }
};

bool is_text_part(std::string_view name) {
    return name == "method" || name == "url" || name == "filename" || name == "enable_hls" ||
           name == "enable_thumbnail" || name == "user_metadata";
}

std::string without_path(const std::string& name) {
    const auto slash = name.find_last_of("/\\");
    return slash == std::string::npos ? name : name.substr(slash + 1);
}

Asked<void> read_file(service::Assets& assets, http::MultipartReader& parts, Form& form) {
    KN_CO_TRY(draft, co_await assets.begin_upload());
    const auto limit = static_cast<std::uint64_t>(assets.upload_bytes_max());
    while (true) {
        KN_CO_TRY(bytes, co_await parts.read_part());
        if (bytes.empty()) {
            break;
        }
        // The next bytes come in while these are written.
        KN_CO_PASS(co_await draft->append_behind(bytes, parts.owner()));
        if (draft->size_bytes() > limit) {
            const auto size = static_cast<std::int64_t>(draft->size_bytes());
            co_return co_await assets.refuse_too_large(*draft, size);
        }
    }
    KN_CO_PASS(co_await draft->settle());
    form.file = std::move(draft);
    co_return base::Status{};
}

Asked<Form> read_form(service::Assets& assets, http::MultipartReader& parts) {
    Form form;
    while (true) {
        KN_CO_TRY(head, co_await parts.next_part());
        if (!head) {
            co_return form;
        }
        if (head->name == "file") {
            if (form.file) {
                co_return invalid("file", "It was given more than once.");
            }
            form.file_name = without_path(head->filename.value_or(""));
            KN_CO_PASS(co_await read_file(assets, parts, form));
            // A field without a file name and without bytes is a form that was left empty.
            if (!head->filename && form.file->size_bytes() == 0) {
                form.file.reset();
            }
            continue;
        }
        if (!is_text_part(head->name)) {
            co_return base::fail(Errc::parameter_unknown, {{"parameter", head->name}});
        }
        if (form.text(head->name) != nullptr) {
            co_return invalid(head->name, "It was given more than once.");
        }
        const auto limit = head->name == "url" ? fetch::kUrlBytesMax : kTextPartBytesMax;
        KN_CO_TRY(text, co_await parts.read_text(limit));
        form.texts.emplace_back(head->name, std::move(text));
    }
}

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

base::Result<bool> flag(const Form& form, std::string_view name) {
    const auto* text = form.text(name);
    return text == nullptr ? base::Result<bool>(false) : parse_flag(name, *text);
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
    KN_TRY(hls, flag(form, "enable_hls"));
    KN_TRY(thumbnail, flag(form, "enable_thumbnail"));
    upload.wishes = {.hls = hls, .thumbnail = thumbnail};
    if (const auto* metadata = form.text("user_metadata")) {
        KN_TRY(change, domain::parse_metadata_change(*metadata, domain::MetadataMode::merge));
        // Its bounds are checked before anything is kept.
        KN_TRY(applied, domain::apply_change({}, change));
        (void)applied;
        upload.user_metadata = std::move(change);
    }
    upload.media = std::move(form.file);
    return upload;
}

Asked<Reply> create_asset(Services& services, http::Request& request) {
    KN_CO_TRY(caller, identify(services, request));
    if (!request.query.empty()) {
        co_return base::fail(Errc::parameter_unknown, {{"parameter", request.query[0].first}});
    }
    KN_CO_TRY(boundary, http::multipart_boundary(request.content_type));
    http::MultipartReader parts(std::move(boundary), *request.body_reader);
    KN_CO_TRY(form, co_await read_form(services.assets, parts));
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
        part("user_metadata", In::form, kFree,
             schema::text({}, kTextPartBytesMax).like(R"("{\"category\":\"trailer\"}")"),
             "A JSON object of strings, integers, floats and booleans."),
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
