// Assets from URLs: fetched while the client waits when they are small, and by a durable job when
// they are large, slow, or of unknown length and turn out to be large.
//
// A request that hands over to its job leaves what it has fetched so far to it; a job of a later
// process begins anew. Start reading at UrlAssets::create.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fetch/download.h"
#include "service/assets.h"
#include "service/parked.h"
#include "service/places.h"
#include "service/renditions.h"

namespace kinodex::service {

struct UrlOptions {
    IngestMode mode = IngestMode::sync;
    /// Larger files are never fetched while the client waits.
    std::int64_t sync_bytes_max = 200LL * 1024 * 1024;
    /// Nor are those that take longer.
    std::chrono::seconds answer_within{120};
    fetch::Patience patience;
    int attempts_max = 8;  // of a job, while what goes wrong may pass
    std::size_t parked_max = 8;
    /// Requests that wait for their file. With those parked and the jobs at work they are no more
    /// than the fetcher has transfers, so jobs always find one.
    PlaceLimits waiting{.all = 48, .of_one_account = 32};
};

/// Looked at about once a second; false ends the work.
using StillWanted = std::function<bool()>;

/// What a file from `url` is called when nobody says otherwise: the last segment of the path.
std::string filename_of_url(const std::string& url);

class UrlAssets {
  public:
    UrlAssets(store::Store& store, objects::Objects& objects, Ingest& ingest, Assets& assets,
              fetch::Fetcher& fetcher, std::shared_ptr<const fetch::AddressRules> rules,
              UrlOptions options)
        : store_(store),
          objects_(objects),
          ingest_(ingest),
          assets_(assets),
          fetcher_(fetcher),
          rules_(std::move(rules)),
          options_(options),
          waiting_(options.waiting, "fetch"),
          parked_(options.parked_max) {}

    /// `upload` has a source_url and no media. Errors: parameter_invalid for the URL, the
    /// catalogue's by what is there, those of the fetcher. Nothing stays behind on failure.
    runtime::Asked<domain::Asset> create(NewUpload upload, StillWanted still_wanted);
    /// The job of an asset that was answered `processing`.
    runtime::Task<Step> run(domain::AssetId id, int attempts,
                            std::shared_ptr<const std::atomic<bool>> should_stop);

  private:
    /// A file on its way.
    struct Fetch {
        std::unique_ptr<fetch::Download> download;
        std::unique_ptr<objects::Draft> draft;
        Purpose purpose = Purpose::asset;
        std::string first_bytes;  // up to kSniffBytes
        bool is_sniffed = false;
        bool is_no_image = false;
    };
    struct Until {
        std::int64_t bytes = 0;
        std::chrono::steady_clock::time_point time;
    };
    enum class Got { all, part };

    runtime::Asked<domain::Asset> create_now(NewUpload upload, StillWanted still_wanted);
    runtime::Asked<Fetch> open(std::string url, Purpose purpose);
    [[nodiscard]] std::int64_t limit_of(Purpose purpose, domain::AssetType type) const;
    runtime::Asked<Got> receive(Fetch& fetch, Until until, const StillWanted& still_wanted);
    runtime::Asked<void> take(Fetch& fetch, fetch::Piece piece);
    runtime::Asked<void> judge(Fetch& fetch);
    runtime::Asked<Quotas::Reservation> bring(const domain::Asset& asset,
                                              const StillWanted& still_wanted);
    runtime::Task<Step> give_up_or_wait(const domain::Asset& asset, base::Error error,
                                        int attempts);
    runtime::Task<base::Error> typed(base::Error error, const Fetch& fetch);
    runtime::Asked<domain::Asset> hand_over(NewUpload upload, Fetch fetch);

    store::Store& store_;
    objects::Objects& objects_;
    Ingest& ingest_;
    Assets& assets_;
    fetch::Fetcher& fetcher_;
    std::shared_ptr<const fetch::AddressRules> rules_;
    UrlOptions options_;
    Places waiting_;
    Parked<domain::AssetId, Fetch> parked_;
};

}  // namespace kinodex::service
