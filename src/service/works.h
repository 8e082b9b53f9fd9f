// Which service does the work of which job.
#pragma once

#include <map>

#include "jobs/runner.h"
#include "service/entity_check.h"
#include "service/indexing.h"
#include "service/url_assets.h"

namespace kinodex::service {

/// The parts must outlive the runner that gets the result.
std::map<domain::JobKind, jobs::Work> works_of(Ingest& ingest, Renditions& renditions,
                                               Indexing& indexing, EntityCheck& entity_check,
                                               objects::Objects& objects);

/// Fetching has workers of its own: a slow server elsewhere must not hold up what is here.
std::map<domain::JobKind, jobs::Work> fetch_works_of(UrlAssets& url_assets);

}  // namespace kinodex::service
