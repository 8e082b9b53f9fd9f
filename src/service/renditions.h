// Thumbnails and playback of an asset, made after it was uploaded.
#pragma once

#include <atomic>
#include <memory>

#include "media/media.h"
#include "objects/objects.h"
#include "service/playback.h"
#include "store/store.h"

namespace kinodex::service {

/// What a step of background work came to: `later` when the same attempt may succeed then, and
/// `postponed` when nothing was wrong with it but the server lacked something.
enum class Step { done, failed, later, postponed };

class Renditions {
  public:
    Renditions(store::Store& store, objects::Objects& objects, media::Media& media,
               Playback& playback)
        : store_(store), objects_(objects), media_(media), playback_(playback) {}

    /// The asset's thumbnail job.
    runtime::Task<Step> make_thumbnail(domain::AssetId id);
    /// The asset's playback job: a plan over the source where that is possible, else a rendition
    /// with a plan of its own. Also what an indexed asset with a video stream waits for.
    runtime::Task<Step> make_playback(domain::AssetId id);

  private:
    runtime::Task<Step> without_asset(domain::AssetId id, const base::Error& error);
    runtime::Asked<void> thumbnail_of(const domain::Asset& asset);
    runtime::Asked<void> playback_of(const domain::Asset& asset);
    runtime::Asked<void> rendition_of(const domain::Asset& asset, int source_fd, bool copy_streams);

    store::Store& store_;
    objects::Objects& objects_;
    media::Media& media_;
    Playback& playback_;
};

}  // namespace kinodex::service
