#include "service/tasks.h"

namespace kinodex::service {

using base::Errc;

namespace {

base::Result<store::NewTask> task_of(domain::AccountId account, domain::AssetId asset,
                                     const NewVideo& wanted) {
    const auto now = base::now();
    store::NewTask made;
    auto& video = made.video;
    video.id = domain::IndexedAssetId::next();
    video.index_id = wanted.index_id;
    video.account_id = account;
    video.asset_id = asset;
    video.created_at = now;
    video.updated_at = now;
    if (wanted.enable_video_stream) {
        video.stream = domain::StreamStatus::processing;
        video.stream_updated_at = now;
    }
    if (wanted.user_metadata) {
        KN_TRY(metadata, domain::apply_change({}, *wanted.user_metadata));
        video.user_metadata = std::move(metadata);
    }
    auto& task = made.task;
    task.id = domain::TaskId::next();
    task.account_id = account;
    task.index_id = wanted.index_id;
    task.asset_id = asset;
    task.video_id = video.id;
    task.created_at = now;
    task.updated_at = now;
    return made;
}

/// What assets call `url` is a task's `video_url`.
base::Error by_its_name(base::Error error) {
    for (auto& value : error.values) {
        if (value.name == "parameter" && value.text == "url") {
            value.text = "video_url";
        }
    }
    return error;
}

}  // namespace

runtime::Asked<domain::Task> Tasks::create(domain::AccountId account, NewVideo wanted,
                                           StillWanted still_wanted) {
    // Before anything is examined; the commit looks again.
    KN_CO_PASS(co_await store_.find_index(account, wanted.index_id));
    NewUpload upload;
    upload.account = account;
    upload.filename = std::move(wanted.filename);
    KN_CO_TRY(made, task_of(account, upload.id, wanted));
    const auto task = made.task;
    upload.purpose = Purpose::task;
    upload.insert = [this, made](domain::Asset asset, std::vector<domain::NewJob> jobs) {
        return insert(made, std::move(asset), std::move(jobs));
    };
    base::Result<domain::Asset> asset;
    if (wanted.video_url.empty()) {
        upload.media = std::move(wanted.media);
        asset = co_await assets_.create(std::move(upload));
    } else {
        upload.method = domain::AssetMethod::url;
        upload.source_url = std::move(wanted.video_url);
        asset = co_await url_assets_.create(std::move(upload), std::move(still_wanted));
    }
    if (!asset) {
        co_return std::unexpected(by_its_name(std::move(asset).error()));
    }
    co_return task;
}

/// Of a file that is examined later the length is not known yet: its quota is asked for then.
runtime::Asked<void> Tasks::insert(store::NewTask made, domain::Asset asset,
                                   std::vector<domain::NewJob> jobs) {
    Quotas::Reservation reservation;  // until the row is there and counts by itself
    if (asset.status == domain::AssetStatus::ready) {
        const double duration_sec = asset.duration_sec.value_or(0);
        KN_CO_TRY(reserved, co_await quotas_.reserve_indexing(asset.account_id, duration_sec));
        reservation = std::move(reserved);
        KN_CO_PASS(rate_limits_.admit_duration(asset.account_id, RateCategory::index, duration_sec,
                                               base::now()));
    }
    co_return co_await store_.tasks().insert_task(std::move(made), std::move(asset),
                                                  std::move(jobs));
}

runtime::Asked<std::optional<domain::IndexedAsset>> Tasks::video_of(const domain::Task& task) {
    auto video = co_await store_.find_indexed_asset(task.account_id, task.index_id, task.video_id);
    if (!video && video.error().code == Errc::resource_not_exist) {
        co_return std::nullopt;
    }
    if (!video) {
        co_return std::unexpected(std::move(video).error());
    }
    co_return std::move(*video);
}

}  // namespace kinodex::service
