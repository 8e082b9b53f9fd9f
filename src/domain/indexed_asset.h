// Indexed assets: an asset as one index sees it, with its own metadata and state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/ids.h"
#include "domain/index.h"
#include "domain/metadata.h"

namespace kinodex::domain {

enum class IndexingStatus { pending, queued, indexing, ready, failed };
inline constexpr int kIndexingStatusCount = 5;

/// Playback object of an indexed asset; none when `enable_video_stream` was false.
enum class StreamStatus { none, processing, complete, canceled, error };

struct SystemMetadata {
    std::string filename;
    std::optional<double> duration_sec;
    std::optional<double> fps;
    std::optional<int> width;
    std::optional<int> height;
    std::optional<std::int64_t> size_bytes;
};

struct IndexedAsset {
    IndexedAssetId id;
    IndexId index_id;
    AccountId account_id;
    AssetId asset_id;  // may dangle after a forced delete of the asset
    IndexingStatus status = IndexingStatus::pending;
    base::Timestamp created_at;
    base::Timestamp updated_at;
    std::optional<base::Timestamp> indexed_at;
    SystemMetadata system_metadata;
    StreamStatus stream = StreamStatus::none;
    std::optional<base::Timestamp> stream_updated_at;
    double progress = 0;        // 0 to 1 while indexing
    std::string error_message;  // only when failed
    Metadata user_metadata;
};

/// Inclusive bounds; an item without the value does not match.
struct NumberRange {
    std::optional<double> gte;
    std::optional<double> lte;
    [[nodiscard]] bool empty() const { return !gte && !lte; }
};

struct IndexedAssetFilter {
    std::vector<IndexingStatus> statuses;
    bool matches_nothing = false;         // only statuses that no item can have were asked for
    std::optional<std::string> filename;  // exact
    NumberRange duration_sec;
    NumberRange fps;
    NumberRange width;
    NumberRange height;
    NumberRange size_bytes;
    std::optional<base::Timestamp> created_from;
    std::optional<base::Timestamp> updated_from;
    std::vector<MetadataCondition> metadata;  // all must hold
    SortBy sort_by = SortBy::created_at;
    SortOrder order = SortOrder::desc;
};

/// A row of "indexed assets of an asset".
struct IndexedAssetReference {
    IndexedAssetId id;
    IndexId index_id;
    std::string index_name;
};

}  // namespace kinodex::domain
