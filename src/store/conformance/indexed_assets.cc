// Indexed assets: what enters, what changes, and that lists follow every write at once.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::IndexingStatus;
using domain::JobKind;
using domain::StreamStatus;

domain::IndexedAssetFilter where(std::vector<domain::MetadataCondition> conditions) {
    domain::IndexedAssetFilter filter;
    filter.metadata = std::move(conditions);
    return filter;
}

domain::MetadataCondition typed(const std::string& key, domain::MetadataValue value) {
    domain::MetadataCondition condition;
    condition.key = key;
    condition.wanted.emplace<1>(std::move(value));
    return condition;
}

domain::MetadataCondition untyped(const std::string& key, const std::string& text) {
    domain::MetadataCondition condition;
    condition.key = key;
    condition.wanted.emplace<0>(text);
    return condition;
}

TEST_P(StoreConformance, indexed_asset_takes_its_system_metadata_from_the_asset) {
    const auto asset = add_ready_asset(account_, "ü.mp4");
    const auto index = add_index(account_);
    const auto item = add_indexed(index, asset, {{"n", std::int64_t{5}}});
    EXPECT_EQ(take_jobs(JobKind::index_asset), std::vector{item.id.text()});
    reopen();
    const auto read = wait(store().find_indexed_asset(account_, index.id, item.id)).value();
    EXPECT_EQ(read.account_id, account_);
    EXPECT_EQ(read.asset_id, asset.id);
    EXPECT_EQ(read.index_id, index.id);
    EXPECT_EQ(read.status, IndexingStatus::pending);
    EXPECT_EQ(read.created_at, item.created_at);
    EXPECT_FALSE(read.indexed_at);
    EXPECT_EQ(read.system_metadata.filename, "ü.mp4");
    EXPECT_EQ(read.system_metadata.duration_sec, 12.5);
    EXPECT_EQ(read.system_metadata.fps, 25);
    EXPECT_EQ(read.system_metadata.width, 1'280);
    EXPECT_EQ(read.system_metadata.height, 720);
    EXPECT_EQ(read.system_metadata.size_bytes, 1'000'000);
    EXPECT_EQ(read.user_metadata, item.user_metadata);

    const auto page = wait(store().list_indexed_assets(account_, index.id, {}, {})).value();
    ASSERT_EQ(page.items.size(), 1u);
    const auto& listed_item = page.items[0];
    EXPECT_EQ(listed_item.account_id, account_);
    EXPECT_EQ(listed_item.index_id, index.id);
    EXPECT_EQ(listed_item.asset_id, asset.id);
    EXPECT_EQ(listed_item.created_at, item.created_at);
    EXPECT_EQ(listed_item.updated_at, item.updated_at);
    EXPECT_EQ(listed_item.system_metadata.filename, "ü.mp4");
    EXPECT_EQ(listed_item.system_metadata.duration_sec, 12.5);
    EXPECT_EQ(listed_item.system_metadata.width, 1'280);
    EXPECT_EQ(listed_item.system_metadata.size_bytes, 1'000'000);
    EXPECT_TRUE(listed_item.user_metadata.empty());
}

TEST_P(StoreConformance, only_ready_assets_enter_an_index) {
    const auto index = add_index(account_);
    const auto asset = add_asset(account_);
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    item.index_id = index.id;
    item.account_id = account_;
    item.asset_id = asset.id;
    const auto error = error_of(wait(store().insert_indexed_asset(item)));
    EXPECT_EQ(error.code, base::Errc::asset_not_ready);
    EXPECT_EQ(error.value("asset_id"), asset.id.text());
    EXPECT_EQ(error.value("status"), "processing");
    item.asset_id = domain::AssetId::next();
    expect_not_exist(error_of(wait(store().insert_indexed_asset(item))), item.asset_id.text(),
                     "assets");
    item.index_id = domain::IndexId::next();
    expect_not_exist(error_of(wait(store().insert_indexed_asset(item))), item.index_id.text(),
                     "indexes");
    EXPECT_TRUE(listed(index, {}).empty());
    EXPECT_TRUE(take_jobs(JobKind::index_asset).empty());
}

TEST_P(StoreConformance, indexed_asset_is_found_in_its_own_index_only) {
    const auto index = add_index(account_);
    const auto other = add_index(account_, "other");
    const auto item = add_indexed(index, add_ready_asset(account_));
    const auto id = item.id.text();
    expect_not_exist(error_of(wait(store().find_indexed_asset(account_, other.id, item.id))), id,
                     "indexed-assets");
    expect_not_exist(error_of(wait(store().delete_indexed_asset(account_, other.id, item.id))), id,
                     "indexed-assets");
    expect_not_exist(
        error_of(wait(store().change_indexed_asset_metadata(account_, other.id, item.id, {}))), id,
        "indexed-assets");
}

TEST_P(StoreConformance, lists_follow_every_write_at_once_and_after_a_restart) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    const auto first = add_indexed(index, asset, {{"n", std::int64_t{5}}, {"t", true}});
    const auto second = add_indexed(index, asset, {{"n", 5.0}});
    using Ids = std::vector<domain::IndexedAssetId>;
    const auto five = where({typed("n", std::int64_t{5})});
    EXPECT_EQ(listed(index, five), (Ids{second.id, first.id}));
    EXPECT_EQ(listed(index, where({untyped("n", "5"), untyped("t", "true")})), Ids{first.id});

    ASSERT_TRUE(wait(store().change_indexed_asset_metadata(
        account_, index.id, first.id,
        {domain::MetadataMode::merge,
         {{"n", domain::MetadataValue(std::string("5"))}, {"t", std::nullopt}}})));
    EXPECT_EQ(listed(index, five), Ids{second.id});
    EXPECT_EQ(listed(index, where({untyped("n", "5")})), (Ids{second.id, first.id}));
    EXPECT_TRUE(listed(index, where({typed("t", true)})).empty());

    set_ready(second);
    domain::IndexedAssetFilter ready;
    ready.statuses = {IndexingStatus::ready};
    EXPECT_EQ(listed(index, ready), Ids{second.id});
    reopen();
    EXPECT_EQ(listed(index, ready), Ids{second.id});
    EXPECT_EQ(listed(index, where({untyped("n", "5")})), (Ids{second.id, first.id}));
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, second.id)));
    EXPECT_TRUE(listed(index, ready).empty());
    EXPECT_EQ(listed(index, {}), Ids{first.id});
}

TEST_P(StoreConformance, large_integers_are_not_mixed_up) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    constexpr auto kBig = std::int64_t{1} << 53;
    const auto odd = add_indexed(index, asset, {{"n", kBig + 1}});
    add_indexed(index, asset, {{"n", kBig}});
    EXPECT_EQ(listed(index, where({typed("n", kBig + 1)})), std::vector{odd.id});
    EXPECT_EQ(listed(index, where({untyped("n", "9007199254740993")})), std::vector{odd.id});
}

TEST_P(StoreConformance, indexing_moves_on_with_times_streams_and_progress) {
    const auto index = add_index(account_);
    auto item = add_indexed(index, add_ready_asset(account_));
    const auto set = [&](IndexingOutcome outcome) {
        EXPECT_EQ(wait(store().set_indexing(item.id, std::move(outcome))), true);
        return wait(store().find_indexed_asset(account_, index.id, item.id)).value();
    };
    auto read = set({IndexingStatus::indexing, {}, StreamStatus::processing});
    EXPECT_EQ(read.progress, 0);
    EXPECT_EQ(read.stream, StreamStatus::processing);
    EXPECT_TRUE(read.stream_updated_at);
    store().set_progress(item.id, 0.25);
    EXPECT_EQ(wait(store().find_indexed_asset(item.id))->progress, 0.25);
    read = set({IndexingStatus::failed, "no luck", {}});
    EXPECT_EQ(read.progress, 0);
    EXPECT_EQ(read.error_message, "no luck");
    EXPECT_EQ(read.stream, StreamStatus::processing);
    EXPECT_FALSE(read.indexed_at);
    read = set({IndexingStatus::ready, {}, StreamStatus::complete});
    EXPECT_EQ(read.error_message, "");
    EXPECT_TRUE(read.indexed_at);
    EXPECT_GE(read.updated_at, item.updated_at);
    EXPECT_EQ(wait(store().set_indexing(domain::IndexedAssetId::next(), {})), false);
}

TEST_P(StoreConformance, streams_follow_their_asset_where_there_is_one) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    const auto streaming = add_indexed(index, asset);
    const auto silent = add_indexed(index, asset);
    ASSERT_TRUE(wait(
        store().set_indexing(streaming.id, {IndexingStatus::ready, {}, StreamStatus::processing})));
    ASSERT_TRUE(wait(store().set_streams_of_asset(asset.id, StreamStatus::complete)));
    EXPECT_EQ(wait(store().find_indexed_asset(streaming.id))->stream, StreamStatus::complete);
    EXPECT_EQ(wait(store().find_indexed_asset(silent.id))->stream, StreamStatus::none);
}

TEST_P(StoreConformance, references_name_their_index) {
    const auto asset = add_ready_asset(account_);
    const auto films = add_index(account_, "films");
    const auto clips = add_index(account_, "clips");
    const auto first = add_indexed(films, asset);
    const auto second = add_indexed(clips, asset);
    auto page = wait(store().list_references(account_, asset.id, {1, 1})).value();
    EXPECT_EQ(page.total, 2);
    ASSERT_EQ(page.items.size(), 1u);
    EXPECT_EQ(page.items[0].id, second.id);
    EXPECT_EQ(page.items[0].index_id, clips.id);
    EXPECT_EQ(page.items[0].index_name, "clips");
    page = wait(store().list_references(account_, asset.id, {2, 1})).value();
    EXPECT_EQ(page.items.at(0).id, first.id);
}

TEST_P(StoreConformance, deleted_indexed_asset_leaves_a_removal_and_the_asset) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    const auto item = add_indexed(index, asset);
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, item.id)));
    EXPECT_EQ(take_jobs(JobKind::remove_objects), std::vector{"indexed/" + item.id.text() + "/"});
    expect_not_exist(error_of(wait(store().find_indexed_asset(item.id))), item.id.text(),
                     "indexed-assets");
    EXPECT_TRUE(wait(store().find_asset(account_, asset.id)));
}

}  // namespace
}  // namespace kinodex::store::conformance
