#include "service/playback.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "media/plan/playlist.h"
#include "media/plan/segment.h"
#include "service/object_keys.h"

namespace kinodex::service {
namespace {

namespace plan = media::plan;
using base::Errc;
using domain::AssetId;

// Opened plans: mostly segment tables, some 100 KB for an hour. Each holds two descriptors, so the
// count is bounded too, by a floor on the cost of one.
constexpr std::size_t kPlayablesBytesMax = 32 * 1024 * 1024;
constexpr std::size_t kPlayableCostMin = 128 * 1024;

std::unexpected<base::Error> no_such_part(AssetId id, std::string_view what) {
    return base::fail(Errc::resource_not_exist,
                      {{"resource_id", id.text()}, {"collection_name", std::string(what)}});
}

std::string quoted(std::string text) {
    return "\"" + std::move(text) + "\"";
}

Piece playlist_piece(std::string text) {
    Piece piece;
    // Playlists carry signatures that change with time, so their tag is one of their content.
    piece.etag = quoted(fmt::format("{:016x}", std::hash<std::string>{}(text)));
    piece.type = plan::kPlaylistType;
    piece.bytes = std::make_shared<const std::string>(std::move(text));
    return piece;
}

std::string with_query(std::string uri, const std::string& query) {
    return query.empty() ? uri : std::move(uri) + "?" + query;
}

}  // namespace

struct Playback::Playable {
    std::shared_ptr<objects::Object> plan_object;
    std::shared_ptr<objects::Object> source;
    plan::View view;
};

Playback::Playback(store::Store& store, objects::Objects& objects, runtime::Lane& lane,
                   std::size_t segment_cache_bytes)
    : store_(store),
      objects_(objects),
      lane_(lane),
      playables_(kPlayablesBytesMax),
      segments_(segment_cache_bytes) {}

Playback::~Playback() = default;

runtime::Asked<std::shared_ptr<Playback::Playable>> Playback::open(AssetId id) {
    const auto erasures = playables_.erasures();
    if (auto cached = playables_.find(id.text())) {
        co_return cached;
    }
    // Objects outlive their row until a job has removed them; what is cached does not.
    KN_CO_PASS(co_await store_.find_asset(id));
    auto plan_object = co_await objects_.open(plan_key(id));
    if (!plan_object) {
        co_return plan_object.error().code == Errc::resource_not_exist
            ? base::Result<std::shared_ptr<Playable>>(no_such_part(id, "hls"))
            : std::unexpected(std::move(plan_object).error());
    }
    // A rendition, where there is one, is what the plan describes.
    auto source = co_await objects_.open(rendition_key(id));
    if (!source && source.error().code == Errc::resource_not_exist) {
        source = co_await objects_.open(source_key(id));
    }
    if (!source) {
        co_return std::unexpected(std::move(source).error());
    }
    auto work = [plan_object = *plan_object,
                 source = *source]() -> base::Result<std::shared_ptr<Playable>> {
        KN_TRY(view, plan::View::open(plan::read_fd(plan_object->fd()), plan_object->size_bytes(),
                                      source->size_bytes()));
        return std::make_shared<Playable>(plan_object, source, std::move(view));
    };
    KN_CO_TRY(playable, co_await lane_.run<std::shared_ptr<Playable>>(std::move(work)));
    playables_.put_unless_erased(
        id.text(), playable, std::max(playable->view.memory_bytes(), kPlayableCostMin), erasures);
    co_return playable;
}

runtime::Asked<Piece> Playback::master(AssetId id, std::string query) {
    KN_CO_TRY(playable, co_await open(id));
    const auto url_of = [&query](const plan::Resource& resource) {
        return with_query(fmt::format("{}.m3u8", resource.track), query);
    };
    co_return playlist_piece(plan::master_playlist(playable->view, url_of));
}

runtime::Asked<Piece> Playback::media_playlist(AssetId id, std::size_t track, std::string query) {
    KN_CO_TRY(playable, co_await open(id));
    const auto url_of = [&query](const plan::Resource& resource) {
        const bool is_init = resource.kind == plan::Resource::Kind::init_segment;
        return with_query(is_init ? fmt::format("{}/init.mp4", resource.track)
                                  : fmt::format("{}/{}.m4s", resource.track, resource.segment),
                          query);
    };
    KN_CO_TRY(text, plan::media_playlist(playable->view, track, url_of));
    co_return playlist_piece(std::move(text));
}

runtime::Asked<Piece> Playback::init_segment(AssetId id, std::size_t track) {
    KN_CO_TRY(playable, co_await open(id));
    const auto& tracks = playable->view.tracks();
    if (track >= tracks.size()) {
        co_return no_such_part(id, "hls");
    }
    const auto& init = tracks[track].init;
    Piece piece;
    piece.bytes = std::make_shared<const std::string>(reinterpret_cast<const char*>(init.data()),
                                                      init.size());
    piece.type = plan::segment_type(tracks[track]);
    piece.etag =
        quoted(fmt::format("{}-{}-init-{}", id.text(), track, playable->view.source_bytes()));
    co_return piece;
}

runtime::Asked<Piece> Playback::segment(AssetId id, std::size_t track, std::size_t number) {
    const auto erasures = segments_.erasures();
    KN_CO_TRY(playable, co_await open(id));
    const auto& view = playable->view;
    if (track >= view.tracks().size() || number >= view.tracks()[track].segments.size()) {
        co_return no_such_part(id, "hls");
    }
    Piece piece;
    piece.type = plan::segment_type(view.tracks()[track]);
    piece.etag = quoted(fmt::format("{}-{}-{}-{}", id.text(), track, number, view.source_bytes()));
    const auto key = fmt::format("{}/{}/{}", id.text(), track, number);
    piece.bytes = segments_.find(key);
    if (piece.bytes) {
        co_return piece;
    }
    using Bytes = std::shared_ptr<const std::string>;
    auto work = [playable, track, number]() -> base::Result<Bytes> {
        KN_TRY(layout, plan::segment_layout(playable->view, track, number));
        auto bytes = std::make_shared<std::string>();
        base::Status read;
        bytes->resize_and_overwrite(layout.total_bytes, [&](char* to, std::size_t size) {
            read = plan::read_segment(layout, plan::read_fd(playable->source->fd()), 0,
                                      std::as_writable_bytes(std::span(to, size)));
            return size;
        });
        if (!read) {
            return std::unexpected(std::move(read).error());
        }
        return bytes;
    };
    KN_CO_TRY(bytes, co_await lane_.run<Bytes>(std::move(work)));
    piece.bytes = bytes;
    segments_.put_unless_erased(key, bytes, bytes->size(), erasures);
    co_return piece;
}

void Playback::forget(AssetId id) {
    playables_.erase_prefix(id.text());
    segments_.erase_prefix(id.text() + "/");
}

std::size_t Playback::cached_bytes() const {
    return segments_.cost();
}

}  // namespace kinodex::service
