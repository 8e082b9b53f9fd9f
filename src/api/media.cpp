// Media under signed URLs: playlists, segments, thumbnails. No API key; a player has none.
#include <charconv>

#include "api/api.h"
#include "api/byte_answer.h"
#include "api/error_table.h"
#include "api/links.h"
#include "service/object_keys.h"
#include "service/shot_pictures.h"

namespace kinodex::api {
namespace {

using service::Piece;

constexpr std::uint64_t kPictureBytesMax = 16 * 1024 * 1024;
// Media never changes under its URL, and the URL carries its own end of life.
constexpr const char* kCacheControl = "private, max-age=3600";

std::string first_value(const http::Request& request, std::string_view name) {
    for (const auto& [key, value] : request.query) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

struct Signed {
    std::string query;  // as to be repeated in playlists
};

base::Result<Signed> check_signature(const Services& services, const http::Request& request,
                                     const std::string& scope) {
    const auto expires = first_value(request, "expires");
    const auto signature = first_value(request, "signature");
    KN_PASS(services.signer.verify(scope, expires, signature, base::now()));
    return Signed{"expires=" + expires + "&signature=" + signature};
}

template <class Id>
base::Result<Id> id_of(const std::string& text, std::string_view collection) {
    const auto id = Id::parse(text);
    return id ? base::Result<Id>(*id)
              : base::fail(Errc::resource_not_exist,
                           {{"resource_id", text}, {"collection_name", std::string(collection)}});
}

/// "12" and ".m4s" of "12.m4s".
std::optional<std::size_t> number_before(std::string_view text, std::string_view suffix) {
    if (!text.ends_with(suffix)) {
        return std::nullopt;
    }
    text.remove_suffix(suffix.size());
    std::size_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && text.size() <= 9 ? std::optional(number)
                                                                   : std::nullopt;
}

void add_media_headers(http::Response& response, const Piece& piece) {
    response.headers.emplace_back("Content-Type", piece.type);
    response.headers.emplace_back("ETag", piece.etag);
    response.headers.emplace_back("Cache-Control", kCacheControl);
    response.headers.emplace_back("Accept-Ranges", "bytes");
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    response.headers.emplace_back("Access-Control-Expose-Headers",
                                  "Content-Length, Content-Range, ETag");
}

http::Response serve(const http::Request& request, Piece piece) {
    http::Response response;
    add_media_headers(response, piece);
    const auto size = piece.bytes->size();
    auto answer = answer_bytes(request, std::move(response), piece.etag,
                               http::SharedBytes{std::move(piece.bytes), 0, size});
    if (answer.status == 416) {
        answer.headers.emplace_back("Access-Control-Allow-Origin", "*");
    }
    return answer;
}

Asked<Piece> playlist(Services& services, const http::Request& request) {
    const auto& asset_text = request.path_values.at(0);
    const auto& name = request.path_values.at(1);
    KN_CO_TRY(checked, check_signature(services, request, hls_scope(asset_text)));
    KN_CO_TRY(id, id_of<domain::AssetId>(asset_text, "assets"));
    if (name == "master.m3u8") {
        co_return co_await services.playback.master(id, std::move(checked.query));
    }
    const auto track = number_before(name, ".m3u8");
    if (!track) {
        co_return base::fail(Errc::endpoint_not_exists, {{"path", request.path}});
    }
    co_return co_await services.playback.media_playlist(id, *track, std::move(checked.query));
}

Asked<Piece> segment(Services& services, const http::Request& request) {
    const auto& asset_text = request.path_values.at(0);
    const auto track = number_before(request.path_values.at(1), "");
    const auto& name = request.path_values.at(2);
    KN_CO_TRY(checked, check_signature(services, request, hls_scope(asset_text)));
    KN_CO_TRY(id, id_of<domain::AssetId>(asset_text, "assets"));
    const auto number = number_before(name, ".m4s");
    if (!track || (!number && name != "init.mp4")) {
        co_return base::fail(Errc::endpoint_not_exists, {{"path", request.path}});
    }
    if (!number) {
        co_return co_await services.playback.init_segment(id, *track);
    }
    co_return co_await services.playback.segment(id, *track, *number);
}

Piece picture_piece(std::string bytes, const std::string& owner) {
    Piece piece;
    piece.type = "image/jpeg";
    piece.etag = "\"" + owner + "-" + std::to_string(bytes.size()) + "\"";
    piece.bytes = std::make_shared<const std::string>(std::move(bytes));
    return piece;
}

Asked<Piece> asset_thumbnail(Services& services, const http::Request& request) {
    const auto& text = request.path_values.at(0);
    KN_CO_PASS(check_signature(services, request, thumbnail_scope(text)));
    KN_CO_TRY(id, id_of<domain::AssetId>(text, "assets"));
    // The objects may outlive their row for a moment.
    KN_CO_PASS(co_await services.assets.find(id));
    auto bytes = co_await services.objects.read_all(service::thumbnail_key(id), kPictureBytesMax);
    if (!bytes && bytes.error().code == Errc::resource_not_exist) {
        co_return base::fail(Errc::resource_not_exist,
                             {{"resource_id", text}, {"collection_name", "thumbnails"}});
    }
    if (!bytes) {
        co_return std::unexpected(std::move(bytes).error());
    }
    co_return picture_piece(std::move(*bytes), text);
}

Asked<Piece> indexed_thumbnail(Services& services, const http::Request& request) {
    const auto& text = request.path_values.at(0);
    KN_CO_PASS(check_signature(services, request, indexed_thumbnail_scope(text)));
    KN_CO_TRY(id, id_of<domain::IndexedAssetId>(text, "indexed-assets"));
    KN_CO_PASS(co_await services.indexes.store().find_indexed_asset(id));
    KN_CO_TRY(bytes, co_await service::first_shot_picture(services.objects, id));
    co_return picture_piece(std::move(bytes), text);
}

using MakePiece = Asked<Piece> (*)(Services&, const http::Request&);

runtime::Task<http::Response> respond(Services& services, MakePiece make, http::Request& request) {
    auto piece = co_await make(services, request);
    if (!piece) {
        auto refusal = render_error(piece.error(), request.request_id);
        refusal.headers.emplace_back("Access-Control-Allow-Origin", "*");
        co_return refusal;
    }
    co_return serve(request, std::move(*piece));
}

/// Players may ask before they send Range.
runtime::Task<http::Response> preflight(http::Request&) {
    http::Response response;
    response.status = 204;
    response.headers = {{"Access-Control-Allow-Origin", "*"},
                        {"Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"},
                        {"Access-Control-Allow-Headers", "Range, If-None-Match, If-Range"},
                        {"Access-Control-Max-Age", "86400"}};
    co_return response;
}

}  // namespace

std::vector<Endpoint> media_endpoints(Services& services) {
    struct Kind {
        Headline headline;
        Answer answer;
        std::vector<Field> names;
        MakePiece make;
    };
    const auto wanted = [](std::string name, Schema schema, std::string text) {
        return part(std::move(name), In::path, Presence::required, std::move(schema),
                    std::move(text));
    };
    const auto asset = wanted("asset_id", schema::text(1), "The asset's identifier.");
    const std::vector<Kind> kinds{
        {{Method::get, "/media/assets/{asset_id}/hls/{playlist}", "media.playlist",
          "A playlist of an asset", "`master.m3u8`, and what that refers to."},
         answers_bytes("application/vnd.apple.mpegurl"),
         {asset, wanted("playlist", schema::text(1).like("\"master.m3u8\""), "Its name.")},
         &playlist},
        {{Method::get, "/media/assets/{asset_id}/hls/{track}/{part}", "media.segment",
          "A segment of a track", "`init.mp4` and segments, as playlists refer to them."},
         answers_bytes("video/mp4"),
         {asset, wanted("track", schema::text(1).like("\"0\""), "The track's number."),
          wanted("part", schema::text(1).like("\"init.mp4\""), "The segment.")},
         &segment},
        {{Method::get,
          "/media/assets/{asset_id}/thumbnail.jpg",
          "media.thumbnail",
          "The thumbnail of an asset",
          {}},
         answers_bytes("image/jpeg"),
         {asset},
         &asset_thumbnail},
        {{Method::get,
          "/media/indexed/{indexed_asset_id}/thumbnail.jpg",
          "media.indexed_thumbnail",
          "The first picture of an indexed asset",
          {}},
         answers_bytes("image/jpeg"),
         {wanted("indexed_asset_id", schema::text(1), "The indexed asset's identifier.")},
         &indexed_thumbnail},
    };
    std::vector<Endpoint> endpoints;
    for (const auto& kind : kinds) {
        auto fields = kind.names;
        fields.push_back(part("expires", In::query, Presence::required, schema::text(),
                              "When the URL ends, in seconds since 1970."));
        fields.push_back(part("signature", In::query, Presence::required, schema::text(),
                              "The server's proof that it made the URL."));
        endpoints.push_back(raw_endpoint(
            kind.headline, kind.answer,
            {Errc::media_signature_invalid, Errc::resource_not_exist, Errc::endpoint_not_exists},
            std::move(fields), Access::signature, http::BodyMode::none,
            [&services, make = kind.make](http::Request& request) {
                return respond(services, make, request);
            }));
    }
    return endpoints;
}

std::vector<http::Route> preflight_routes(Services& services) {
    std::vector<http::Route> routes;
    for (const auto& each : media_endpoints(services)) {
        http::Route route;
        route.method = Method::options;
        route.pattern = each.headline.pattern;
        route.name = "media.preflight";
        route.handler = preflight;
        routes.push_back(std::move(route));
    }
    return routes;
}

}  // namespace kinodex::api
