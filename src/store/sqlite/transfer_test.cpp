// What an export makes of a state that only this adapter has for a while: an index is gone, and the
// rows of what was in it are not all deleted yet.
#include <gtest/gtest.h>

#include "store/conformance/conformance.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/temp_dir.h"

namespace kinodex::store::sqlite {
namespace {

using conformance::wait;

const domain::AccountId kAccount = domain::AccountId::next();

std::unique_ptr<Store> open_at(const std::string& path) {
    auto store = open_sqlite_store({path});
    EXPECT_TRUE(store) << (store ? "" : store.error().detail);
    return store ? std::move(*store) : nullptr;
}

/// A task whose asset is still `processing`, in an index of its own.
NewTask add_task(Store& store) {
    domain::Index index;
    index.id = domain::IndexId::next();
    index.account_id = kAccount;
    index.index_name = "films";
    EXPECT_TRUE(wait(store.insert_index(index)));
    domain::Asset asset;
    asset.id = domain::AssetId::next();
    asset.account_id = kAccount;
    NewTask made;
    made.task.id = domain::TaskId::next();
    made.task.account_id = kAccount;
    made.task.index_id = index.id;
    made.task.asset_id = asset.id;
    made.task.video_id = domain::IndexedAssetId::next();
    made.video.id = made.task.video_id;
    made.video.index_id = index.id;
    made.video.account_id = kAccount;
    EXPECT_TRUE(wait(store.tasks().insert_task(made, asset, {})));
    return made;
}

TEST(SqliteTransfer, a_task_in_work_in_an_index_that_is_gone_is_exported_as_failed) {
    const TempDir directory;
    const auto path = directory.path() / "kinodex.db";
    auto store = open_at(path);
    ASSERT_TRUE(store);
    add_task(*store);
    const auto lines = [&](const std::string& kind) {
        return wait(store->transfer().export_rows(kind, {kAccount, {}}, 0, 10)).value().lines;
    };
    EXPECT_NE(lines("tasks").at(0).find(R"("status":"validating")"), std::string::npos);
    store->close();
    {
        // What deleting the index leaves for the commits after the first.
        auto connection = Connection::open(path, Connection::Mode::write);
        ASSERT_TRUE(connection && (*connection)->run("DELETE FROM indexes"));
    }
    store = open_at(path);
    ASSERT_TRUE(store);
    EXPECT_TRUE(lines("indexed_assets").empty());
    ASSERT_EQ(lines("tasks").size(), 1U);
    EXPECT_NE(lines("tasks")[0].find(R"("status":"failed")"), std::string::npos);

    auto target = open_at(directory.path() / "target.db");
    ASSERT_TRUE(target);
    for (int round = 0; round < 2; ++round) {
        const auto counts = wait(target->transfer().import_rows("tasks", kAccount, lines("tasks")));
        ASSERT_TRUE(counts);
        EXPECT_EQ(counts->there_before, round);
    }
    store->close();
    target->close();
}

}  // namespace
}  // namespace kinodex::store::sqlite
