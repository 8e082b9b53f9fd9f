// Indexes: names, counters, filters and sorts, and deletes that take the indexed assets along.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::JobKind;

std::vector<std::string> index_names(const domain::Paged<domain::Index>& page) {
    std::vector<std::string> all;
    for (const auto& index : page.items) {
        all.push_back(index.index_name);
    }
    return all;
}

TEST_P(StoreConformance, index_keeps_every_field_over_a_restart) {
    domain::Index index;
    index.id = domain::IndexId::next();
    index.account_id = account_;
    index.index_name = "Füße \"x\"";
    index.models = {{"marengo3.0", {"visual"}}, {"pegasus1.2", {"visual", "audio"}}};
    index.addons = {"thumbnail"};
    index.created_at = base::now();
    index.updated_at = index.created_at + std::chrono::milliseconds(7);
    ASSERT_TRUE(wait(store().insert_index(index)));
    reopen();
    const auto read = wait(store().find_index(account_, index.id)).value();
    EXPECT_EQ(read.id, index.id);
    EXPECT_EQ(read.account_id, account_);
    EXPECT_EQ(read.index_name, index.index_name);
    ASSERT_EQ(read.models.size(), 2u);
    EXPECT_EQ(read.models[1].model_name, "pegasus1.2");
    EXPECT_EQ(read.models[1].model_options, (std::vector<std::string>{"visual", "audio"}));
    EXPECT_EQ(read.addons, index.addons);
    EXPECT_EQ(read.created_at, index.created_at);
    EXPECT_EQ(read.updated_at, index.updated_at);
    EXPECT_EQ(read.video_count, 0);
    EXPECT_EQ(read.total_duration_sec, 0);
}

TEST_P(StoreConformance, stranger_sees_no_index) {
    const auto index = add_index(account_);
    const auto item = add_indexed(index, add_ready_asset(account_));
    const auto id = index.id.text();
    expect_not_exist(error_of(wait(store().find_index(stranger_, index.id))), id, "indexes");
    expect_not_exist(error_of(wait(store().rename_index(stranger_, index.id, "x"))), id, "indexes");
    expect_not_exist(error_of(wait(store().delete_index(stranger_, index.id))), id, "indexes");
    expect_not_exist(error_of(wait(store().list_indexed_assets(stranger_, index.id, {}, {}))), id,
                     "indexes");
    expect_not_exist(error_of(wait(store().find_indexed_asset(stranger_, index.id, item.id))), id,
                     "indexes");
    EXPECT_EQ(wait(store().list_indexes(stranger_, {}, {}))->total, 0);
}

TEST_P(StoreConformance, index_name_is_unique_in_its_account) {
    const auto films = add_index(account_, "films");
    add_index(stranger_, "films");
    auto again = films;
    again.id = domain::IndexId::next();
    const auto error = error_of(wait(store().insert_index(again)));
    EXPECT_EQ(error.code, base::Errc::index_name_already_exists);
    EXPECT_EQ(error.value("index_name"), "films");

    const auto clips = add_index(account_, "clips");
    EXPECT_EQ(error_of(wait(store().rename_index(account_, clips.id, "films"))).code,
              base::Errc::index_name_already_exists);
    EXPECT_TRUE(wait(store().rename_index(account_, films.id, "films")));  // its own name
    EXPECT_TRUE(wait(store().rename_index(account_, films.id, "movies")));
    EXPECT_TRUE(wait(store().rename_index(account_, clips.id, "films")));
    const auto read = wait(store().find_index(account_, films.id)).value();
    EXPECT_EQ(read.index_name, "movies");
    EXPECT_GE(read.updated_at, films.updated_at);
}

TEST_P(StoreConformance, two_inserts_of_one_name_meet_in_a_batch) {
    std::vector<Asked<void>> calls;
    for (int i = 0; i < 2; ++i) {
        domain::Index index;
        index.id = domain::IndexId::next();
        index.account_id = account_;
        index.index_name = "films";
        calls.push_back(store().insert_index(index));
    }
    const auto outcomes = wait_all(std::move(calls));
    EXPECT_NE(outcomes[0].has_value(), outcomes[1].has_value());
}

TEST_P(StoreConformance, counters_follow_ready_indexed_assets) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    const auto first = add_indexed(index, asset);
    const auto second = add_indexed(index, asset);
    const auto expect = [&](std::int64_t count, double duration_sec) {
        const auto read = wait(store().find_index(account_, index.id)).value();
        EXPECT_EQ(read.video_count, count);
        EXPECT_EQ(read.total_duration_sec, duration_sec);
    };
    expect(0, 0);
    set_ready(first);
    set_ready(first);  // a job that ran twice counts once
    expect(1, 12.5);
    set_ready(second);
    expect(2, 25);
    EXPECT_EQ(wait(store().set_indexing(second.id, {domain::IndexingStatus::failed, "x", {}})),
              true);
    expect(1, 12.5);
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, second.id)));
    expect(1, 12.5);
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, first.id)));
    expect(0, 0);
}

TEST_P(StoreConformance, deleted_index_takes_its_indexed_assets_along) {
    const auto index = add_index(account_);
    const auto kept = add_index(account_, "kept");
    const auto asset = add_ready_asset(account_);
    const auto first = add_indexed(index, asset);
    const auto second = add_indexed(index, asset);
    const auto other = add_indexed(kept, asset);
    ASSERT_TRUE(wait(store().delete_index(account_, index.id)));
    expect_not_exist(error_of(wait(store().find_index(account_, index.id))), index.id.text(),
                     "indexes");
    expect_not_exist(error_of(wait(store().list_indexed_assets(account_, index.id, {}, {}))),
                     index.id.text(), "indexes");
    EXPECT_FALSE(wait(store().find_indexed_asset(first.id)));
    EXPECT_EQ(wait(store().set_indexing(first.id, {})), false);
    EXPECT_EQ(wait(store().list_references(account_, asset.id, {}))->total, 1);
    EXPECT_EQ(listed(kept, {}), std::vector{other.id});
    EXPECT_TRUE(wait(store().find_asset(account_, asset.id)));
    const auto removals = take_jobs(JobKind::remove_objects);
    EXPECT_EQ(removals, (std::vector{"indexed/" + first.id.text() + "/",
                                     "indexed/" + second.id.text() + "/"}));
    add_index(account_, "films");  // the name is free again
}

TEST_P(StoreConformance, large_index_is_gone_at_once_and_its_objects_in_time) {
    const auto index = add_index(account_);
    const auto asset = add_ready_asset(account_);
    constexpr int kItems = 700;
    std::vector<Asked<void>> calls;
    domain::IndexedAsset last;
    for (int i = 0; i < kItems; ++i) {
        last.id = domain::IndexedAssetId::next();
        last.index_id = index.id;
        last.account_id = account_;
        last.asset_id = asset.id;
        calls.push_back(store().insert_indexed_asset(last));
    }
    for (const auto& outcome : wait_all(std::move(calls))) {
        ASSERT_TRUE(outcome);
    }
    ASSERT_TRUE(wait(store().delete_index(account_, index.id)));
    EXPECT_FALSE(wait(store().find_indexed_asset(last.id)));
    EXPECT_EQ(wait(store().set_indexing(last.id, {})), false);
    EXPECT_EQ(wait(store().list_references(account_, asset.id, {}))->total, 0);
    EXPECT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::refuse_when_referenced)));
    reopen();  // in the middle of it, or not
    std::size_t removals = 0;
    while (removals < kItems + 1) {  // and the asset's own
        removals += take_jobs(JobKind::remove_objects).size();
    }
    EXPECT_EQ(removals, kItems + 1u);
    EXPECT_EQ(wait(store().indexed_assets_exist({last.id})), std::vector{false});
}

TEST_P(StoreConformance, index_filters_and_sorts) {
    const auto add = [&](const std::string& name, std::vector<domain::IndexModel> models, int ms) {
        domain::Index index;
        index.id = domain::IndexId::next();
        index.account_id = account_;
        index.index_name = name;
        index.models = std::move(models);
        index.created_at = base::Timestamp(std::chrono::milliseconds(ms));
        index.updated_at = base::Timestamp(std::chrono::milliseconds(1'000 - ms));
        ASSERT_TRUE(wait(store().insert_index(index)));
    };
    add("a", {{"marengo3.0", {"visual"}}}, 1);
    add("b", {{"pegasus1.2", {"audio"}}}, 2);
    add("c", {{"marengo3.0", {"visual"}}, {"pegasus1.2", {"audio"}}}, 3);
    const auto found = [&](const domain::IndexFilter& filter) {
        const auto page = wait(store().list_indexes(account_, filter, {})).value();
        EXPECT_EQ(page.total, static_cast<std::int64_t>(page.items.size()));
        return index_names(page);
    };
    using Names = std::vector<std::string>;
    domain::IndexFilter filter;
    EXPECT_EQ(found(filter), (Names{"c", "b", "a"}));
    filter.order = domain::SortOrder::asc;
    EXPECT_EQ(found(filter), (Names{"a", "b", "c"}));
    filter.sort_by = domain::SortBy::updated_at;
    EXPECT_EQ(found(filter), (Names{"c", "b", "a"}));
    filter = {};
    filter.index_name = "b";
    EXPECT_EQ(found(filter), (Names{"b"}));
    filter = {};
    filter.model_options = {"visual", "audio"};
    EXPECT_EQ(found(filter), (Names{"c"}));
    filter.model_options = {"smell"};
    EXPECT_EQ(found(filter), (Names{}));
    filter = {};
    filter.model_family = domain::ModelFamily::pegasus;
    EXPECT_EQ(found(filter), (Names{"c", "b"}));
    filter = {};
    filter.created_from = base::Timestamp(std::chrono::milliseconds(2));
    EXPECT_EQ(found(filter), (Names{"c", "b"}));
    filter.updated_from = base::Timestamp(std::chrono::milliseconds(998));
    EXPECT_EQ(found(filter), (Names{"b"}));
    const auto page = wait(store().list_indexes(account_, {}, {2, 2})).value();
    EXPECT_EQ(page.total, 3);
    EXPECT_EQ(index_names(page), (Names{"a"}));
}

}  // namespace
}  // namespace kinodex::store::conformance
