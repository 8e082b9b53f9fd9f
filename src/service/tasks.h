// Tasks: a video uploaded and indexed in one step, as older clients do it. Behind each stand an
// asset and an indexed asset like any other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/assets.h"
#include "service/rate_limits.h"
#include "service/url_assets.h"

namespace kinodex::service {

struct NewVideo {
    domain::IndexId index_id;
    std::string filename;
    bool enable_video_stream = true;
    std::optional<domain::MetadataChange> user_metadata;  // of the indexed asset
    std::unique_ptr<objects::Draft> media;                // either this
    std::string video_url;                                // or that
};

class Tasks {
  public:
    Tasks(store::Store& store, Assets& assets, UrlAssets& url_assets, Quotas& quotas,
          RateLimits& rate_limits)
        : store_(store),
          assets_(assets),
          url_assets_(url_assets),
          quotas_(quotas),
          rate_limits_(rate_limits) {}

    /// Adds the asset, the indexed asset and the task in one commit; only videos pass. A file that
    /// is examined later leaves the indexed asset `pending` until then. Errors: resource_not_exist
    /// ("indexes"), the catalogue's for videos of tasks, those of assets from URLs.
    runtime::Asked<domain::Task> create(domain::AccountId account, NewVideo wanted,
                                        StillWanted still_wanted);
    /// The indexed asset of a task; nullopt when it was deleted.
    runtime::Asked<std::optional<domain::IndexedAsset>> video_of(const domain::Task& task);

    /// What else there is needs no rules of its own.
    [[nodiscard]] store::TaskStore& store() { return store_.tasks(); }

  private:
    runtime::Asked<void> insert(store::NewTask made, domain::Asset asset,
                                std::vector<domain::NewJob> jobs);

    store::Store& store_;
    Assets& assets_;
    UrlAssets& url_assets_;
    Quotas& quotas_;
    RateLimits& rate_limits_;
};

}  // namespace kinodex::service
