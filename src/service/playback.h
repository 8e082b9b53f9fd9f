// Serves HLS from playback plans: playlists by arithmetic, segments made from the source on request
// and cached within a bound. No media is parsed here; see docs/architecture.md.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "domain/ids.h"
#include "objects/objects.h"
#include "runtime/lane.h"
#include "service/lru.h"
#include "store/store.h"

namespace kinodex::service {

/// Bytes ready to be served, shared with the cache.
struct Piece {
    std::shared_ptr<const std::string> bytes;
    std::string type;  // MIME
    std::string etag;  // strong, with its quotes
};

class Playback {
  public:
    /// Reads block on `lane`, which must outlive this.
    Playback(store::Store& store, objects::Objects& objects, runtime::Lane& lane,
             std::size_t segment_cache_bytes);
    ~Playback();

    /// `query` (expiry and signature) is appended to every URI of a playlist.
    /// Errors of all: resource_not_exist when the asset is gone or has no playback or no such part.
    runtime::Asked<Piece> master(domain::AssetId id, std::string query);
    runtime::Asked<Piece> media_playlist(domain::AssetId id, std::size_t track, std::string query);
    runtime::Asked<Piece> init_segment(domain::AssetId id, std::size_t track);
    runtime::Asked<Piece> segment(domain::AssetId id, std::size_t track, std::size_t number);

    /// The asset is gone, or its playback was made anew: nothing of before is served once this has
    /// returned, but to those who asked before. Call it after the row or the objects have changed.
    void forget(domain::AssetId id);
    [[nodiscard]] std::size_t cached_bytes() const;

  private:
    struct Playable;
    runtime::Asked<std::shared_ptr<Playable>> open(domain::AssetId id);

    store::Store& store_;
    objects::Objects& objects_;
    runtime::Lane& lane_;
    Lru<Playable> playables_;
    Lru<const std::string> segments_;
};

}  // namespace kinodex::service
