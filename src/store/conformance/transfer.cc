// Export and import of rows, and the hold that keeps objects in place.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::JobKind;
using std::chrono::hours;

class Lines {
  public:
    Lines(Store& store, ExportScope scope) {
        for (const auto& kind : store.transfer().row_kinds()) {
            std::int64_t after = 0;
            while (true) {
                auto rows = wait(store.transfer().export_rows(kind, scope, after, 2)).value();
                if (rows.lines.empty()) {
                    break;
                }
                after = rows.last;
                auto& lines = by_kind_[kind];
                lines.insert(lines.end(), rows.lines.begin(), rows.lines.end());
            }
        }
    }
    const std::vector<std::string>& of(const std::string& kind) { return by_kind_[kind]; }

  private:
    std::map<std::string, std::vector<std::string>> by_kind_;
};

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

TEST_P(StoreConformance, what_is_not_finished_gets_its_jobs) {
    const auto asset = add_ready_asset(account_);
    ASSERT_TRUE(
        wait(store().set_asset_part(asset.id, AssetPart::hls, domain::DerivedStatus::processing)));
    const auto raw = add_asset(account_);
    const auto item = add_indexed(add_index(account_), asset);
    take_jobs(JobKind::index_asset);
    ASSERT_TRUE(wait(store().transfer().queue_unfinished(account_)));
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

TEST_P(StoreConformance, accounts_are_found_by_name) {
    auto& transfer = store().transfer();
    EXPECT_EQ(error_of(wait(transfer.find_account("films"))).code, base::Errc::resource_not_exist);
    const auto made = wait(transfer.make_account("films")).value();
    EXPECT_EQ(wait(transfer.make_account("films")), made);
    EXPECT_EQ(wait(transfer.find_account("films")), made);
}

}  // namespace
}  // namespace kinodex::store::conformance
