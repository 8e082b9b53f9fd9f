// Tasks in exports: in every state, those in work go on, and they outlive what they made.
#include <algorithm>

#include "store/conformance/tasks.h"
#include "store/conformance/transfer.h"

namespace kinodex::store::conformance {
namespace {

using domain::IndexingStatus;
using domain::JobKind;
using domain::TaskStatus;

TEST_P(TaskConformance, exported_tasks_come_back_and_go_on) {
    const auto index = add_index(account_);
    const auto other = add_index(account_, "other");
    const auto file = add_waiting(index, "file.mp4");
    const auto url = add_waiting(index, "url.mp4", domain::AssetMethod::url);
    const auto running = add_task(index, "running.mp4");
    const auto ready = add_task(index, "ready.mp4");
    const auto failed = add_waiting(index, "failed.mp4");
    const auto without = add_task(index, "without.mp4");
    const auto elsewhere = add_task(other, "elsewhere.mp4");
    set_indexing(running, IndexingStatus::indexing);
    set_indexing(ready, IndexingStatus::ready);
    finish(failed, domain::AssetStatus::failed);
    set_indexing(without, IndexingStatus::ready);
    set_indexing(elsewhere, IndexingStatus::ready);
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, without.video_id)));
    const auto of_index = Lines(store(), {account_, index.id}).of("tasks");
    EXPECT_EQ(of_index.size(), 6u);
    EXPECT_TRUE(std::ranges::none_of(of_index, [](const std::string& line) {
        return line.find("elsewhere") != std::string::npos;
    }));
    ASSERT_TRUE(wait(store().delete_index(account_, other.id)));

    Lines lines(store(), {account_, {}});
    ASSERT_EQ(lines.of("tasks").size(), 7u);
    Target target(GetParam());
    const auto taken = target.take(lines);
    EXPECT_TRUE(target.lines() == lines);
    EXPECT_EQ(target.take(lines).there_before, taken.added);
    auto& there = target.store().tasks();
    const auto status = [&](const domain::Task& task) {
        return wait(there.find_task(target.account(), task.id)).value().status;
    };
    for (const auto& [task, expected] :
         std::vector<std::pair<domain::Task, TaskStatus>>{{file, TaskStatus::validating},
                                                          {url, TaskStatus::uploading},
                                                          {running, TaskStatus::indexing},
                                                          {ready, TaskStatus::ready},
                                                          {failed, TaskStatus::failed},
                                                          {without, TaskStatus::ready},
                                                          {elsewhere, TaskStatus::ready}}) {
        EXPECT_EQ(status(task), expected) << task.filename;
        const auto read = wait(there.find_task(target.account(), task.id)).value();
        EXPECT_EQ(read.updated_at, found(task).updated_at);
        EXPECT_EQ(read.duration_sec, found(task).duration_sec);
    }

    // What waits for its asset is not indexed before that is there.
    ASSERT_TRUE(wait(target.store().transfer().queue_unfinished(target.account())));
    EXPECT_EQ(target.jobs(JobKind::ingest_asset), Texts{file.asset_id.text()});
    EXPECT_EQ(target.jobs(JobKind::fetch_url), Texts{url.asset_id.text()});
    EXPECT_EQ(target.jobs(JobKind::index_asset), Texts{running.video_id.text()});
    IngestOutcome outcome;
    outcome.type = domain::AssetType::video;
    outcome.duration_sec = 61.5;
    EXPECT_EQ(wait(target.store().finish_ingest(file.asset_id, outcome, {})), true);
    EXPECT_EQ(target.jobs(JobKind::index_asset), Texts{file.video_id.text()});
    EXPECT_EQ(status(file), TaskStatus::pending);
    for (const auto& task : {file, running}) {
        EXPECT_EQ(wait(target.store().set_indexing(task.video_id, {IndexingStatus::ready, "", {}})),
                  true);
        EXPECT_EQ(status(task), TaskStatus::ready);
    }
    EXPECT_EQ(wait(target.store().find_index(target.account(), index.id))->video_count, 3);
    EXPECT_TRUE(wait(there.delete_task(target.account(), elsewhere.id)));
}

TEST_P(TaskConformance, a_task_may_outlive_what_it_made_but_not_take_anothers) {
    const auto index = add_index(account_);
    const auto task = add_task(index);
    set_indexing(task, IndexingStatus::ready);
    Lines lines(store(), {account_, {}});
    Target target(GetParam());
    auto& transfer = target.store().transfer();
    ASSERT_TRUE(wait(transfer.import_rows("assets", stranger_, lines.of("assets"))));
    EXPECT_NE(reason_of(error_of(wait(
                            transfer.import_rows("tasks", target.account(), lines.of("tasks")))))
                  .find("`asset_id`"),
              std::string::npos);
    ASSERT_TRUE(wait(target.store().delete_asset(stranger_, task.asset_id, DeleteMode::force)));
    EXPECT_EQ(wait(transfer.import_rows("tasks", target.account(), lines.of("tasks")))->added, 1);
    EXPECT_EQ(wait(target.store().tasks().find_task(target.account(), task.id))->status,
              TaskStatus::ready);
}

}  // namespace
}  // namespace kinodex::store::conformance
