#include "service/renditions.h"

#include "observe/log.h"
#include "service/ingest.h"
#include "service/leftovers.h"
#include "service/object_keys.h"

namespace kinodex::service {
namespace {

using base::Errc;
using domain::Asset;
using domain::DerivedStatus;

Step step_of(const base::Status& status, std::string_view what, domain::AssetId id) {
    if (status) {
        return Step::done;
    }
    const bool passing = is_passing(status.error());
    observe::log_warn("media_work_failed", {{"work", what},
                                            {"asset_id", id.text()},
                                            {"detail", status.error().detail},
                                            {"retry", passing}});
    return passing ? Step::later : Step::failed;
}

}  // namespace

runtime::Task<Step> Renditions::make_thumbnail(domain::AssetId id) {
    auto asset = co_await store_.find_asset(id);
    if (!asset) {
        co_return co_await without_asset(id, asset.error());
    }
    if (asset->thumbnail == DerivedStatus::none || asset->thumbnail == DerivedStatus::ready) {
        co_return Step::done;
    }
    const auto step = step_of(co_await thumbnail_of(*asset), "thumbnail", id);
    if (step == Step::later) {
        co_return step;
    }
    const auto status = step == Step::done ? DerivedStatus::ready : DerivedStatus::error;
    auto stored = co_await store_.set_asset_part(id, store::AssetPart::thumbnail, status);
    const bool is_clean = (co_await remove_leftovers(store_, id)).has_value();
    co_return stored&& is_clean ? step : Step::later;
}

/// It was deleted, perhaps under an earlier run that has put something in place.
runtime::Task<Step> Renditions::without_asset(domain::AssetId id, const base::Error& error) {
    const bool is_deleted = error.code == Errc::resource_not_exist;
    co_return is_deleted&& co_await remove_leftovers(store_, id) ? Step::failed : Step::later;
}

runtime::Asked<void> Renditions::thumbnail_of(const Asset& asset) {
    KN_CO_TRY(source, co_await objects_.open(source_key(asset.id)));
    KN_CO_TRY(draft, co_await objects_.create());
    media::ThumbnailRequest request;
    request.source_fd = source->fd();
    request.out_fd = draft->fd();
    request.type = asset.type;
    KN_CO_PASS(co_await media_.thumbnail(request));
    co_return co_await draft->commit(thumbnail_key(asset.id));
}

runtime::Task<Step> Renditions::make_playback(domain::AssetId id) {
    auto asset = co_await store_.find_asset(id);
    if (!asset) {
        co_return co_await without_asset(id, asset.error());
    }
    auto there = co_await objects_.exists(plan_key(id));
    if (!there) {
        co_return Step::later;
    }
    Step step = Step::done;
    if (!*there) {
        if (asset->hls == DerivedStatus::pending) {
            (void)co_await store_.set_asset_part(id, store::AssetPart::hls,
                                                 DerivedStatus::processing);
        }
        step = step_of(co_await playback_of(*asset), "playback", id);
        if (step == Step::later) {
            co_return step;
        }
        playback_.forget(id);
        auto clean = co_await remove_leftovers(store_, id);
        if (!clean) {
            co_return Step::later;
        }
    }
    const bool good = step == Step::done;
    auto told = co_await store_.set_streams_of_asset(
        id, good ? domain::StreamStatus::complete : domain::StreamStatus::error);
    if (told && asset->hls != DerivedStatus::none) {
        auto stored = co_await store_.set_asset_part(
            id, store::AssetPart::hls, good ? DerivedStatus::ready : DerivedStatus::error);
        co_return stored ? step : Step::later;
    }
    co_return told ? step : Step::later;
}

runtime::Asked<void> Renditions::playback_of(const Asset& asset) {
    KN_CO_TRY(source, co_await objects_.open(source_key(asset.id)));
    KN_CO_TRY(plan, co_await objects_.create());
    const media::ProbeRequest request{.source_fd = source->fd(), .plan_fd = plan->fd()};
    KN_CO_TRY(report, co_await media_.probe(request));
    if (report.plan_written) {
        co_return co_await plan->commit(plan_key(asset.id));
    }
    plan.reset();
    if (report.playback == media::Playback::none) {
        co_return base::fail(Errc::file_unprocessable, {}, "nothing in it can be played");
    }
    co_return co_await rendition_of(asset, source->fd(), report.playback == media::Playback::remux);
}

runtime::Asked<void> Renditions::rendition_of(const Asset& asset, int source_fd,
                                              bool copy_streams) {
    KN_CO_TRY(rendition, co_await objects_.create());
    KN_CO_TRY(plan, co_await objects_.create());
    media::RenditionRequest request;
    request.source_fd = source_fd;
    request.out_fd = rendition->fd();
    request.plan_fd = plan->fd();
    request.copy_streams = copy_streams;
    LookNowAndThen looks;
    request.on_progress = [this, id = asset.id, &looks](double) -> runtime::Task<bool> {
        if (!looks.is_time()) {
            co_return true;
        }
        auto known = co_await store_.assets_exist({id});
        co_return !known || known->front();
    };
    KN_CO_PASS(co_await media_.rendition(request));
    // The plan last: it is what says that playback is there.
    KN_CO_PASS(co_await rendition->commit(rendition_key(asset.id)));
    co_return co_await plan->commit(plan_key(asset.id));
}

}  // namespace kinodex::service
