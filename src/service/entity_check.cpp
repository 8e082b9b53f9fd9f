#include "service/entity_check.h"

#include <algorithm>

namespace kinodex::service {
namespace {

using domain::EntityStatus;

constexpr const char* kNoneUsable =
    "None of its assets can be used as a reference image: each failed, or is not an image of at "
    "least 128x128 pixels. Add another asset.";

bool is_processing(const domain::Reference& reference) {
    return reference.status == domain::AssetStatus::processing;
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
    store::EntityVerdict verdict;
    if (std::ranges::none_of(look->references, domain::is_usable)) {
        verdict = {EntityStatus::processing, kNoneUsable};
    }
    auto settled = co_await store_.entities().settle_entity(id, look->revision, std::move(verdict));
    // Not settled: its images changed meanwhile, and that queued another check.
    co_return settled ? Step::done : Step::later;
}

}  // namespace kinodex::service
