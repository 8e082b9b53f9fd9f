// What happens to uploaded bytes: they are examined in the sandbox, checked against the bounds, put
// in place and made known. The same steps serve the upload that waits for its answer and the job
// that runs afterwards.
#pragma once

#include <functional>
#include <string>

#include "media/media.h"
#include "objects/objects.h"
#include "runtime/task.h"
#include "service/limits.h"
#include "service/quotas.h"
#include "service/rate_limits.h"
#include "store/store.h"

namespace kinodex::service {

/// Turns an error into the sentence a user reads; the wording lives with the error table.
using Describe = std::function<std::string(const base::Error&)>;

struct IngestWishes {
    bool hls = false;
    bool thumbnail = false;
};

/// A file that has arrived, not yet known to be media.
struct Arrival {
    domain::AssetId id;
    domain::AccountId account;
    domain::AssetMethod method = domain::AssetMethod::direct;
    Purpose purpose = Purpose::asset;
    int fd = -1;
    std::int64_t size_bytes = 0;
};

struct Examined {
    store::IngestOutcome outcome;
    std::unique_ptr<objects::Draft> plan;  // to be committed as the playback plan; may be null
    std::vector<domain::NewJob> jobs;      // follow-ups, once the row is there
};

/// Can the same attempt work later? Full disks and missing workers heal; broken files do not.
bool is_passing(const base::Error& error);
/// Of those that pass: the server lacks something now, whatever the file is. No attempt counts.
bool is_of_the_server(const base::Error& error);

class Ingest {
  public:
    /// `announces`: whether webhooks want to know of videos that fail before they are indexed.
    Ingest(store::Store& store, objects::Objects& objects, media::Media& media, Quotas& quotas,
           RateLimits& rate_limits, UploadLimits limits, Describe describe, bool announces)
        : store_(store),
          objects_(objects),
          media_(media),
          quotas_(quotas),
          rate_limits_(rate_limits),
          limits_(limits),
          describe_(std::move(describe)),
          announces_(announces) {}

    /// Probes and checks. Errors: those of the catalogue, and passing ones.
    runtime::Asked<Examined> examine(Arrival arrival, IngestWishes wishes);
    /// The type alone, of a file that may be cut short; unknown when it cannot be told.
    runtime::Task<domain::AssetType> type_of(int fd);
    /// The job of an upload that was answered `processing`. False: try again later.
    runtime::Task<bool> run(domain::AssetId id);
    /// The end of an asset that is `processing`: failed, with the error's sentence. False: the
    /// store could not be told.
    runtime::Task<bool> fail(const domain::Asset& asset, const base::Error& error);

    [[nodiscard]] const UploadLimits& limits() const { return limits_; }

  private:
    runtime::Asked<void> finish(const domain::Asset& asset);
    runtime::Asked<Quotas::Reservation> admit_task(const domain::Asset& asset, double duration_sec);
    [[nodiscard]] std::vector<domain::NewJob> announcement(
        const std::optional<domain::Task>& task) const;

    store::Store& store_;
    objects::Objects& objects_;
    media::Media& media_;
    Quotas& quotas_;
    RateLimits& rate_limits_;
    UploadLimits limits_;
    Describe describe_;
    bool announces_;
};

}  // namespace kinodex::service
