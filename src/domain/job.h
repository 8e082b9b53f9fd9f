// Jobs: durable units of background work, leased by one worker at a time and safe to run twice.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::domain {

enum class JobKind {
    ingest_asset,    // validate a large or asynchronous upload; subject: asset
    make_thumbnail,  // subject: asset
    make_rendition,  // prepare playback that needs more than the source; subject: asset
    index_asset,     // subject: indexed asset
    remove_objects,  // delete media of something that is gone; subject: its object prefix
    fetch_url,       // bring the bytes of an asset from its source_url; subject: asset
    announce,        // tell webhooks that indexing ended; subject: indexed asset
    deliver,         // of older versions; what waits to be delivered is in the deliveries now
    check_entity,    // look at its reference images; subject: entity
};

struct Job {
    JobId id;
    JobKind kind = JobKind::ingest_asset;
    std::string subject;  // an id's text, or an object prefix
    int attempts = 0;     // leases taken so far, this one included, less those that did not count
    std::optional<base::Timestamp> lease_until;
};

/// Whether an attempt that came to no end counts: not when the server stopped, or lacked something
/// that is no matter of the job.
enum class Attempt { counts, does_not_count };

struct NewJob {
    JobKind kind;
    std::string subject;
};

}  // namespace kinodex::domain
