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
                                               Indexing& indexing, objects::Objects& objects);

/// Fetching has workers of its own: a slow server elsewhere must not hold up what is here.
std::map<domain::JobKind, jobs::Work> fetch_works_of(UrlAssets& url_assets);

/// So have checks of entities: one request may queue a hundred, and files must not wait for them.
std::map<domain::JobKind, jobs::Work> check_works_of(EntityCheck& entity_check);

}  // namespace kinodex::service
