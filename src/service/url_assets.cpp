#include "service/url_assets.h"

#include <algorithm>

#include "observe/log.h"
#include "service/object_keys.h"
#include "service/url_sniff.h"

namespace kinodex::service {
namespace {

using base::Errc;
using domain::Asset;
using domain::AssetStatus;
using domain::AssetType;
using Clock = std::chrono::steady_clock;

// How often a job looks whether its asset is still there, and has room for what has come.
constexpr std::chrono::seconds kLook{2};
constexpr std::int64_t kLookBytes = 64LL * 1024 * 1024;

base::Error worded(Purpose purpose, base::Error error) {
    return purpose == Purpose::task ? as_task_error(std::move(error)) : error;
}

}  // namespace

std::string filename_of_url(const std::string& url) {
    const auto parsed = fetch::parse_url(url);
    auto name = parsed ? fetch::last_segment(*parsed) : std::string();
    return check_filename(name) ? name : "upload";
}

runtime::Asked<Asset> UrlAssets::create(NewUpload upload, StillWanted still_wanted) {
    auto asset = co_await create_now(std::move(upload), std::move(still_wanted));
    if (!asset && !asset.error().detail.empty()) {
        // What the client is not told, e.g. that a name leads to an address of this network.
        observe::log_warn("fetch_failed", {{"detail", asset.error().detail}, {"retry", false}});
    }
    co_return asset;
}

runtime::Asked<Asset> UrlAssets::create_now(NewUpload upload, StillWanted still_wanted) {
    // Before anything is kept, also where the fetching comes later.
    KN_CO_TRY(url, fetch::parse_url(upload.source_url));
    if (options_.mode == IngestMode::async) {
        co_return co_await assets_.create_pending(std::move(upload), std::nullopt);
    }
    KN_CO_TRY(place, waiting_.take(upload.account));
    const auto deadline = Clock::now() + options_.answer_within;
    KN_CO_TRY(fetch, co_await open(upload.source_url, upload.purpose));
    const auto length = fetch.download->head().content_length.value_or(0);
    const bool is_large = length > static_cast<std::uint64_t>(options_.sync_bytes_max);
    const Until until{is_large ? 0 : options_.sync_bytes_max, deadline};
    auto got = co_await receive(fetch, until, still_wanted);
    if (!got) {
        co_return std::unexpected(co_await typed(std::move(got).error(), fetch));
    }
    if (*got == Got::part) {
        co_return co_await hand_over(std::move(upload), std::move(fetch));
    }
    fetch.download.reset();
    upload.media = std::move(fetch.draft);
    co_return co_await assets_.create(std::move(upload));
}

std::int64_t UrlAssets::limit_of(Purpose purpose, AssetType type) const {
    const auto& limits = ingest_.limits();
    return purpose == Purpose::task ? limits.max_task_bytes
                                    : size_limit(limits, domain::AssetMethod::url, type);
}

runtime::Asked<UrlAssets::Fetch> UrlAssets::open(std::string url, Purpose purpose) {
    fetch::DownloadRequest request;
    request.url = std::move(url);
    request.rules = rules_;
    request.patience = options_.patience;
    request.bytes_max = static_cast<std::uint64_t>(limit_of(purpose, AssetType::unknown));
    Fetch fetch;
    fetch.purpose = purpose;
    auto download = co_await fetch::Download::open(fetcher_, std::move(request));
    if (!download) {
        co_return std::unexpected(co_await typed(std::move(download).error(), fetch));
    }
    fetch.download = std::move(*download);
    const auto& head = fetch.download->head();
    KN_CO_PASS(check_answer_head(head));
    const auto type = announced_type(head.content_type);
    const auto limit = limit_of(purpose, type);
    const auto length = static_cast<std::int64_t>(head.content_length.value_or(0));
    if (length > limit) {
        co_return std::unexpected(worded(purpose, too_large(type, limit, length).error()));
    }
    KN_CO_TRY(draft, co_await objects_.create());
    fetch.draft = std::move(draft);
    co_return fetch;
}

/// Everything, or a part that is looked at already and goes beyond `until`.
runtime::Asked<UrlAssets::Got> UrlAssets::receive(Fetch& fetch, Until until,
                                                  const StillWanted& still_wanted) {
    while (true) {
        if (!still_wanted()) {
            co_return base::fail(Errc::request_timed_out, {}, "nobody waits for it any more");
        }
        const auto size = static_cast<std::int64_t>(fetch.draft->size_bytes());
        if (Clock::now() >= until.time || (fetch.is_sniffed && size > until.bytes)) {
            KN_CO_PASS(co_await fetch.draft->settle());
            co_return Got::part;
        }
        KN_CO_TRY(piece, co_await fetch.download->read());
        switch (piece.kind) {
            case fetch::Piece::Kind::tick:
                break;
            case fetch::Piece::Kind::bytes:
                KN_CO_PASS(co_await take(fetch, std::move(piece)));
                break;
            case fetch::Piece::Kind::restart: {
                KN_CO_TRY(draft, co_await objects_.create());
                fetch.draft = std::move(draft);
                fetch.first_bytes.clear();
                fetch.is_sniffed = fetch.is_no_image = false;
                break;
            }
            case fetch::Piece::Kind::end:
                KN_CO_PASS(co_await fetch.draft->settle());
                if (!fetch.is_sniffed) {
                    KN_CO_PASS(
                        check_first_bytes(fetch.first_bytes, fetch.download->head().content_type));
                }
                co_return Got::all;
        }
    }
}

runtime::Asked<void> UrlAssets::take(Fetch& fetch, fetch::Piece piece) {
    if (fetch.first_bytes.size() < kSniffBytes) {
        const auto count = std::min(piece.bytes.size(), kSniffBytes - fetch.first_bytes.size());
        fetch.first_bytes.append(reinterpret_cast<const char*>(piece.bytes.data()), count);
    }
    // The next bytes come in while these are written.
    KN_CO_PASS(co_await fetch.draft->append_behind(piece.bytes, std::move(piece.owner)));
    co_return co_await judge(fetch);
}

runtime::Asked<void> UrlAssets::judge(Fetch& fetch) {
    if (!fetch.is_sniffed && fetch.first_bytes.size() >= kSniffBytes) {
        KN_CO_PASS(check_first_bytes(fetch.first_bytes, fetch.download->head().content_type));
        fetch.is_sniffed = true;
    }
    // Pictures have a bound of their own, and what it is must be asked once it is passed.
    const auto limit = ingest_.limits().max_image_bytes;
    const auto size = static_cast<std::int64_t>(fetch.draft->size_bytes());
    const bool may_be_image = fetch.purpose == Purpose::asset && !fetch.is_no_image;
    if (may_be_image && size > limit) {
        KN_CO_PASS(co_await fetch.draft->settle());
        if (co_await ingest_.type_of(fetch.draft->read_fd()) == AssetType::image) {
            const auto announced = fetch.download->head().content_length;
            co_return too_large(AssetType::image, limit,
                                std::max(size, static_cast<std::int64_t>(announced.value_or(0))));
        }
        fetch.is_no_image = true;
    }
    co_return base::Status{};
}

/// The error by type for what is too large; others as they are.
runtime::Task<base::Error> UrlAssets::typed(base::Error error, const Fetch& fetch) {
    if (error.code != Errc::body_too_large) {
        co_return error;
    }
    auto type = announced_type(error.value("content_type"));
    if (fetch.draft && co_await fetch.draft->settle()) {
        const auto seen = co_await ingest_.type_of(fetch.draft->read_fd());
        type = seen == AssetType::unknown ? type : seen;
    }
    const auto limit = limit_of(fetch.purpose, type);
    const auto size = std::stoll(std::string(error.value("current_size")));
    co_return worded(fetch.purpose, too_large(type, limit, size).error());
}

runtime::Asked<Asset> UrlAssets::hand_over(NewUpload upload, Fetch fetch) {
    const auto id = upload.id;
    const auto length = fetch.download->head().content_length;
    // First, so that the job finds it.
    parked_.leave(id, std::move(fetch));
    auto asset = co_await assets_.create_pending(std::move(upload), length);
    if (!asset) {
        parked_.take(id);
    }
    co_return asset;
}

runtime::Task<Step> UrlAssets::run(domain::AssetId id, int attempts,
                                   std::shared_ptr<const std::atomic<bool>> should_stop) {
    auto asset = co_await store_.find_asset(id);
    if (!asset || asset->status != AssetStatus::processing) {
        parked_.take(id);
        co_return asset || asset.error().code == Errc::resource_not_exist ? Step::done
                                                                          : Step::later;
    }
    // Fetched already when an earlier run ended between here and the examination.
    auto there = co_await objects_.exists(source_key(id));
    if (!there) {
        co_return Step::later;
    }
    Quotas::Reservation reservation;  // until the row counts by itself
    if (!*there) {
        const StillWanted still_wanted = [should_stop] { return !*should_stop; };
        auto brought = co_await bring(*asset, still_wanted);
        if (!brought) {
            co_return co_await give_up_or_wait(*asset, std::move(brought).error(), attempts);
        }
        reservation = std::move(*brought);
    }
    // Also when it was deleted while it was fetched: then what came is removed.
    co_return co_await ingest_.run(id) ? Step::done : Step::later;
}

/// Fetches all of it and puts it in place.
runtime::Asked<Quotas::Reservation> UrlAssets::bring(const Asset& asset,
                                                     const StillWanted& still_wanted) {
    auto parked = parked_.take(asset.id);
    if (!parked) {
        KN_CO_TRY(task, co_await store_.tasks().find_task_of(asset.id));
        const auto purpose = task ? Purpose::task : Purpose::asset;
        KN_CO_TRY(opened, co_await open(asset.source_url, purpose));
        parked = std::move(opened);
    }
    auto fetch = std::move(*parked);
    Quotas::Reservation reservation;
    while (true) {
        const auto so_far = static_cast<std::int64_t>(fetch.draft->size_bytes());
        const Until until{so_far + kLookBytes, Clock::now() + kLook};
        auto got = co_await receive(fetch, until, still_wanted);
        if (!got) {
            co_return std::unexpected(co_await typed(std::move(got).error(), fetch));
        }
        reservation = {};  // anew, so that it is not counted twice
        KN_CO_TRY(more, co_await assets_.reserve_more(
                            asset, static_cast<std::int64_t>(fetch.draft->size_bytes())));
        reservation = std::move(more);
        if (*got == Got::all) {
            break;
        }
        KN_CO_TRY(known, co_await store_.assets_exist({asset.id}));
        if (!known.front()) {
            co_return base::fail(Errc::resource_not_exist, {{"resource_id", asset.id.text()}});
        }
    }
    fetch.download.reset();
    KN_CO_PASS(co_await fetch.draft->commit(source_key(asset.id)));
    co_return std::move(reservation);
}

runtime::Task<Step> UrlAssets::give_up_or_wait(const Asset& asset, base::Error error,
                                               int attempts) {
    if (error.code == Errc::resource_not_exist) {
        co_return Step::done;  // deleted meanwhile
    }
    const bool is_stop = error.code == Errc::shutting_down || error.code == Errc::request_timed_out;
    const bool is_postponed = is_stop || is_of_the_server(error);
    const bool retry = is_postponed || (is_passing(error) && attempts < options_.attempts_max);
    if (!is_stop) {
        observe::log_warn("fetch_failed", {{"asset_id", asset.id.text()},
                                           {"detail", error.detail},
                                           {"attempts", attempts},
                                           {"retry", retry}});
    }
    if (retry) {
        co_return is_postponed ? Step::postponed : Step::later;
    }
    co_return co_await ingest_.fail(asset, error) ? Step::failed : Step::later;
}

}  // namespace kinodex::service
