// Tasks in SQLite: what hands them out, and what the writes of assets tell the indexed assets that
// wait for them.
#pragma once

#include <memory>
#include <string_view>

#include "store/sqlite/access.h"
#include "store/store.h"

namespace kinodex::store::sqlite {

/// `access` must outlive the result.
std::unique_ptr<TaskStore> make_task_store(Access& access);

/// An asset is ready: what waits for it takes its system metadata and is queued for indexing.
base::Status index_waiting_videos(WriteTurn& turn, domain::AssetId asset);
enum class Announce { no, yes };
/// An asset failed or is deleted: what waits for it fails, each with an `announce` job if wanted.
base::Status fail_waiting_videos(WriteTurn& turn, domain::AssetId asset,
                                 std::string_view error_message, Announce announce);

}  // namespace kinodex::store::sqlite
