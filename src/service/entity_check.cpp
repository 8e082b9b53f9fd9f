#include "service/entity_check.h"

#include <algorithm>

#include "observe/log.h"
#include "service/ingest.h"
#include "service/object_keys.h"

namespace kinodex::service {
namespace {

using domain::Asset;
using domain::EntityStatus;

constexpr const char* kNoneUsable =
    "None of its assets can be used as a reference image: each failed, is not an image of at least "
    "128x128 pixels, or cannot be decoded. Add another asset.";

bool is_processing(const Asset& asset) {
    return asset.status == domain::AssetStatus::processing;
}

}  // namespace

runtime::Task<Step> EntityCheck::run(domain::EntityId id) {
    auto look = co_await store_.entities().inspect_entity(id);
    if (!look) {
        co_return look.error().code == base::Errc::resource_not_exist ? Step::done : Step::later;
    }
    if (look->status != EntityStatus::processing ||
        std::ranges::any_of(look->references, is_processing)) {
        co_return Step::done;
    }
    std::size_t usable = 0;
    for (const auto& asset : look->references) {
        const auto step = co_await look_at(asset);
        if (step == Step::later) {
            co_return step;
        }
        usable += step == Step::done ? 1 : 0;
    }
    store::EntityVerdict verdict;
    if (usable == 0) {
        verdict = {EntityStatus::processing, kNoneUsable};
    }
    auto settled = co_await store_.entities().settle_entity(id, look->revision, std::move(verdict));
    // Not settled: its images changed meanwhile, and that queued another check.
    co_return settled ? Step::done : Step::later;
}

runtime::Task<Step> EntityCheck::look_at(const Asset& asset) {
    if (asset.type != domain::AssetType::image || !domain::check_reference(asset)) {
        co_return Step::failed;
    }
    auto decode = [](objects::Objects& objects, media::Media& media,
                     const Asset& image) -> runtime::Asked<void> {
        KN_CO_TRY(source, co_await objects.open(source_key(image.id)));
        KN_CO_TRY(scratch, co_await objects.create());  // goes with this call
        media::ThumbnailRequest request;
        request.source_fd = source->fd();
        request.out_fd = scratch->fd();
        request.max_width = domain::kReferenceSideMin;
        request.type = image.type;
        co_return co_await media.thumbnail(request);
    };
    auto decoded = co_await decode(objects_, media_, asset);
    if (decoded) {
        co_return Step::done;
    }
    const bool passing = is_passing(decoded.error());
    observe::log_warn(
        "reference_not_decoded",
        {{"asset_id", asset.id.text()}, {"detail", decoded.error().detail}, {"retry", passing}});
    co_return passing ? Step::later : Step::failed;
}

}  // namespace kinodex::service
