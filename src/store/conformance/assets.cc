// Assets: isolation, state, metadata, lists and deletes.
#include <algorithm>

#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::AssetStatus;
using domain::AssetType;
using domain::JobKind;

domain::MetadataChange set_key(const std::string& key, domain::MetadataValue value) {
    return {domain::MetadataMode::merge, {{key, std::move(value)}}};
}

std::vector<std::string> names(const domain::Paged<domain::Asset>& page) {
    std::vector<std::string> all;
    for (const auto& asset : page.items) {
        all.push_back(asset.filename);
    }
    return all;
}

TEST_P(StoreConformance, asset_keeps_every_field_over_a_restart) {
    domain::Asset asset;
    asset.id = domain::AssetId::next();
    asset.account_id = account_;
    asset.status = AssetStatus::ready;
    asset.method = domain::AssetMethod::multipart;
    asset.type = AssetType::video;
    asset.filename = "Füße \xF0\x9F\x8E\xAC.mp4";
    asset.file_type = "video/mp4";
    asset.created_at = base::now();
    asset.size_bytes = std::int64_t{1} << 40;
    asset.duration_sec = 0.1;
    asset.fps = 30000.0 / 1001;
    asset.width = 1'080;
    asset.height = 1'920;
    asset.hls = domain::DerivedStatus::ready;
    asset.thumbnail = domain::DerivedStatus::error;
    asset.technical_metadata = R"({"streams":[]})";
    asset.source_url = "https://example.org/f%C3%BCr%20uns.mp4?a=b";
    asset.user_metadata = {{"five", std::int64_t{5}},
                           {"big", (std::int64_t{1} << 53) + 1},
                           {"real", 9.3},
                           {"yes", true},
                           {"text", std::string("ü\"\\\n")}};
    ASSERT_TRUE(wait(store().insert_asset(asset, {})));
    reopen();
    const auto read = wait(store().find_asset(account_, asset.id)).value();
    EXPECT_EQ(read.id, asset.id);
    EXPECT_EQ(read.account_id, account_);
    EXPECT_EQ(read.status, asset.status);
    EXPECT_EQ(read.method, asset.method);
    EXPECT_EQ(read.type, asset.type);
    EXPECT_EQ(read.filename, asset.filename);
    EXPECT_EQ(read.file_type, asset.file_type);
    EXPECT_EQ(read.source_url, asset.source_url);
    EXPECT_EQ(read.created_at, asset.created_at);
    EXPECT_EQ(read.size_bytes, asset.size_bytes);
    EXPECT_EQ(read.duration_sec, asset.duration_sec);
    EXPECT_EQ(read.fps, asset.fps);
    EXPECT_EQ(read.width, asset.width);
    EXPECT_EQ(read.height, asset.height);
    EXPECT_EQ(read.hls, asset.hls);
    EXPECT_EQ(read.thumbnail, asset.thumbnail);
    EXPECT_EQ(read.technical_metadata, asset.technical_metadata);
    EXPECT_EQ(read.user_metadata, asset.user_metadata);
}

TEST_P(StoreConformance, absent_values_of_an_asset_stay_absent) {
    const auto asset = add_asset(account_);
    const auto read = wait(store().find_asset(asset.id)).value();
    EXPECT_FALSE(read.size_bytes || read.duration_sec || read.fps || read.width || read.height);
    EXPECT_TRUE(read.user_metadata.empty());
}

TEST_P(StoreConformance, stranger_sees_no_asset) {
    const auto asset = add_ready_asset(account_);
    const auto id = asset.id.text();
    expect_not_exist(error_of(wait(store().find_asset(stranger_, asset.id))), id, "assets");
    expect_not_exist(
        error_of(wait(store().change_asset_metadata(stranger_, asset.id, set_key("a", true)))), id,
        "assets");
    expect_not_exist(error_of(wait(store().delete_asset(stranger_, asset.id, DeleteMode::force))),
                     id, "assets");
    expect_not_exist(error_of(wait(store().list_references(stranger_, asset.id, {}))), id,
                     "assets");
    EXPECT_EQ(wait(store().list_assets(stranger_, {}, {}))->total, 0);
    domain::AssetFilter by_id;
    by_id.ids = {asset.id};
    EXPECT_EQ(wait(store().list_assets(stranger_, by_id, {}))->total, 0);
    const auto index = add_index(stranger_);
    domain::IndexedAsset item;
    item.id = domain::IndexedAssetId::next();
    item.index_id = index.id;
    item.account_id = stranger_;
    item.asset_id = asset.id;
    expect_not_exist(error_of(wait(store().insert_indexed_asset(item))), id, "assets");
    EXPECT_TRUE(wait(store().find_asset(account_, asset.id))->user_metadata.empty());
}

TEST_P(StoreConformance, jobs_come_with_the_asset_or_not_at_all) {
    const auto asset = add_asset(account_);
    // The same id again: the row is refused, and so is its job.
    EXPECT_FALSE(wait(store().insert_asset(asset, {{JobKind::ingest_asset, "again"}})));
    EXPECT_EQ(take_jobs(JobKind::ingest_asset), std::vector<std::string>{});
}

TEST_P(StoreConformance, ingest_finishes_once) {
    const auto asset = add_asset(account_);
    IngestOutcome outcome;
    outcome.status = AssetStatus::failed;
    outcome.error_message = "broken";
    const std::vector<domain::NewJob> jobs{{JobKind::make_thumbnail, asset.id.text()}};
    EXPECT_EQ(wait(store().finish_ingest(asset.id, outcome, jobs)), true);
    EXPECT_EQ(wait(store().finish_ingest(asset.id, IngestOutcome{}, jobs)), false);
    EXPECT_EQ(wait(store().finish_ingest(domain::AssetId::next(), outcome, jobs)), false);
    const auto read = wait(store().find_asset(account_, asset.id)).value();
    EXPECT_EQ(read.status, AssetStatus::failed);
    EXPECT_EQ(read.error_message, "broken");
    EXPECT_EQ(take_jobs(JobKind::make_thumbnail), std::vector{asset.id.text()});
    EXPECT_EQ(take_jobs(JobKind::remove_objects), std::vector{"assets/" + asset.id.text() + "/"})
        << "a failed asset keeps its row alone";
}

TEST_P(StoreConformance, parts_of_an_asset_change_apart) {
    const auto asset = add_asset(account_);
    using domain::DerivedStatus;
    EXPECT_EQ(wait(store().set_asset_part(asset.id, AssetPart::hls, DerivedStatus::ready)), true);
    EXPECT_EQ(wait(store().set_asset_part(asset.id, AssetPart::thumbnail, DerivedStatus::error)),
              true);
    EXPECT_EQ(
        wait(store().set_asset_part(domain::AssetId::next(), AssetPart::hls, DerivedStatus::ready)),
        false);
    const auto read = wait(store().find_asset(asset.id)).value();
    EXPECT_EQ(read.hls, DerivedStatus::ready);
    EXPECT_EQ(read.thumbnail, DerivedStatus::error);
}

TEST_P(StoreConformance, failing_neighbours_disturb_nobody) {
    const auto asset = add_asset(account_);
    std::vector<Asked<void>> calls;
    for (int i = 0; i < 60; ++i) {
        const auto id = i % 3 == 0 ? domain::AssetId::next() : asset.id;
        calls.push_back(store().change_asset_metadata(
            account_, id, set_key("k" + std::to_string(i), std::int64_t{i})));
    }
    const auto outcomes = wait_all(std::move(calls));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        EXPECT_EQ(outcomes[i].has_value(), i % 3 != 0) << i;
    }
    reopen();
    EXPECT_EQ(wait(store().find_asset(account_, asset.id))->user_metadata.size(), 40u);
}

TEST_P(StoreConformance, metadata_past_its_bounds_changes_nothing) {
    const auto asset = add_asset(account_);
    domain::MetadataChange change;
    for (std::size_t i = 0; i <= domain::kMetadataKeysMax; ++i) {
        change.entries.emplace_back("k" + std::to_string(i), domain::MetadataValue(true));
    }
    const auto error = error_of(wait(store().change_asset_metadata(account_, asset.id, change)));
    EXPECT_EQ(error.code, base::Errc::parameter_invalid);
    EXPECT_TRUE(wait(store().find_asset(account_, asset.id))->user_metadata.empty());
}

TEST_P(StoreConformance, referenced_asset_goes_only_by_force) {
    const auto asset = add_ready_asset(account_);
    const auto index = add_index(account_);
    const auto first = add_indexed(index, asset);
    const auto second = add_indexed(index, asset);
    const auto error = error_of(
        wait(store().delete_asset(account_, asset.id, DeleteMode::refuse_when_referenced)));
    EXPECT_EQ(error.code, base::Errc::asset_in_use);
    EXPECT_EQ(error.value("asset_id"), asset.id.text());
    EXPECT_EQ(error.value("references"), "2");
    EXPECT_TRUE(take_jobs(JobKind::remove_objects).empty());

    EXPECT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::force)));
    EXPECT_EQ(take_jobs(JobKind::remove_objects), std::vector{"assets/" + asset.id.text() + "/"});
    expect_not_exist(error_of(wait(store().find_asset(account_, asset.id))), asset.id.text(),
                     "assets");
    expect_not_exist(error_of(wait(store().list_references(account_, asset.id, {}))),
                     asset.id.text(), "assets");
    const auto left = wait(store().find_indexed_asset(account_, index.id, first.id)).value();
    EXPECT_EQ(left.asset_id, asset.id);
    EXPECT_EQ(left.stream, domain::StreamStatus::none);
    EXPECT_EQ(listed(index, {}), (std::vector{second.id, first.id}));
}

TEST_P(StoreConformance, last_reference_gone_frees_the_asset) {
    const auto asset = add_ready_asset(account_);
    const auto index = add_index(account_);
    const auto item = add_indexed(index, asset);
    EXPECT_TRUE(wait(store().delete_indexed_asset(account_, index.id, item.id)));
    EXPECT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::refuse_when_referenced)));
}

TEST_P(StoreConformance, assets_list_newest_first_with_exact_totals) {
    std::vector<std::string> expected;
    for (int i = 0; i < 25; ++i) {
        expected.push_back("f" + std::to_string(i));
        add_asset(account_, expected.back());
    }
    add_asset(stranger_, "not ours");
    std::ranges::reverse(expected);
    std::vector<std::string> found;
    for (std::int64_t page = 1; page <= 4; ++page) {
        const auto answer = wait(store().list_assets(account_, {}, {page, 10})).value();
        EXPECT_EQ(answer.total, 25);
        std::ranges::move(names(answer), std::back_inserter(found));
    }
    EXPECT_EQ(found, expected);
}

TEST_P(StoreConformance, equal_times_are_ordered_by_id) {
    std::vector<domain::AssetId> ids;
    for (int i = 0; i < 5; ++i) {
        domain::Asset asset;
        asset.id = domain::AssetId::next();
        asset.account_id = account_;
        asset.created_at = base::Timestamp(std::chrono::milliseconds(1'000));
        ASSERT_TRUE(wait(store().insert_asset(asset, {})));
        ids.insert(ids.begin(), asset.id);
    }
    std::vector<domain::AssetId> found;
    for (const auto& asset : wait(store().list_assets(account_, {}, {}))->items) {
        found.push_back(asset.id);
    }
    EXPECT_EQ(found, ids);
}

TEST_P(StoreConformance, asset_filters_hold_together) {
    add_asset(account_, "Holiday ÄÖÜ.mp4");
    const auto ready = add_ready_asset(account_, "holiday 2.MOV");
    add_ready_asset(account_, "work.mp4");
    const auto total = [&](domain::AssetFilter filter) {
        const auto answer = wait(store().list_assets(account_, std::move(filter), {})).value();
        EXPECT_EQ(answer.total, static_cast<std::int64_t>(answer.items.size()));
        return answer.total;
    };
    const auto unknown_id = domain::AssetId::next();
    EXPECT_EQ(total({{}, {}, "HOLI"}), 2);
    EXPECT_EQ(total({{}, {}, "äöü"}), 1);
    EXPECT_EQ(total({{}, {}, "%"}), 0);
    EXPECT_EQ(total({{}, {AssetType::video}, ""}), 2);
    EXPECT_EQ(total({{}, {AssetType::video, AssetType::unknown, AssetType::video}, ""}), 3);
    EXPECT_EQ(total({{}, {AssetType::image}, ""}), 0);
    EXPECT_EQ(total({{}, {AssetType::video, AssetType::image}, "holi"}), 1);
    EXPECT_EQ(total({{ready.id, unknown_id, ready.id}, {}, ""}), 1);
    EXPECT_EQ(total({{ready.id}, {AssetType::video}, "holi"}), 1);
    EXPECT_EQ(total({{ready.id}, {AssetType::audio}, ""}), 0);
    EXPECT_EQ(total({{ready.id}, {}, "work"}), 0);
}

TEST_P(StoreConformance, totals_follow_deletes_and_types) {
    const auto asset = add_ready_asset(account_);
    add_asset(account_);
    const auto total = [&](std::vector<AssetType> types) {
        return wait(store().list_assets(account_, {{}, std::move(types), ""}, {}))->total;
    };
    EXPECT_EQ(total({AssetType::video}), 1);
    EXPECT_EQ(total({AssetType::unknown}), 1);
    ASSERT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::force)));
    EXPECT_EQ(total({AssetType::video}), 0);
    EXPECT_EQ(total({}), 1);
}

TEST_P(StoreConformance, existence_is_told_for_each_id) {
    const auto asset = add_ready_asset(account_);
    const auto index = add_index(account_);
    const auto item = add_indexed(index, asset);
    EXPECT_EQ(wait(store().assets_exist({domain::AssetId::next(), asset.id})),
              (std::vector{false, true}));
    EXPECT_EQ(wait(store().indexed_assets_exist({item.id, domain::IndexedAssetId::next()})),
              (std::vector{true, false}));
    EXPECT_TRUE(wait(store().ping()));
}

}  // namespace
}  // namespace kinodex::store::conformance
