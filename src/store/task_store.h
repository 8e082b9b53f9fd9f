// Tasks: the part of the store that keeps uploads that are indexed in one step. The promises are
// those of store.h.
//
// Nobody sets the status of a task. It follows its asset and its indexed asset in the step that
// changes those: when the asset is ready the indexed asset is queued for indexing, when it failed
// or is deleted that fails too; a task whose indexed asset is deleted keeps the state it had, or
// failed when it had not come to an end.
#pragma once

#include <optional>
#include <vector>

#include "domain/asset.h"
#include "domain/indexed_asset.h"
#include "domain/job.h"
#include "domain/page.h"
#include "domain/task.h"
#include "runtime/task.h"

namespace kinodex::store {

using runtime::Asked;

/// A task and the indexed asset that it makes, before their asset is known.
struct NewTask {
    domain::Task task;
    domain::IndexedAsset video;
};

class TaskStore {
  public:
    virtual ~TaskStore() = default;

    /// Adds the asset with its jobs, the indexed asset and the task in one step. The indexed asset
    /// of an asset that is ready is queued for indexing at once. Errors: resource_not_exist
    /// ("indexes").
    virtual Asked<void> insert_task(NewTask made, domain::Asset asset,
                                    std::vector<domain::NewJob> jobs) = 0;
    virtual Asked<domain::Task> find_task(domain::AccountId account, domain::TaskId id) = 0;
    /// Exact totals; ties of the sort go by id, in the same direction.
    virtual Asked<domain::Paged<domain::Task>> list_tasks(domain::AccountId account,
                                                          domain::TaskFilter filter,
                                                          domain::Page page) = 0;
    /// Errors: resource_not_exist, task_cannot_be_deleted (values task_id, reason).
    virtual Asked<void> delete_task(domain::AccountId account, domain::TaskId id) = 0;
    /// For workers: the task that brought this asset, if one did.
    virtual Asked<std::optional<domain::Task>> find_task_of(domain::AssetId asset) = 0;
};

}  // namespace kinodex::store
