// Export and import of rows, and the hold that keeps objects in place.
#include "store/conformance/transfer.h"

namespace kinodex::store::conformance {
namespace {

using domain::JobKind;
using std::chrono::hours;

TEST_P(StoreConformance, exported_rows_come_back_equal_in_another_account) {
    const auto asset = add_ready_asset(account_);
    add_ready_asset(account_);
    add_asset(account_);
    const auto index = add_index(account_);
    set_ready(add_indexed(index, asset, {{"real", 9.0}, {"big", (std::int64_t{1} << 53) + 1}}));
    add_asset(stranger_);
    Lines before(store(), {account_, {}});
    ASSERT_EQ(before.of("assets").size(), 3u);
    ASSERT_EQ(before.of("indexes").size(), 1u);
    ASSERT_EQ(before.of("indexed_assets").size(), 1u);
    EXPECT_EQ(before.of("assets")[0].find(account_.text()), std::string::npos);

    // Ids are taken in this store; a store of its own takes the rows.
    EXPECT_EQ(
        error_of(wait(store().transfer().import_rows("assets", stranger_, before.of("assets"))))
            .code,
        base::Errc::parameter_invalid);
    EXPECT_EQ(wait(store().list_assets(stranger_, {}, {}))->total, 1);
    ASSERT_TRUE(wait(store().delete_index(account_, index.id)));
    for (const auto& line : {asset.id}) {
        ASSERT_TRUE(wait(store().delete_asset(account_, line, DeleteMode::force)));
    }
    const auto there =
        wait(store().transfer().import_rows("assets", account_, before.of("assets")));
    EXPECT_EQ(there->added, 1);
    EXPECT_EQ(there->there_before, 2);
    EXPECT_EQ(
        wait(store().transfer().import_rows("indexes", account_, before.of("indexes")))->added, 1);
    reopen();
    Lines after(store(), {account_, {}});
    EXPECT_EQ(after.of("indexes"), before.of("indexes"));
    EXPECT_EQ(wait(store().usage_of(account_))->storage_bytes, 2'000'000);
}

TEST_P(StoreConformance, lines_that_are_none_add_nothing) {
    Lines before(store(), {account_, {}});
    const auto asset = add_ready_asset(account_);
    const auto line = Lines(store(), {account_, {}}).of("assets")[0];
    ASSERT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::force)));
    auto spoiled = line;
    spoiled.replace(spoiled.find("\"video\""), 7, "\"films\"");
    for (const auto& bad : {std::string("{"), std::string("[]"), std::string("{}"), spoiled,
                            R"({"id":"x"})" + std::string(), "{\"color\":1," + line.substr(1)}) {
        const auto error =
            error_of(wait(store().transfer().import_rows("assets", account_, {line, bad})));
        EXPECT_EQ(error.code, base::Errc::parameter_invalid) << bad;
        EXPECT_FALSE(error.value("reason").empty()) << bad;
        EXPECT_EQ(wait(store().list_assets(account_, {}, {}))->total, 0) << bad;
    }
}

TEST_P(StoreConformance, a_line_of_an_older_program_is_the_same_row) {
    add_ready_asset(account_);
    const auto line = Lines(store(), {account_, {}}).of("assets")[0];
    const auto older = with(line, R"(,"source_url":"")", "");
    Target target(GetParam());
    auto& transfer = target.store().transfer();
    EXPECT_EQ(wait(transfer.import_rows("assets", target.account(), {older}))->added, 1);
    EXPECT_EQ(wait(transfer.import_rows("assets", target.account(), {older}))->there_before, 1);
    EXPECT_EQ(wait(transfer.import_rows("assets", target.account(), {line}))->there_before, 1);
    const auto other = with(older, "clip.mp4", "clap.mp4");
    EXPECT_NE(reason_of(error_of(wait(transfer.import_rows("assets", target.account(), {other}))))
                  .find("other values"),
              std::string::npos);
}

TEST_P(StoreConformance, rows_can_be_tried_without_a_change) {
    const auto index = add_index(account_);
    set_ready(add_indexed(index, add_ready_asset(account_)));
    Lines lines(store(), {account_, {}});
    Target target(GetParam());
    auto& transfer = target.store().transfer();
    const auto tried = [&](const std::string& kind, const std::vector<std::string>& rows) {
        return wait(transfer.check_rows(kind, target.account(), rows));
    };
    // Also without what they belong to, which would be imported first.
    for (const auto& kind : {"indexed_assets", "assets", "indexes"}) {
        EXPECT_EQ(tried(kind, lines.of(kind))->added, 1) << kind;
        EXPECT_EQ(tried(kind, lines.of(kind))->added, 1) << kind;
    }
    EXPECT_TRUE(target.lines() == Lines(target.store(), {domain::AccountId::next(), {}}));
    EXPECT_EQ(wait(target.store().usage_of(target.account()))->storage_bytes, 0);
    reason_of(error_of(tried("assets", {"{"})));

    EXPECT_EQ(target.take(lines).added, 3);
    EXPECT_EQ(tried("indexes", lines.of("indexes"))->there_before, 1);
    const auto other_id =
        with(lines.of("indexes")[0], index.id.text(), domain::IndexId::next().text());
    EXPECT_NE(reason_of(error_of(tried("indexes", {other_id}))).find("name is taken"),
              std::string::npos);
    EXPECT_TRUE(target.lines() == lines);
}

TEST_P(StoreConformance, rows_are_of_what_the_account_has) {
    const auto index = add_index(account_);
    const auto item = add_indexed(index, add_ready_asset(account_));
    Lines lines(store(), {account_, {}});
    Target target(GetParam());
    auto& transfer = target.store().transfer();
    const auto refusal = [&](domain::AccountId account) {
        return reason_of(error_of(
            wait(transfer.import_rows("indexed_assets", account, lines.of("indexed_assets")))));
    };
    EXPECT_NE(refusal(target.account()).find(index.id.text()), std::string::npos);
    EXPECT_TRUE(wait(transfer.import_rows("indexes", stranger_, lines.of("indexes"))));
    EXPECT_NE(refusal(target.account()).find("`index_id`"), std::string::npos);
    // An asset may be gone from under its indexed assets, but it may not be somebody else's.
    EXPECT_TRUE(wait(transfer.import_rows("assets", target.account(), lines.of("assets"))));
    EXPECT_NE(refusal(stranger_).find("`asset_id`"), std::string::npos);
    EXPECT_TRUE(
        wait(target.store().delete_asset(target.account(), item.asset_id, DeleteMode::force)));
    EXPECT_EQ(
        wait(transfer.import_rows("indexed_assets", stranger_, lines.of("indexed_assets")))->added,
        1);
}

TEST_P(StoreConformance, what_is_not_finished_gets_its_jobs) {
    const auto asset = add_ready_asset(account_);
    ASSERT_TRUE(
        wait(store().set_asset_part(asset.id, AssetPart::hls, domain::DerivedStatus::processing)));
    const auto raw = add_asset(account_);
    const auto item = add_indexed(add_index(account_), asset);
    take_jobs(JobKind::index_asset);
    ASSERT_TRUE(wait(store().transfer().queue_unfinished(account_)));
    ASSERT_TRUE(wait(store().transfer().queue_unfinished(account_)));  // each once
    EXPECT_EQ(take_jobs(JobKind::ingest_asset), std::vector{raw.id.text()});
    EXPECT_EQ(take_jobs(JobKind::make_rendition), std::vector{asset.id.text()});
    EXPECT_EQ(take_jobs(JobKind::index_asset), std::vector{item.id.text()});
    EXPECT_TRUE(take_jobs(JobKind::make_thumbnail).empty());
    ASSERT_TRUE(wait(store().transfer().queue_unfinished(stranger_)));
    EXPECT_TRUE(take_jobs(JobKind::ingest_asset).empty());
}

TEST_P(StoreConformance, held_objects_are_not_removed_until_everybody_lets_go) {
    auto& transfer = store().transfer();
    const auto asset = add_asset(account_);
    ASSERT_TRUE(wait(store().delete_asset(account_, asset.id, DeleteMode::force)));
    ASSERT_TRUE(wait(transfer.hold_objects(1, base::now() + hours(1))));
    ASSERT_TRUE(wait(transfer.hold_objects(2, base::now() + hours(1))));
    ASSERT_TRUE(wait(transfer.hold_objects(3, base::now() - hours(1))));  // was killed long ago
    EXPECT_TRUE(take_jobs(JobKind::remove_objects).empty());
    ASSERT_TRUE(wait(transfer.release_objects(1)));
    EXPECT_EQ(wait(transfer.objects_are_held()), true);
    EXPECT_TRUE(take_jobs(JobKind::remove_objects).empty());
    reopen();
    ASSERT_TRUE(wait(store().transfer().release_objects(2)));
    EXPECT_EQ(wait(store().transfer().objects_are_held()), false);
    EXPECT_EQ(wait(store().transfer().objects_are_removed()), false);
    auto job = wait(store().lease_job({JobKind::remove_objects}, "w", base::now() + hours(1)));
    ASSERT_TRUE(job && *job);
    EXPECT_EQ(wait(store().transfer().objects_are_removed()), true);
}

TEST_P(StoreConformance, ready_assets_of_all_accounts_are_listed_with_their_sizes) {
    const auto mine = add_ready_asset(account_);
    add_asset(account_);
    const auto theirs = add_ready_asset(stranger_);
    std::vector<domain::AssetId> found;
    std::int64_t after = 0;
    while (true) {
        const auto page = wait(store().transfer().ready_sources(after, 1)).value();
        if (page.sources.empty()) {
            break;
        }
        ASSERT_EQ(page.sources.size(), 1u);
        EXPECT_EQ(page.sources[0].size_bytes, 1'000'000);
        found.push_back(page.sources[0].asset);
        after = page.last;
    }
    EXPECT_EQ(found, (std::vector{mine.id, theirs.id}));
}

TEST_P(StoreConformance, accounts_are_found_by_name) {
    auto& transfer = store().transfer();
    EXPECT_EQ(error_of(wait(transfer.find_account("films"))).code, base::Errc::resource_not_exist);
    const auto made = wait(transfer.make_account("films")).value();
    EXPECT_EQ(wait(transfer.make_account("films")), made);
    EXPECT_EQ(wait(transfer.find_account("films")), made);
}

}  // namespace
}  // namespace kinodex::store::conformance
