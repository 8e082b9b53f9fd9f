// Tasks: a video uploaded and indexed in one step, as older clients do it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "domain/ids.h"
#include "domain/index.h"
#include "domain/indexed_asset.h"

namespace kinodex::domain {

/// What the task's asset, then its indexed asset say: uploading while a URL is fetched, validating
/// while a file is examined, then the states of indexing.
enum class TaskStatus { uploading, validating, pending, queued, indexing, ready, failed };
inline constexpr int kTaskStatusCount = 7;

struct Task {
    TaskId id;
    AccountId account_id;
    IndexId index_id;  // may dangle, as the two below
    AssetId asset_id;
    IndexedAssetId video_id;  // the indexed asset
    TaskStatus status = TaskStatus::pending;
    base::Timestamp created_at;
    base::Timestamp updated_at;
    std::string filename;
    std::optional<double> duration_sec;
    std::optional<int> width;
    std::optional<int> height;
    std::string error_message;  // why it failed; also when the video is gone
};

struct TaskFilter {
    std::optional<IndexId> index_id;
    std::vector<TaskStatus> statuses;     // empty: any
    std::optional<std::string> filename;  // exact, like what follows
    std::optional<double> duration_sec;
    std::optional<int> width;
    std::optional<int> height;
    std::optional<base::Timestamp> created_from;
    std::optional<base::Timestamp> updated_from;
    SortBy sort_by = SortBy::created_at;
    SortOrder order = SortOrder::desc;
};

}  // namespace kinodex::domain
