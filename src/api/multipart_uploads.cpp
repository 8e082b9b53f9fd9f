// Uploads in parts: create a session, report its chunks, ask for more URLs, look at it, list.
#include "api/api.h"
#include "api/json_fields.h"
#include "api/links.h"
#include "api/page_endpoint.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::Chunk;
using domain::ChunkState;
using domain::Upload;
using domain::UploadId;

constexpr const char* kUploadIdText = "The upload session's identifier.";
// Ours have 64; there is room for the quotes that HTTP puts around it.
constexpr std::size_t kProofCharsMax = 256;

struct CreateUpload {
    std::string filename;
    domain::AssetType type = domain::AssetType::video;
    std::int64_t total_size = 0;
    bool enable_hls = false;
    bool enable_thumbnail = false;
    std::optional<domain::MetadataChange> user_metadata;
};

struct ListUploads {
    domain::Page page;
};

struct OneUpload {
    UploadId id;
    domain::Page page;
};

struct ReportChunks {
    UploadId id;
    std::vector<store::ReportedChunk> chunks;
};

struct MoreUrls {
    UploadId id;
    std::int64_t start = 0;
    std::int64_t count = 0;
};

// --- wire shapes

Schema chunk_index_schema() {
    return schema::integer(1, domain::kChunksMax);
}

Schema chunk_url_schema() {
    return schema::named(
        "ChunkUrl",
        schema::object({has("chunk_index", chunk_index_schema(), "The chunk, from 1."),
                        has("url", schema::url(), "Where to PUT its bytes, without an API key."),
                        has("expires_at", schema::time(), "When the URL ends.")}));
}

Schema created_schema() {
    return schema::named(
        "UploadSession",
        schema::object(
            {has("upload_id", schema::id(), kUploadIdText),
             has("asset_id", schema::id(), "The identifier that the asset will have."),
             has("upload_urls", schema::list(chunk_url_schema(), 1),
                 "URLs of the first chunks; ask for more as they are needed."),
             has("upload_headers", schema::map(schema::text()), "Headers to send with each chunk."),
             has("chunk_size", schema::integer(1),
                 "Bytes of each chunk; the last one may be shorter."),
             has("total_chunks", chunk_index_schema(), "How many there are."),
             has("expires_at", schema::time(), "When the session ends.")}));
}

Schema status_schema() {
    return schema::words({"active", "completed", "expired"});
}

Schema summary_schema() {
    return schema::named(
        "IncompleteUpload",
        schema::object({has("upload_id", schema::id(), kUploadIdText),
                        has("status", status_schema(), "How it stands."),
                        has("total_size", schema::integer(1), "Bytes of the file."),
                        has("chunk_size", schema::integer(1), "Bytes of a chunk."),
                        has("total_chunks", chunk_index_schema(), "How many there are."),
                        has("created_at", schema::time(), "When it was created."),
                        has("expires_at", schema::time(), "When it ends.")}));
}

Schema chunk_schema() {
    return schema::named(
        "UploadedChunk",
        schema::object(
            {has("index", chunk_index_schema(), "The chunk, from 1."),
             has("status", schema::words({"pending", "completed", "failed"}),
                 "`completed` once it was reported, `failed` when the session expired "
                 "before."),
             has("uploaded_at", schema::time().nullable(), "When it was reported; null before."),
             has("updated_at", schema::time(), "When it last changed."),
             may_have("error", schema::text(1), "Why it failed.")}));
}

Schema progress_schema() {
    return schema::named(
        "UploadStatus",
        schema::object({has("upload_id", schema::id(), kUploadIdText),
                        has("status", status_schema(), "How it stands."),
                        has("uploaded_chunks", schema::list(chunk_schema()),
                            "One page of all chunks, pending ones included."),
                        has("chunks_completed", schema::integer(0), "Chunks that were reported."),
                        has("chunks_failed", schema::integer(0),
                            "None while the session is active: what did not arrive is pending."),
                        has("chunks_pending", schema::integer(0), "The others."),
                        has("page_info", page_info_schema(), "Which chunks these are."),
                        has("total_size", schema::integer(1), "Bytes of the file."),
                        has("uploaded_size", schema::integer(0), "Bytes that were reported."),
                        has("created_at", schema::time(), "When it was created."),
                        has("updated_at", schema::time(), "When it last changed.")}));
}

Schema reported_schema() {
    return schema::named(
        "ChunkReport",
        schema::object(
            {may_have("url", schema::url(),
                      "Where the file can be fetched; once every chunk is reported."),
             has("asset_id", schema::id(), "The asset's identifier."),
             has("processed_chunks", schema::integer(0), "Chunks taken from this report."),
             has("duplicate_chunks", schema::integer(0), "Those reported before."),
             has("total_completed", schema::integer(0), "Chunks reported so far in all.")}));
}

Schema more_urls_schema() {
    return schema::named(
        "MoreUploadUrls",
        schema::object({has("upload_id", schema::id(), kUploadIdText),
                        has("start_index", chunk_index_schema(), "The first of these chunks."),
                        has("count", schema::integer(1, service::kChunkBatchMax), "How many."),
                        has("upload_urls", schema::list(chunk_url_schema(), 1), "Their URLs."),
                        has("generated_at", schema::time(), "When they were made."),
                        has("expires_at", schema::time(), "When they end.")}));
}

Schema report_item_schema() {
    return schema::named(
        "CompletedChunk",
        schema::closed_object(
            {has("chunk_index", chunk_index_schema(), "The chunk, from 1."),
             has("proof", schema::text(1, kProofCharsMax), "The ETag that its upload answered."),
             has("proof_type", schema::words({"etag"}), "What the proof is."),
             has("chunk_size", schema::integer(1), "Its bytes.")}));
}

void append_urls(std::string& out, const Services& services, const Caller& caller,
                 const Upload& upload, std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> indexes;
    for (auto index = first; index <= last; ++index) {
        indexes.push_back(index);
    }
    const auto expires_at = services.upload_signer.expires_at(base::now());
    append_array(out, indexes, [&](std::string& to, std::int64_t index) {
        JsonObject object(to);
        object.integer("chunk_index", index);
        object.text("url", chunk_url(caller.base_url, services.upload_signer, upload.id, index));
        object.text("expires_at", base::rfc3339_seconds(expires_at));
    });
}

std::string created_json(const Services& services, const Caller& caller, const Upload& upload) {
    std::string out;
    {
        JsonObject object(out);
        object.text("upload_id", upload.id.text());
        object.text("asset_id", upload.asset_id.text());
        append_urls(object.key("upload_urls"), services, caller, upload, 1,
                    std::min(upload.total_chunks(), service::kFirstUrlsMax));
        {
            JsonObject headers(object.key("upload_headers"));
            headers.text("Content-Type", "application/octet-stream");
        }
        object.integer("chunk_size", upload.chunk_size_bytes);
        object.integer("total_chunks", upload.total_chunks());
        object.text("expires_at", base::rfc3339_seconds(upload.expires_at));
    }
    return out;
}

void append_summary(std::string& out, const Upload& upload) {
    JsonObject object(out);
    object.text("upload_id", upload.id.text());
    object.text("status", domain::name_of(upload.status_at(base::now())));
    object.integer("total_size", upload.total_size_bytes);
    object.integer("chunk_size", upload.chunk_size_bytes);
    object.integer("total_chunks", upload.total_chunks());
    object.text("created_at", base::rfc3339_seconds(upload.created_at));
    object.text("expires_at", base::rfc3339_seconds(upload.expires_at));
}

/// `is_expired`: its session is, so that what waits for the chunk can end.
void append_chunk(std::string& out, const Chunk& chunk, bool is_expired) {
    const bool is_reported = chunk.state == ChunkState::reported;
    const auto updated_at = base::rfc3339_seconds(chunk.updated_at);
    JsonObject object(out);
    object.integer("index", chunk.index);
    object.text("status", is_reported ? "completed" : is_expired ? "failed" : "pending");
    if (is_reported) {
        object.text("uploaded_at", updated_at);
    } else {
        object.raw("uploaded_at", "null");
    }
    object.text("updated_at", updated_at);
    if (!is_reported && is_expired) {
        object.text("error", "The upload session expired before this chunk was reported.");
    }
}

std::string progress_json(const Upload& upload, const std::vector<Chunk>& chunks,
                          domain::Page page) {
    const auto status = upload.status_at(base::now());
    const bool is_expired = status == domain::UploadStatus::expired;
    const auto missing_chunks = upload.total_chunks() - upload.chunks_completed;
    std::string out;
    {
        JsonObject object(out);
        object.text("upload_id", upload.id.text());
        object.text("status", domain::name_of(status));
        append_array(object.key("uploaded_chunks"), chunks,
                     [is_expired](std::string& to, const Chunk& chunk) {
                         append_chunk(to, chunk, is_expired);
                     });
        object.integer("chunks_completed", upload.chunks_completed);
        object.integer("chunks_failed", is_expired ? missing_chunks : 0);
        object.integer("chunks_pending", is_expired ? 0 : missing_chunks);
        append_page_info(object, page, upload.total_chunks());
        object.integer("total_size", upload.total_size_bytes);
        object.integer("uploaded_size", upload.completed_bytes);
        object.text("created_at", base::rfc3339_seconds(upload.created_at));
        object.text("updated_at", base::rfc3339_seconds(upload.updated_at));
    }
    return out;
}

std::string reported_json(const Services& services, const Caller& caller,
                          const store::ReportOutcome& outcome) {
    const auto& upload = outcome.upload;
    std::string out;
    {
        JsonObject object(out);
        if (upload.status == domain::UploadStatus::completed) {
            object.text("url", source_url(caller.base_url, services.signer, upload.asset_id));
        }
        object.text("asset_id", upload.asset_id.text());
        object.integer("processed_chunks", outcome.processed);
        object.integer("duplicate_chunks", outcome.duplicates);
        object.integer("total_completed", upload.chunks_completed);
    }
    return out;
}

// --- fields

Field type_field() {
    auto parse = [](const Values& values) -> base::Result<domain::AssetType> {
        const auto raw = body_value(values, "type");
        if (!raw) {
            return missing("type");
        }
        const auto word = json_text(*raw);
        const auto type = word ? domain::from_name<domain::AssetType>(*word) : std::nullopt;
        if (!type || *type == domain::AssetType::unknown) {
            return invalid("type", "Use one of the following values: video, audio, image.");
        }
        return *type;
    };
    auto field = bind_field("type", In::json, &CreateUpload::type, parse);
    field.required = true;
    return described(std::move(field), schema::words({"video", "audio", "image"}),
                     "What the file is. Its bytes have the last word.");
}

/// An ETag with or without the quotes of its header.
std::string unquoted(std::string text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        return text.substr(1, text.size() - 2);
    }
    return text;
}

base::Result<store::ReportedChunk> report_of(const RawMembers& members) {
    const auto wrong = [](std::string reason) {
        return invalid("completed_chunks", std::move(reason));
    };
    store::ReportedChunk chunk;
    std::optional<std::int64_t> index;
    std::optional<std::int64_t> size;
    std::optional<std::string> proof;
    bool has_type = false;
    for (const auto& [name, raw] : members) {
        if (name == "chunk_index") {
            index = json_integer(raw);
        } else if (name == "chunk_size") {
            size = json_integer(raw);
        } else if (name == "proof") {
            proof = json_text(raw);
        } else if (name == "proof_type") {
            has_type = json_text(raw) == "etag";
        } else {
            return wrong("`" + name + "` is unknown.");
        }
    }
    if (!index || *index < 1) {
        return wrong("`chunk_index` must be an integer of at least 1.");
    }
    if (!size || *size < 1) {
        return wrong("`chunk_size` must be an integer of at least 1.");
    }
    if (!proof || proof->empty() || proof->size() > kProofCharsMax) {
        return wrong("`proof` must be the ETag of the upload's answer.");
    }
    if (!has_type) {
        return wrong("`proof_type` must be `etag`.");
    }
    return store::ReportedChunk{*index, unquoted(std::move(*proof)), *size};
}

Field completed_chunks_field() {
    using Chunks = std::vector<store::ReportedChunk>;
    auto parse = [](const Values& values) -> base::Result<Chunks> {
        const auto raw = body_value(values, "completed_chunks");
        if (!raw) {
            return missing("completed_chunks");
        }
        const auto items = json_objects(*raw);
        if (!items || items->empty() ||
            items->size() > static_cast<std::size_t>(service::kChunkBatchMax)) {
            return invalid("completed_chunks", "It must be a list of 1 to 50 chunks.");
        }
        Chunks chunks;
        for (const auto& item : *items) {
            KN_TRY(chunk, report_of(item));
            chunks.push_back(std::move(chunk));
        }
        return chunks;
    };
    auto field = bind_field("completed_chunks", In::json, &ReportChunks::chunks, parse);
    field.required = true;
    return described(std::move(field),
                     schema::list(report_item_schema(), 1, service::kChunkBatchMax),
                     "Chunks that were uploaded, in any order.");
}

// --- endpoints

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateUpload>(
        {Method::post, "/v1.3/assets/multipart-uploads", "multipart_uploads.create",
         "Create an upload session",
         "Divide the file into chunks of `chunk_size` bytes, PUT each to its URL, and report the "
         "ETags. Chunks may go in parallel and in any order."},
        answers(201, created_schema()).making("upload_id", "upload_id"),
        {Errc::video_filesize_too_large, Errc::audio_filesize_too_large,
         Errc::media_filesize_too_large, Errc::uploads_too_many, Errc::quota_exceeded},
        {body_text("filename", &CreateUpload::filename, schema::line(1, service::kFilenameCharsMax),
                   "The asset's filename."),
         type_field(),
         body_integer("total_size", &CreateUpload::total_size, schema::integer(1),
                      "Bytes of the whole file."),
         body_flag("enable_hls", &CreateUpload::enable_hls, "Make it playable over HLS."),
         body_flag("enable_thumbnail", &CreateUpload::enable_thumbnail, "Make a thumbnail."),
         body_metadata(&CreateUpload::user_metadata, domain::MetadataMode::merge,
                       Presence::optional)},
        [&services](Caller caller, CreateUpload in) -> Asked<Reply> {
            service::NewSession session{.account = caller.account,
                                        .filename = std::move(in.filename),
                                        .type = in.type,
                                        .total_size_bytes = in.total_size,
                                        .enable_hls = in.enable_hls,
                                        .enable_thumbnail = in.enable_thumbnail,
                                        .user_metadata = std::move(in.user_metadata)};
            KN_CO_TRY(upload, co_await services.uploads.create(std::move(session)));
            co_return Reply{created_json(services, caller, upload), {}};
        });
}

Endpoint list_endpoint(Services& services) {
    return page_endpoint<ListUploads>(
        {Method::get, "/v1.3/assets/multipart-uploads", "multipart_uploads.list",
         "List incomplete upload sessions, newest first",
         "Those that take chunks, and those that expired in the last seven days."},
        summary_schema(), {}, {page_number(&ListUploads::page), page_limit(&ListUploads::page)},
        append_summary, [&services](domain::AccountId account, const ListUploads& in) {
            return services.uploads.list(account, in.page);
        });
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneUpload>(
        {Method::get, "/v1.3/assets/multipart-uploads/{upload_id}", "multipart_uploads.retrieve",
         "Retrieve an upload session and its chunks",
         "Also for seven days after it was completed or expired."},
        answers(200, progress_schema()), {Errc::resource_not_exist},
        {path_id("upload_id", &OneUpload::id, kUploadIdText), page_number(&OneUpload::page),
         page_limit(&OneUpload::page)},
        [&services](Caller caller, OneUpload in) -> Asked<Reply> {
            KN_CO_TRY(upload, co_await services.uploads.find(caller.account, in.id));
            KN_CO_TRY(chunks, co_await services.uploads.chunks(upload, in.page));
            co_return Reply{progress_json(upload, chunks, in.page), {}};
        });
}

Endpoint report_endpoint(Services& services) {
    return endpoint<ReportChunks>(
        {Method::post, "/v1.3/assets/multipart-uploads/{upload_id}", "multipart_uploads.report",
         "Report uploaded chunks",
         "All of a report counts or nothing. The last one makes the asset, `processing` at first."},
        answers(200, reported_schema()),
        {Errc::resource_not_exist, Errc::upload_expired, Errc::chunk_size_wrong,
         Errc::chunk_not_uploaded, Errc::chunk_proof_wrong},
        {path_id("upload_id", &ReportChunks::id, kUploadIdText), completed_chunks_field()},
        [&services](Caller caller, ReportChunks in) -> Asked<Reply> {
            KN_CO_TRY(outcome, co_await services.uploads.report(caller.account, in.id,
                                                                std::move(in.chunks)));
            co_return Reply{reported_json(services, caller, outcome), {}};
        });
}

Asked<Reply> more_urls(Services& services, Caller caller, MoreUrls in) {
    KN_CO_TRY(upload, co_await services.uploads.find_active(caller.account, in.id));
    if (!upload.has_chunk(in.start)) {
        co_return invalid(
            "start", "The session has chunks 1 to " + std::to_string(upload.total_chunks()) + ".");
    }
    const auto last = std::min(upload.total_chunks(), in.start + in.count - 1);
    const auto now = base::now();
    Reply reply;
    {
        JsonObject object(reply.json);
        object.text("upload_id", upload.id.text());
        object.integer("start_index", in.start);
        object.integer("count", last - in.start + 1);
        append_urls(object.key("upload_urls"), services, caller, upload, in.start, last);
        object.text("generated_at", base::rfc3339_seconds(now));
        object.text("expires_at", base::rfc3339_seconds(services.upload_signer.expires_at(now)));
    }
    co_return reply;
}

Endpoint more_urls_endpoint(Services& services) {
    return endpoint<MoreUrls>(
        {Method::post, "/v1.3/assets/multipart-uploads/{upload_id}/presigned-urls",
         "multipart_uploads.presigned_urls", "Make URLs for chunks",
         "Fewer than `count` where the file ends."},
        answers(200, more_urls_schema()),
        {Errc::resource_not_exist, Errc::upload_expired, Errc::upload_completed},
        {path_id("upload_id", &MoreUrls::id, kUploadIdText),
         body_integer("start", &MoreUrls::start, schema::integer(1), "The first chunk, from 1."),
         body_integer("count", &MoreUrls::count, schema::integer(1, service::kChunkBatchMax),
                      "How many chunks.")},
        [&services](Caller caller, MoreUrls in) {
            return more_urls(services, std::move(caller), in);
        });
}

}  // namespace

std::vector<Endpoint> multipart_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(counted_as(service::RateCategory::upload, create_endpoint(services)));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(report_endpoint(services));
    endpoints.push_back(more_urls_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
