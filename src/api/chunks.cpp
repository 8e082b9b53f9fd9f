// PUT of one chunk under a signed URL: its bytes go to their place while they arrive. No API key;
// the URL carries its own authority.
#include "api/api.h"
#include "api/error_table.h"
#include "api/links.h"
#include "base/aligned_bytes.h"
#include "objects/objects.h"

namespace kinodex::api {
namespace {

// Two an upload: one is filled while the other is written.
constexpr std::size_t kBufferBytes = 256 * 1024;

using Buffer = std::shared_ptr<std::byte[]>;

/// Fills the buffer, or less at the end of the body.
Asked<std::size_t> fill(http::BodyReader& body, std::span<std::byte> into) {
    std::size_t size = 0;
    while (size < into.size()) {
        KN_CO_TRY(count, co_await body.read(into.subspan(size)));
        if (count == 0) {
            break;
        }
        size += count;
    }
    co_return size;
}

Asked<std::string> receive(http::BodyReader& body, service::ChunkWriter& chunk) {
    std::array<Buffer, 2> buffers;
    for (std::size_t turn = 0;; turn ^= 1) {
        auto& buffer = buffers.at(turn);
        if (buffer == nullptr) {
            buffer = base::aligned_bytes(kBufferBytes, objects::kDirectAlignment);
        }
        KN_CO_TRY(size, co_await fill(body, {buffer.get(), kBufferBytes}));
        if (size > 0) {
            // When it returns the other buffer has been written and may be filled again.
            KN_CO_PASS(co_await chunk.append_behind({buffer.get(), size}, buffer));
        }
        if (size < kBufferBytes) {
            co_return co_await chunk.finish();
        }
    }
}

Asked<std::string> put_chunk(Services& services, const http::Request& request) {
    const auto& upload_text = request.path_values.at(0);
    const auto& index_text = request.path_values.at(1);
    const auto scope = chunk_scope(upload_text, index_text);
    if (!check_signed(request, services.upload_signer, scope)) {
        co_return base::fail(Errc::chunk_url_invalid);
    }
    // What was signed is ours, so these can be read.
    const auto id = domain::UploadId::parse(upload_text);
    KN_CO_TRY(index, parse_integer("chunk_index", index_text, 1, domain::kChunksMax));
    if (!id) {
        co_return base::fail(Errc::chunk_url_invalid);
    }
    KN_CO_TRY(chunk, co_await services.uploads.begin_chunk(*id, index));
    co_return co_await receive(*request.body_reader, *chunk);
}

runtime::Task<http::Response> respond(Services& services, http::Request& request) {
    auto etag = co_await put_chunk(services, request);
    if (!etag) {
        co_return render_error(etag.error(), request.request_id);
    }
    http::Response response;
    response.headers.emplace_back("ETag", "\"" + *etag + "\"");
    co_return response;
}

}  // namespace

std::vector<Endpoint> chunk_endpoints(Services& services) {
    auto answer = answers_nothing();
    answer.status = 200;
    std::vector<Endpoint> endpoints;
    endpoints.push_back(raw_endpoint(
        {Method::put, "/media/uploads/{upload_id}/chunks/{chunk_index}", "media.chunk",
         "Upload one chunk",
         "The ETag of the answer is the proof to report. Until then the chunk can be put again."},
        std::move(answer),
        {Errc::chunk_url_invalid, Errc::resource_not_exist, Errc::upload_expired,
         Errc::upload_completed, Errc::chunk_size_wrong, Errc::chunk_already_reported,
         Errc::chunk_replaced},
        {part("upload_id", In::path, Presence::required, schema::id(), "The upload session."),
         part("chunk_index", In::path, Presence::required, schema::integer(1, domain::kChunksMax),
              "The chunk, from 1."),
         part("expires", In::query, Presence::required, schema::text(),
              "When the URL ends, in seconds since 1970."),
         part("signature", In::query, Presence::required, schema::text(),
              "The server's proof that it made the URL."),
         part("body", In::body, Presence::required, schema::binary(), "The chunk's bytes.")},
        Access::signature, http::BodyMode::streamed,
        [&services](http::Request& request) { return respond(services, request); }));
    return endpoints;
}

}  // namespace kinodex::api
