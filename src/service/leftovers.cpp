#include "service/leftovers.h"

#include "service/object_keys.h"

namespace kinodex::service {
namespace {

runtime::Asked<void> remove_unless(store::Store& store, bool is_known, std::string prefix) {
    if (is_known) {
        co_return base::Status{};
    }
    // Not at once: objects may be held for a copy that has the row still.
    co_return co_await store.insert_job({domain::JobKind::remove_objects, std::move(prefix)});
}

}  // namespace

runtime::Asked<void> remove_leftovers(store::Store& store, domain::AssetId id) {
    KN_CO_TRY(known, co_await store.assets_exist({id}));
    co_return co_await remove_unless(store, known.front(), asset_prefix(id));
}

runtime::Asked<void> remove_leftovers(store::Store& store, domain::IndexedAssetId id) {
    KN_CO_TRY(known, co_await store.indexed_assets_exist({id}));
    co_return co_await remove_unless(store, known.front(), indexed_prefix(id));
}

}  // namespace kinodex::service
