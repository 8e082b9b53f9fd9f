// Which service does the work of which job.
#pragma once

#include <map>

#include "jobs/runner.h"
#include "service/indexing.h"

namespace kinodex::service {

/// The parts must outlive the runner that gets the result.
std::map<domain::JobKind, jobs::Work> works_of(Ingest& ingest, Renditions& renditions,
                                               Indexing& indexing, objects::Objects& objects);

}  // namespace kinodex::service
