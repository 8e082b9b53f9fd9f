#include "service/sweep.h"

#include <algorithm>

#include "observe/log.h"

namespace kinodex::service {
namespace {

// Names asked for in one query: few enough to leave the readers to requests in between.
constexpr std::size_t kBatch = 500;

/// The first six bytes of an id are the milliseconds of its making.
template <class Id>
base::Timestamp made_at(const Id& id) {
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        ms = ms << 8 | id.bytes()[i];
    }
    return base::Timestamp(std::chrono::milliseconds(ms));
}

template <class Id, class Exist>
runtime::Asked<std::size_t> sweep_top(objects::Objects& objects, std::string top,
                                      base::Timestamp started_at, Exist exist) {
    KN_CO_TRY(names, co_await objects.list_owners(top));
    std::vector<Id> ids;
    for (const auto& name : names) {
        const auto id = Id::parse(name);
        if (id && made_at(*id) < started_at) {
            ids.push_back(*id);
        }
    }
    std::size_t removed = 0;
    for (std::size_t from = 0; from < ids.size(); from += kBatch) {
        const auto until = std::min(ids.size(), from + kBatch);
        std::vector<Id> batch(ids.begin() + static_cast<std::ptrdiff_t>(from),
                              ids.begin() + static_cast<std::ptrdiff_t>(until));
        KN_CO_TRY(known, co_await exist(batch));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            if (!known[i]) {
                KN_CO_PASS(co_await objects.remove_prefix(top + "/" + batch[i].text() + "/"));
                ++removed;
            }
        }
    }
    co_return removed;
}

}  // namespace

runtime::Asked<void> sweep_at_start(store::Store& store, objects::Objects& objects) {
    KN_CO_TRY(drafts, co_await objects.sweep());
    KN_CO_TRY(leases, co_await store.release_all_leases());
    observe::log_info("swept", {{"drafts_removed", drafts.drafts_removed},
                                {"bytes_removed", drafts.bytes_removed},
                                {"leases_released", leases}});
    co_return base::Status{};
}

runtime::Asked<void> sweep_orphans(store::Store& store, objects::Objects& objects,
                                   base::Timestamp started_at) {
    // Somebody copies what is there; the next start sweeps.
    KN_CO_TRY(held, co_await store.transfer().objects_are_held());
    if (held) {
        observe::log_info("sweep_put_off", {{"reason", "objects are held"}});
        co_return base::Status{};
    }
    const auto assets_known = [&store](std::vector<domain::AssetId> ids) {
        return store.assets_exist(std::move(ids));
    };
    const auto indexed_known = [&store](std::vector<domain::IndexedAssetId> ids) {
        return store.indexed_assets_exist(std::move(ids));
    };
    KN_CO_TRY(assets,
              co_await sweep_top<domain::AssetId>(objects, "assets", started_at, assets_known));
    KN_CO_TRY(indexed, co_await sweep_top<domain::IndexedAssetId>(objects, "indexed", started_at,
                                                                  indexed_known));
    observe::log_info("swept_orphans", {{"assets_removed", assets}, {"indexed_removed", indexed}});
    co_return base::Status{};
}

}  // namespace kinodex::service
