#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {

domain::Asset StoreConformance::add_asset(domain::AccountId account, const std::string& filename) {
    domain::Asset asset;
    asset.id = domain::AssetId::next();
    asset.account_id = account;
    asset.filename = filename;
    asset.file_type = "video/mp4";
    asset.created_at = base::now();
    EXPECT_TRUE(wait(store().insert_asset(asset, {})));
    return asset;
}

domain::Asset StoreConformance::add_ready_asset(domain::AccountId account,
                                                const std::string& filename) {
    auto asset = add_asset(account, filename);
    IngestOutcome outcome;
    outcome.type = domain::AssetType::video;
    outcome.file_type = "video/mp4";
    outcome.size_bytes = 1'000'000;
    outcome.duration_sec = 12.5;
    outcome.fps = 25;
    outcome.width = 1'280;
    outcome.height = 720;
    outcome.technical_metadata = R"({"container":"mp4"})";
    EXPECT_EQ(wait(store().finish_ingest(asset.id, outcome, {})), true);
    return wait(store().find_asset(account, asset.id)).value();
}

domain::Index StoreConformance::add_index(domain::AccountId account,
                                          const std::string& index_name) {
    domain::Index index;
    index.id = domain::IndexId::next();
    index.account_id = account;
    index.index_name = index_name;
    index.models = {{"marengo3.0", {"visual", "audio"}}};
    index.addons = {"thumbnail"};
    index.created_at = base::now();
    index.updated_at = index.created_at;
    EXPECT_TRUE(wait(store().insert_index(index)));
    return index;
}

domain::IndexedAsset StoreConformance::add_indexed(const domain::Index& index,
                                                   const domain::Asset& asset,
                                                   domain::Metadata metadata) {
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    item.index_id = index.id;
    item.account_id = index.account_id;
    item.asset_id = asset.id;
    item.created_at = base::now();
    item.updated_at = item.created_at;
    item.user_metadata = std::move(metadata);
    EXPECT_TRUE(wait(store().insert_indexed_asset(item)));
    return item;
}

void StoreConformance::set_ready(const domain::IndexedAsset& item) {
    EXPECT_EQ(wait(store().set_indexing(item.id, {domain::IndexingStatus::ready, {}, {}})), true);
}

std::vector<std::string> StoreConformance::take_jobs(domain::JobKind kind) {
    std::vector<std::string> subjects;
    while (true) {
        auto job = wait(store().lease_job({kind}, "test", base::now() + std::chrono::hours(1)));
        if (!job || !*job) {
            return subjects;
        }
        subjects.push_back((*job)->subject);
        EXPECT_TRUE(wait(store().finish_job((*job)->id, "test")));
    }
}

std::vector<domain::IndexedAssetId> StoreConformance::listed(
    const domain::Index& index, const domain::IndexedAssetFilter& filter) {
    auto page = wait(store().list_indexed_assets(index.account_id, index.id, filter, {1, 50}));
    EXPECT_TRUE(page);
    EXPECT_EQ(page->total, static_cast<std::int64_t>(page->items.size()));
    std::vector<domain::IndexedAssetId> ids;
    for (const auto& item : page->items) {
        ids.push_back(item.id);
    }
    return ids;
}

void expect_not_exist(const base::Error& error, const std::string& resource_id,
                      std::string_view collection_name) {
    EXPECT_EQ(error.code, base::Errc::resource_not_exist);
    EXPECT_EQ(error.value("resource_id"), resource_id);
    EXPECT_EQ(error.value("collection_name"), collection_name);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreConformance);

}  // namespace kinodex::store::conformance
