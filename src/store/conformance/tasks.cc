// Tasks: their states follow the asset and then the indexed asset in the same step, and what they
// made can go before them.
#include "store/conformance/tasks.h"

namespace kinodex::store::conformance {

using domain::AssetStatus;
using domain::IndexingStatus;
using domain::JobKind;
using domain::TaskStatus;

domain::Task TaskConformance::add(const domain::Index& index, domain::Asset asset) {
    asset.id = domain::AssetId::next();
    asset.account_id = index.account_id;
    asset.created_at = base::now();
    NewTask made;
    made.video.id = domain::IndexedAssetId::next();
    made.video.index_id = index.id;
    made.video.account_id = index.account_id;
    made.video.created_at = asset.created_at;
    made.video.updated_at = asset.created_at;
    made.video.stream = domain::StreamStatus::processing;
    made.video.stream_updated_at = asset.created_at;
    made.video.user_metadata = {{"n", std::int64_t{5}}};
    made.task.id = domain::TaskId::next();
    made.task.account_id = index.account_id;
    made.task.index_id = index.id;
    made.task.asset_id = asset.id;
    made.task.video_id = made.video.id;
    made.task.created_at = asset.created_at;
    made.task.updated_at = asset.created_at;
    std::vector<domain::NewJob> jobs;
    if (asset.status == AssetStatus::processing) {
        jobs.push_back({JobKind::ingest_asset, asset.id.text()});
    }
    EXPECT_TRUE(wait(tasks().insert_task(made, asset, jobs)));
    return made.task;
}

domain::Task TaskConformance::add_waiting(const domain::Index& index, const std::string& filename,
                                          domain::AssetMethod method) {
    domain::Asset asset;
    asset.filename = filename;
    asset.method = method;
    return add(index, std::move(asset));
}

domain::Task TaskConformance::add_task(const domain::Index& index, const std::string& filename) {
    domain::Asset asset;
    asset.filename = filename;
    asset.status = AssetStatus::ready;
    asset.type = domain::AssetType::video;
    asset.duration_sec = 12.5;
    asset.fps = 25;
    asset.width = 1'280;
    asset.height = 720;
    asset.size_bytes = 1'000'000;
    return add(index, std::move(asset));
}

domain::Task TaskConformance::found(const domain::Task& task) {
    auto read = wait(tasks().find_task(account_, task.id));
    EXPECT_TRUE(read);
    return read.value_or(domain::Task{});
}

void TaskConformance::set_indexing(const domain::Task& task, IndexingStatus status) {
    EXPECT_EQ(wait(store().set_indexing(task.video_id, {status, "", {}})), true);
}

void TaskConformance::finish(const domain::Task& task, AssetStatus status) {
    IngestOutcome outcome;
    outcome.status = status;
    outcome.type = domain::AssetType::video;
    outcome.size_bytes = 300'000'000;
    outcome.duration_sec = 61.5;
    outcome.fps = 30;
    outcome.width = 640;
    outcome.height = 360;
    outcome.error_message = status == AssetStatus::failed ? "It is broken." : "";
    EXPECT_EQ(wait(store().finish_ingest(task.asset_id, outcome, {})), true);
}

TaskConformance::Texts TaskConformance::names(const domain::TaskFilter& filter,
                                              const domain::Page& page) {
    const auto list = wait(tasks().list_tasks(account_, filter, page)).value();
    Texts answer{std::to_string(list.total)};
    for (const auto& task : list.items) {
        answer.push_back(task.filename);
    }
    return answer;
}

namespace {

domain::TaskFilter having(std::vector<TaskStatus> statuses) {
    domain::TaskFilter filter;
    filter.statuses = std::move(statuses);
    return filter;
}

TEST_P(TaskConformance, of_a_ready_asset_begins_with_everything) {
    const auto index = add_index(account_);
    const auto task = add_task(index, "ü.mp4");
    EXPECT_EQ(take_jobs(JobKind::index_asset), Texts{task.video_id.text()});
    reopen();
    const auto read = found(task);
    EXPECT_EQ(read.status, TaskStatus::pending);
    EXPECT_EQ(read.index_id, index.id);
    EXPECT_EQ(read.asset_id, task.asset_id);
    EXPECT_EQ(read.video_id, task.video_id);
    EXPECT_EQ(read.created_at, task.created_at);
    EXPECT_EQ(read.filename, "ü.mp4");
    EXPECT_EQ(read.duration_sec, 12.5);
    EXPECT_EQ(read.width, 1'280);
    EXPECT_EQ(read.height, 720);
    EXPECT_TRUE(wait(store().find_asset(account_, task.asset_id)));
    const auto video = wait(store().find_indexed_asset(account_, index.id, task.video_id)).value();
    EXPECT_EQ(video.system_metadata.fps, 25);
    EXPECT_EQ(video.user_metadata, (domain::Metadata{{"n", std::int64_t{5}}}));
    EXPECT_EQ(video.asset_id, task.asset_id);
}

TEST_P(TaskConformance, of_an_index_that_is_not_there_adds_nothing) {
    const auto foreign = add_index(stranger_);
    NewTask made;
    made.task.id = domain::TaskId::next();
    made.task.account_id = account_;
    made.task.index_id = foreign.id;
    domain::Asset asset;
    asset.id = domain::AssetId::next();
    asset.account_id = account_;
    expect_not_exist(error_of(wait(tasks().insert_task(made, asset, {}))), foreign.id.text(),
                     "indexes");
    EXPECT_FALSE(wait(store().find_asset(account_, asset.id)));
    EXPECT_EQ(names({}), Texts{"0"});
}

TEST_P(TaskConformance, follows_every_step_of_its_video) {
    const auto index = add_index(account_);
    const auto task = add_task(index);
    auto last = task.updated_at;
    for (const auto& [state, expected] : std::vector<std::pair<IndexingStatus, TaskStatus>>{
             {IndexingStatus::queued, TaskStatus::queued},
             {IndexingStatus::indexing, TaskStatus::indexing},
             {IndexingStatus::ready, TaskStatus::ready}}) {
        set_indexing(task, state);
        const auto read = found(task);
        EXPECT_EQ(read.status, expected);
        EXPECT_GE(read.updated_at, last);
        last = read.updated_at;
    }
    ASSERT_TRUE(wait(store().change_indexed_asset_metadata(
        account_, index.id, task.video_id,
        {domain::MetadataMode::merge, {{"k", domain::MetadataValue(true)}}})));
    EXPECT_EQ(found(task).updated_at, last);  // no transition
}

TEST_P(TaskConformance, waits_for_its_asset_and_then_is_queued) {
    const auto index = add_index(account_);
    const auto file = add_waiting(index, "file.mp4");
    const auto url = add_waiting(index, "url.mp4", domain::AssetMethod::url);
    EXPECT_EQ(found(file).status, TaskStatus::validating);
    EXPECT_EQ(found(url).status, TaskStatus::uploading);
    EXPECT_EQ(wait(tasks().find_task_of(file.asset_id)).value()->id, file.id);
    EXPECT_FALSE(wait(tasks().find_task_of(domain::AssetId::next())).value());
    EXPECT_TRUE(take_jobs(JobKind::index_asset).empty());
    EXPECT_EQ(take_jobs(JobKind::ingest_asset).size(), 2u);
    const auto video = [&] {
        return wait(store().find_indexed_asset(account_, index.id, file.video_id)).value();
    };
    EXPECT_EQ(video().status, IndexingStatus::pending);
    EXPECT_EQ(video().system_metadata.filename, "file.mp4");
    EXPECT_FALSE(video().system_metadata.duration_sec);
    domain::IndexedAssetFilter long_ones;
    long_ones.duration_sec.gte = 60;
    EXPECT_TRUE(listed(index, long_ones).empty());

    finish(file, AssetStatus::ready);
    EXPECT_EQ(take_jobs(JobKind::index_asset), Texts{file.video_id.text()});
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(video().system_metadata.duration_sec, 61.5);
        EXPECT_EQ(video().system_metadata.size_bytes, 300'000'000);
        EXPECT_GE(video().updated_at, file.updated_at);
        EXPECT_EQ(listed(index, long_ones), std::vector{file.video_id});
        EXPECT_EQ(found(file).status, TaskStatus::pending);
        EXPECT_EQ(found(file).duration_sec, 61.5);
        EXPECT_EQ(found(file).width, 640);
        reopen();
    }
    const auto page = wait(store().list_indexed_assets(account_, index.id, {}, {})).value();
    ASSERT_EQ(page.items.size(), 2u);
    EXPECT_EQ(page.items[1].id, file.video_id);
    EXPECT_EQ(page.items[1].updated_at, video().updated_at);
    EXPECT_EQ(page.items[1].system_metadata.fps, 30);
    EXPECT_EQ(found(url).status, TaskStatus::uploading);
}

TEST_P(TaskConformance, fails_with_its_asset) {
    const auto index = add_index(account_);
    const auto task = add_waiting(index);
    finish(task, AssetStatus::failed);
    EXPECT_EQ(found(task).status, TaskStatus::failed);
    const auto video = wait(store().find_indexed_asset(account_, index.id, task.video_id)).value();
    EXPECT_EQ(video.status, IndexingStatus::failed);
    EXPECT_EQ(video.error_message, "It is broken.");
    EXPECT_EQ(video.stream, domain::StreamStatus::canceled);
    EXPECT_TRUE(take_jobs(JobKind::index_asset).empty());
}

TEST_P(TaskConformance, fails_when_its_asset_is_deleted_under_it) {
    const auto index = add_index(account_);
    const auto task = add_waiting(index);
    EXPECT_EQ(error_of(wait(store().delete_asset(account_, task.asset_id,
                                                 DeleteMode::refuse_when_referenced)))
                  .code,
              base::Errc::asset_in_use);
    ASSERT_TRUE(wait(store().delete_asset(account_, task.asset_id, DeleteMode::force)));
    EXPECT_EQ(found(task).status, TaskStatus::failed);
    EXPECT_EQ(wait(store().find_indexed_asset(task.video_id))->status, IndexingStatus::failed);
    EXPECT_TRUE(take_jobs(JobKind::announce).empty());
}

TEST_P(TaskConformance, that_fails_by_a_deletion_is_announced_in_the_same_step_if_wanted) {
    const auto index = add_index(account_);
    const auto waiting = add_waiting(index);
    const auto begun = add_task(index);  // its indexing goes on, and ends by itself
    for (const auto& task : {waiting, begun}) {
        ASSERT_TRUE(
            wait(store().delete_asset(account_, task.asset_id, DeleteMode::force_and_announce)));
    }
    EXPECT_EQ(found(waiting).status, TaskStatus::failed);
    EXPECT_EQ(take_jobs(JobKind::announce), Texts{waiting.video_id.text()});
}

TEST_P(TaskConformance, can_go_only_at_its_end_and_after_a_ready_video) {
    const auto index = add_index(account_);
    const auto task = add_task(index);
    const auto failing = add_task(index);
    const auto refusal = [&](const domain::Task& each) {
        return error_of(wait(tasks().delete_task(account_, each.id)));
    };
    for (const auto state :
         {IndexingStatus::pending, IndexingStatus::queued, IndexingStatus::indexing}) {
        set_indexing(task, state);
        EXPECT_EQ(refusal(task).code, base::Errc::task_cannot_be_deleted);
    }
    set_indexing(task, IndexingStatus::ready);
    EXPECT_EQ(refusal(task).value("task_id"), task.id.text());
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, task.video_id)));
    EXPECT_EQ(found(task).status, TaskStatus::ready);
    EXPECT_EQ(found(task).duration_sec, 12.5);
    expect_not_exist(error_of(wait(tasks().delete_task(stranger_, task.id))), task.id.text(),
                     "tasks");
    EXPECT_TRUE(wait(tasks().delete_task(account_, task.id)));
    expect_not_exist(error_of(wait(tasks().find_task(account_, task.id))), task.id.text(), "tasks");
    EXPECT_TRUE(wait(store().find_asset(account_, task.asset_id)));

    set_indexing(failing, IndexingStatus::failed);
    EXPECT_TRUE(wait(tasks().delete_task(account_, failing.id)));
    EXPECT_TRUE(wait(store().find_indexed_asset(failing.video_id)));
}

TEST_P(TaskConformance, whose_video_goes_before_its_end_failed) {
    const auto index = add_index(account_);
    const auto waiting = add_waiting(index);
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, waiting.video_id)));
    EXPECT_EQ(found(waiting).status, TaskStatus::failed);
    EXPECT_NE(found(waiting).error_message, "");
    EXPECT_GE(found(waiting).updated_at + std::chrono::milliseconds(1), waiting.updated_at);
    finish(waiting, AssetStatus::ready);  // the asset is what it is
    EXPECT_EQ(found(waiting).status, TaskStatus::failed);
    EXPECT_TRUE(take_jobs(JobKind::index_asset).empty());

    const auto running = add_task(index);
    const auto done = add_task(index);
    set_indexing(running, IndexingStatus::indexing);
    set_indexing(done, IndexingStatus::ready);
    ASSERT_TRUE(wait(store().delete_index(account_, index.id)));
    EXPECT_EQ(found(running).status, TaskStatus::failed);
    EXPECT_EQ(found(done).status, TaskStatus::ready);
    EXPECT_TRUE(wait(tasks().delete_task(account_, done.id)));
}

TEST_P(TaskConformance, says_why_it_failed_also_when_its_video_is_gone) {
    const auto index = add_index(account_);
    const auto task = add_waiting(index);
    EXPECT_EQ(found(task).error_message, "");
    finish(task, AssetStatus::failed);
    EXPECT_EQ(found(task).error_message, "It is broken.");
    ASSERT_TRUE(wait(store().delete_indexed_asset(account_, index.id, task.video_id)));
    EXPECT_EQ(found(task).error_message, "It is broken.");
}

TEST_P(TaskConformance, of_a_good_file_fails_when_its_video_is_refused) {
    const auto task = add_waiting(add_index(account_));
    IngestOutcome outcome;
    outcome.type = domain::AssetType::video;
    outcome.size_bytes = 300'000'000;
    outcome.videos_refused = "No room.";
    EXPECT_EQ(wait(store().finish_ingest(task.asset_id, outcome, {})), true);
    EXPECT_EQ(found(task).status, TaskStatus::failed);
    EXPECT_EQ(found(task).error_message, "No room.");
    EXPECT_TRUE(take_jobs(JobKind::index_asset).empty());
    EXPECT_TRUE(take_jobs(JobKind::remove_objects).empty());
    EXPECT_EQ(wait(store().find_asset(account_, task.asset_id))->status, AssetStatus::ready);
}

TEST_P(TaskConformance, are_listed_with_every_filter_and_sort) {
    const auto films = add_index(account_, "films");
    const auto clips = add_index(account_, "clips");
    const auto first = add_task(films, "1.mp4");
    add_task(clips, "2.mp4");
    const auto third = add_waiting(films, "3.mp4");
    add_task(add_index(stranger_), "foreign.mp4");
    set_indexing(first, IndexingStatus::ready);
    using By = domain::SortBy;
    using Order = domain::SortOrder;
    EXPECT_EQ(names({}), (Texts{"3", "3.mp4", "2.mp4", "1.mp4"}));
    EXPECT_EQ(names({}, {2, 2}), (Texts{"3", "1.mp4"}));
    EXPECT_EQ(names({}, {3, 2}), Texts{"3"});
    EXPECT_EQ(names(having({TaskStatus::ready})), (Texts{"1", "1.mp4"}));
    EXPECT_EQ(names(having({TaskStatus::ready, TaskStatus::validating})),
              (Texts{"2", "3.mp4", "1.mp4"}));
    EXPECT_EQ(names(having({TaskStatus::failed})), Texts{"0"});
    domain::TaskFilter filter;
    filter.order = Order::asc;
    EXPECT_EQ(names(filter), (Texts{"3", "1.mp4", "2.mp4", "3.mp4"}));
    filter.sort_by = By::updated_at;
    filter.order = Order::desc;
    EXPECT_EQ(names(filter).at(1), "1.mp4");
    filter.index_id = films.id;
    EXPECT_EQ(names(filter).at(0), "2");
    filter.width = 1'280;
    filter.height = 720;
    filter.duration_sec = 12.5;
    EXPECT_EQ(names(filter), (Texts{"1", "1.mp4"}));
    filter.width = 1'279;
    EXPECT_EQ(names(filter), Texts{"0"});
    domain::TaskFilter by_name;
    by_name.filename = "2.mp4";
    EXPECT_EQ(names(by_name), (Texts{"1", "2.mp4"}));
    domain::TaskFilter by_time;
    by_time.created_from = third.created_at;
    EXPECT_EQ(names(by_time).at(1), "3.mp4");
    by_time.created_from = third.created_at + std::chrono::hours(1);
    EXPECT_EQ(names(by_time), Texts{"0"});
    domain::TaskFilter by_change;
    by_change.updated_from = found(first).updated_at;
    EXPECT_NE(names(by_change).at(0), "0");
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TaskConformance);

}  // namespace kinodex::store::conformance
