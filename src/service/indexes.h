// Indexes and the indexed assets in them.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "service/limits.h"
#include "service/quotas.h"
#include "service/rate_limits.h"
#include "store/store.h"

namespace kinodex::service {

inline constexpr std::size_t kIndexNameCharsMax = 255;
inline constexpr std::size_t kIndexModelsMax = 2;

struct NewIndex {
    std::string index_name;
    std::vector<domain::IndexModel> models;
    std::vector<std::string> addons;
};

struct NewIndexedAsset {
    domain::AssetId asset_id;
    bool enable_video_stream = false;
    std::optional<domain::MetadataChange> user_metadata;
};

/// Names 1 to 255 characters; 1 or 2 known models, each once, with 1 or 2 of visual and audio; the
/// thumbnail add-on only beside a Marengo model. Errors: parameter_invalid naming the part.
base::Status check_index(const NewIndex& index);
base::Status check_index_name(std::string_view name);
std::optional<domain::ModelFamily> family_of(std::string_view model_name);

class Indexes {
  public:
    Indexes(store::Store& store, MediaBounds bounds, Quotas& quotas, RateLimits& rate_limits,
            std::function<void()> wake_workers)
        : store_(store),
          bounds_(bounds),
          quotas_(quotas),
          rate_limits_(rate_limits),
          wake_workers_(std::move(wake_workers)) {}

    runtime::Asked<domain::IndexId> create(domain::AccountId account, NewIndex wanted);
    runtime::Asked<void> rename(domain::AccountId account, domain::IndexId id, std::string name);
    runtime::Asked<void> remove(domain::AccountId account, domain::IndexId id);

    /// Adds an asset that is ready and within the bounds of indexing; its job begins at once.
    runtime::Asked<domain::IndexedAssetId> add(domain::AccountId account, domain::IndexId index,
                                               NewIndexedAsset wanted);
    runtime::Asked<void> remove_item(domain::AccountId account, domain::IndexId index,
                                     domain::IndexedAssetId id);

    /// Plain reads need no rules of their own.
    [[nodiscard]] store::Store& store() { return store_; }

  private:
    store::Store& store_;
    MediaBounds bounds_;
    Quotas& quotas_;
    RateLimits& rate_limits_;
    std::function<void()> wake_workers_;
};

}  // namespace kinodex::service
