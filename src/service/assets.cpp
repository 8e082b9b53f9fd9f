#include "service/assets.h"

#include <algorithm>

#include "observe/log.h"
#include "service/names.h"
#include "service/object_keys.h"

namespace kinodex::service {

using base::Errc;
using domain::Asset;
using domain::DerivedStatus;

base::Status check_filename(std::string_view filename) {
    return check_line("filename", filename, kFilenameCharsMax);
}

std::int64_t Assets::upload_bytes_max() const {
    return std::max(ingest_.limits().max_direct_bytes, ingest_.limits().max_image_bytes);
}

runtime::Asked<std::unique_ptr<objects::Draft>> Assets::begin_upload() {
    co_return co_await objects_.create();
}

runtime::Asked<void> Assets::refuse_too_large(const objects::Draft& received,
                                              std::int64_t limit_bytes, std::int64_t size_bytes) {
    const auto type = co_await ingest_.type_of(received.read_fd());
    co_return too_large(type, limit_bytes, size_bytes);
}

runtime::Asked<std::vector<domain::NewJob>> Assets::settle(Asset& asset, NewUpload& upload) {
    const auto size = static_cast<std::int64_t>(upload.media->size_bytes());
    asset.size_bytes = size;  // shown once the asset is ready, counted from now on
    if (options_.mode == IngestMode::async || size > options_.sync_bytes_max) {
        KN_CO_PASS(co_await upload.media->commit(source_key(asset.id)));
        co_return std::vector{domain::NewJob{domain::JobKind::ingest_asset, asset.id.text()}};
    }
    // Most uploads are good, so their bytes become durable while they are looked at.
    KN_CO_PASS(co_await upload.media->sync_behind());
    const Arrival arrival{.id = asset.id,
                          .account = asset.account_id,
                          .method = asset.method,
                          .purpose = upload.purpose,
                          .fd = upload.media->read_fd(),
                          .size_bytes = size};
    KN_CO_TRY(examined, co_await ingest_.examine(arrival, upload.wishes));
    std::vector<objects::Placing> placings;
    placings.push_back({std::move(upload.media), source_key(asset.id)});
    if (examined.plan) {
        placings.push_back({std::move(examined.plan), plan_key(asset.id)});
    }
    KN_CO_PASS(co_await objects_.commit_all(std::move(placings)));
    auto& outcome = examined.outcome;
    asset.status = outcome.status;
    asset.type = outcome.type;
    asset.file_type = std::move(outcome.file_type);
    asset.size_bytes = outcome.size_bytes;
    asset.duration_sec = outcome.duration_sec;
    asset.fps = outcome.fps;
    asset.width = outcome.width;
    asset.height = outcome.height;
    asset.technical_metadata = std::move(outcome.technical_metadata);
    asset.hls = outcome.hls;
    asset.thumbnail = outcome.thumbnail;
    co_return std::move(examined.jobs);
}

/// The row of an upload before anything is known of its bytes.
base::Result<Asset> Assets::asset_of(const NewUpload& upload) {
    KN_PASS(check_filename(upload.filename));
    const auto wished = [](bool wish) {
        return wish ? DerivedStatus::pending : DerivedStatus::none;
    };
    Asset asset;
    asset.id = upload.id;
    asset.account_id = upload.account;
    asset.method = upload.method;
    asset.source_url = upload.source_url;
    asset.filename = upload.filename;
    asset.created_at = base::now();
    asset.hls = wished(upload.wishes.hls);
    asset.thumbnail = wished(upload.wishes.thumbnail);
    if (upload.user_metadata) {
        KN_TRY(metadata, domain::apply_change({}, *upload.user_metadata));
        asset.user_metadata = std::move(metadata);
    }
    return asset;
}

runtime::Asked<void> Assets::insert(const Asset& asset, std::vector<domain::NewJob> jobs,
                                    const Insert& insert) {
    const bool has_jobs = !jobs.empty();
    if (insert) {
        KN_CO_PASS(co_await insert(asset, std::move(jobs)));
    } else {
        KN_CO_PASS(co_await store_.insert_asset(asset, std::move(jobs)));
    }
    if (has_jobs || insert) {
        wake_workers_();
    }
    co_return base::Status{};
}

runtime::Asked<Asset> Assets::create(NewUpload upload) {
    KN_CO_TRY(asset, asset_of(upload));
    // Held until the row is there and counts by itself.
    KN_CO_TRY(reservation,
              co_await quotas_.reserve_storage(
                  upload.account, static_cast<std::int64_t>(upload.media->size_bytes())));
    auto jobs = co_await settle(asset, upload);
    base::Status stored;
    if (jobs) {
        stored = co_await insert(asset, std::move(*jobs), upload.insert);
    } else {
        stored = std::unexpected(std::move(jobs).error());
    }
    if (!stored) {
        // Objects may be in place already, and no row will ever name them.
        auto removed = co_await objects_.remove_prefix(asset_prefix(asset.id));
        if (!removed) {  // the sweep at the next start finds them
            observe::log_warn("orphan_left",
                              {{"asset_id", asset.id.text()}, {"reason", removed.error().detail}});
        }
        co_return std::unexpected(std::move(stored).error());
    }
    co_return asset;
}

runtime::Asked<Asset> Assets::create_pending(NewUpload upload,
                                             std::optional<std::uint64_t> size_bytes) {
    KN_CO_TRY(asset, asset_of(upload));
    Quotas::Reservation reservation;
    if (size_bytes) {
        asset.size_bytes = static_cast<std::int64_t>(*size_bytes);
        KN_CO_TRY(reserved, co_await quotas_.reserve_storage(asset.account_id, *asset.size_bytes));
        reservation = std::move(reserved);
    }
    std::vector jobs{domain::NewJob{domain::JobKind::fetch_url, asset.id.text()}};
    KN_CO_PASS(co_await insert(asset, std::move(jobs), upload.insert));
    co_return asset;
}

runtime::Asked<Quotas::Reservation> Assets::reserve_more(const Asset& asset,
                                                         std::int64_t size_bytes) {
    const auto more = size_bytes - asset.size_bytes.value_or(0);
    co_return co_await quotas_.reserve_storage(asset.account_id, std::max<std::int64_t>(more, 0));
}

runtime::Asked<Asset> Assets::find(domain::AccountId account, domain::AssetId id) {
    auto asset = co_await store_.find_asset(account, id);
    if (!asset && asset.error().code == Errc::resource_not_exist) {
        // Not there yet, but promised to an upload session: it shows as being worked on.
        KN_CO_TRY(upload, co_await store_.uploads().find_reservation(account, id, base::now()));
        co_return domain::asset_of(upload);
    }
    co_return asset;
}

runtime::Asked<Asset> Assets::find(domain::AssetId id) {
    return store_.find_asset(id);
}

runtime::Asked<domain::Paged<Asset>> Assets::list(domain::AccountId account,
                                                  domain::AssetFilter filter, domain::Page page) {
    return store_.list_assets(account, std::move(filter), page);
}

runtime::Asked<void> Assets::change_metadata(domain::AccountId account, domain::AssetId id,
                                             domain::MetadataChange change) {
    return store_.change_asset_metadata(account, id, std::move(change));
}

runtime::Asked<void> Assets::remove(domain::AccountId account, domain::AssetId id,
                                    store::DeleteMode mode) {
    if (mode == store::DeleteMode::force && options_.announces) {
        mode = store::DeleteMode::force_and_announce;
    }
    KN_CO_PASS(co_await store_.delete_asset(account, id, mode));
    playback_.forget(id);
    wake_workers_();
    co_return base::Status{};
}

runtime::Asked<domain::Paged<domain::IndexedAssetReference>> Assets::references(
    domain::AccountId account, domain::AssetId id, domain::Page page) {
    return store_.list_references(account, id, page);
}

}  // namespace kinodex::service
