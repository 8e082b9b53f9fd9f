// Indexing: what makes an asset part of an index. The deterministic ground work: shots with a key
// picture each, the audio track as 16 kHz mono, loudness and silences, stored beside the asset.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "media/media.h"
#include "objects/objects.h"
#include "service/ingest.h"
#include "service/renditions.h"

namespace kinodex::service {

/// The stored JSON of an analysis.
std::string shots_json(const media::AnalyzeReport& report);
std::string audio_json(const media::AudioReport& report);

class Indexing {
  public:
    Indexing(store::Store& store, objects::Objects& objects, media::Media& media,
             Renditions& renditions, Describe describe, bool announces)
        : store_(store),
          objects_(objects),
          media_(media),
          renditions_(renditions),
          describe_(std::move(describe)),
          announces_(announces) {}

    /// The job of an indexed asset: pending → queued → indexing → ready | failed. `attempts` tells
    /// how often it was begun; after several that ended in a crash it is given up.
    runtime::Task<Step> run(domain::IndexedAssetId id, int attempts);
    /// Mean progress of what is being indexed now, 0 to 1; 0 when nothing is. Any thread.
    [[nodiscard]] double mean_progress() const;

  private:
    /// Counts an indexed asset as in progress while it lives.
    class InProgress;
    runtime::Asked<void> analyze(const domain::IndexedAsset& item);
    runtime::Task<domain::StreamStatus> stream_of(const domain::IndexedAsset& item);

    store::Store& store_;
    objects::Objects& objects_;
    media::Media& media_;
    Renditions& renditions_;
    Describe describe_;
    bool announces_;  // whether webhooks want to know
    mutable std::mutex mutex_;
    std::map<domain::IndexedAssetId, double> progress_;
};

}  // namespace kinodex::service
