// Start-up upkeep: removes what an earlier process left half done, and says what it removed.
#pragma once

#include "objects/objects.h"
#include "store/store.h"

namespace kinodex::service {

/// Before serving: drafts of uploads that never ended, and leases of workers that are no more.
runtime::Asked<void> sweep_at_start(store::Store& store, objects::Objects& objects);

/// While serving: objects that no row names. Only owners whose id is older than `started_at` are
/// looked at, since an upload in flight has its objects in place before its row.
runtime::Asked<void> sweep_orphans(store::Store& store, objects::Objects& objects,
                                   base::Timestamp started_at);

}  // namespace kinodex::service
