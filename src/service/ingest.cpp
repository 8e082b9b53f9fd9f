#include "service/ingest.h"

#include <algorithm>

#include "domain/names.h"
#include "observe/log.h"
#include "service/leftovers.h"
#include "service/object_keys.h"

namespace kinodex::service {

using base::Errc;
using domain::AssetStatus;
using domain::AssetType;
using domain::DerivedStatus;

namespace {

/// What is wrong with a file is told by where it came from.
base::Error by_method(domain::AssetMethod method, base::Error error) {
    if (method != domain::AssetMethod::url) {
        return error;
    }
    switch (error.code) {
        case Errc::asset_type_unsupported:
            error.code = Errc::media_url_unsupported_format;
            error.values = {{"detected_format", std::string(error.value("asset_type"))}};
            return error;
        case Errc::file_unprocessable:
        case Errc::video_file_broken:
        case Errc::audio_file_broken:
        case Errc::image_broken:
            error.code = Errc::media_url_file_broken;
            return error;
        default:
            return error;
    }
}

base::Error in_words_of(const Arrival& arrival, base::Error error) {
    auto told = by_method(arrival.method, std::move(error));
    return arrival.purpose == Purpose::task ? as_task_error(std::move(told)) : told;
}

}  // namespace

bool is_passing(const base::Error& error) {
    return is_of_the_server(error) || error.code == Errc::media_url_unreachable ||
           error.code == Errc::internal;
}

bool is_of_the_server(const base::Error& error) {
    return error.code == Errc::overloaded || error.code == Errc::shutting_down ||
           error.code == Errc::storage_full || error.code == Errc::media_worker_unavailable;
}

runtime::Asked<Examined> Ingest::examine(Arrival arrival, IngestWishes wishes) {
    Examined examined;
    // One file of an account may bend what is told of that account's next one, and of no other's.
    media::ProbeRequest request{.source_fd = arrival.fd, .isolation_key = arrival.account.text()};
    if (wishes.hls) {
        KN_CO_TRY(draft, co_await objects_.create());
        examined.plan = std::move(draft);
        request.plan_fd = examined.plan->fd();
    }
    auto probed = co_await media_.probe(request);
    if (!probed) {
        co_return std::unexpected(in_words_of(arrival, std::move(probed).error()));
    }
    auto report = std::move(*probed);
    auto good = arrival.purpose == Purpose::task
                    ? check_task_upload(limits_, report, arrival.size_bytes)
                    : check_upload(limits_, arrival.method, report, arrival.size_bytes);
    if (!good) {
        co_return std::unexpected(in_words_of(arrival, std::move(good).error()));
    }

    auto& outcome = examined.outcome;
    outcome.status = AssetStatus::ready;
    outcome.type = report.type;
    outcome.file_type = report.file_type;
    outcome.size_bytes = arrival.size_bytes;
    outcome.duration_sec = report.duration_sec;
    outcome.fps = report.fps;
    outcome.width = report.width;
    outcome.height = report.height;
    outcome.technical_metadata = std::move(report.technical_metadata);
    if (wishes.thumbnail) {
        outcome.thumbnail = DerivedStatus::pending;
        examined.jobs.push_back({domain::JobKind::make_thumbnail, arrival.id.text()});
    }
    if (wishes.hls && report.type != AssetType::image) {
        if (report.plan_written) {
            outcome.hls = DerivedStatus::ready;
        } else if (report.playback == media::Playback::none) {
            outcome.hls = DerivedStatus::error;
        } else {
            outcome.hls = DerivedStatus::pending;
            examined.jobs.push_back({domain::JobKind::make_rendition, arrival.id.text()});
        }
    }
    if (!report.plan_written) {
        examined.plan.reset();
    }
    co_return examined;
}

runtime::Task<domain::AssetType> Ingest::type_of(int fd) {
    auto report = co_await media_.probe({.source_fd = fd});
    co_return report ? report->type : AssetType::unknown;
}

runtime::Task<bool> Ingest::run(domain::AssetId id) {
    auto asset = co_await store_.find_asset(id);
    if (!asset && asset.error().code == Errc::resource_not_exist) {
        co_return (co_await remove_leftovers(store_, id)).has_value();  // of an earlier run
    }
    if (!asset || asset->status != AssetStatus::processing) {
        co_return asset.has_value();
    }
    auto finished = co_await finish(*asset);
    if (finished) {
        co_return true;
    }
    const auto& error = finished.error();
    observe::log_warn("ingest_failed", {{"asset_id", id.text()},
                                        {"reason", describe_(error)},
                                        {"detail", error.detail},
                                        {"retry", is_passing(error)}});
    co_return !is_passing(error) && co_await fail(*asset, error);
}

runtime::Task<bool> Ingest::fail(const domain::Asset& asset, const base::Error& error) {
    store::IngestOutcome failed;
    failed.status = AssetStatus::failed;
    failed.file_type = asset.file_type;
    failed.error_message = describe_(error);
    failed.hls = asset.hls == DerivedStatus::none ? DerivedStatus::none : DerivedStatus::error;
    failed.thumbnail =
        asset.thumbnail == DerivedStatus::none ? DerivedStatus::none : DerivedStatus::error;
    auto task = co_await store_.tasks().find_task_of(asset.id);
    if (!task) {
        co_return false;
    }
    auto stored = co_await store_.finish_ingest(asset.id, std::move(failed), announcement(*task));
    co_return stored.has_value();
}

/// The job that tells of a video that fails before it is indexed.
std::vector<domain::NewJob> Ingest::announcement(const std::optional<domain::Task>& task) const {
    if (!announces_ || !task) {
        return {};
    }
    return {{domain::JobKind::announce, task->video_id.text()}};
}

/// What could not be asked when the task was made, for nobody knew how long its video is.
runtime::Asked<Quotas::Reservation> Ingest::admit_task(const domain::Asset& asset,
                                                       double duration_sec) {
    KN_CO_TRY(reserved, co_await quotas_.reserve_indexing(asset.account_id, duration_sec));
    KN_CO_PASS(rate_limits_.admit_duration(asset.account_id, RateCategory::index, duration_sec,
                                           base::now()));
    co_return std::move(reserved);
}

runtime::Asked<void> Ingest::finish(const domain::Asset& asset) {
    if (asset.method == domain::AssetMethod::multipart) {
        // Done by the last report already, unless the server ended in between.
        KN_CO_PASS(co_await objects_.join_parts(source_key(asset.id)));
    }
    KN_CO_TRY(task, co_await store_.tasks().find_task_of(asset.id));
    KN_CO_TRY(source, co_await objects_.open(source_key(asset.id)));
    const IngestWishes wishes{.hls = asset.hls != DerivedStatus::none,
                              .thumbnail = asset.thumbnail != DerivedStatus::none};
    const Arrival arrival{.id = asset.id,
                          .account = asset.account_id,
                          .method = asset.method,
                          .purpose = task ? Purpose::task : Purpose::asset,
                          .fd = source->fd(),
                          .size_bytes = static_cast<std::int64_t>(source->size_bytes())};
    KN_CO_TRY(examined, co_await examine(arrival, wishes));
    if (examined.plan) {
        KN_CO_PASS(co_await examined.plan->commit(plan_key(asset.id)));
    }
    Quotas::Reservation reservation;  // until the rows count by themselves
    if (task) {
        auto admitted = co_await admit_task(asset, examined.outcome.duration_sec.value_or(0));
        if (admitted) {
            reservation = std::move(*admitted);
        } else if (is_passing(admitted.error())) {
            co_return std::unexpected(std::move(admitted).error());
        } else {
            // Nothing is wrong with the asset: it is there, and can be indexed later.
            examined.outcome.videos_refused = describe_(admitted.error());
            std::ranges::copy(announcement(task), std::back_inserter(examined.jobs));
        }
    }
    KN_CO_PASS(co_await store_.finish_ingest(asset.id, std::move(examined.outcome),
                                             std::move(examined.jobs)));
    co_return co_await remove_leftovers(store_, asset.id);
}

}  // namespace kinodex::service
