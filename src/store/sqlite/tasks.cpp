#include "store/sqlite/tasks.h"

#include <fmt/format.h>

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using domain::IndexingStatus;
using domain::Task;
using domain::TaskStatus;

constexpr std::string_view kTaskColumns =
    "id, account_id, index_id, asset_id, video_id, status, created_ms, updated_ms, filename, "
    "duration_sec, width, height, error_message FROM tasks";

// The triggers of the schema count on it.
static_assert(static_cast<int>(TaskStatus::pending) ==
              static_cast<int>(IndexingStatus::pending) + 2);
static_assert(static_cast<int>(TaskStatus::failed) == static_cast<int>(IndexingStatus::failed) + 2);

Task read_task(const Query& query) {
    Task task;
    task.id = query.id<domain::TaskId>(0);
    task.account_id = query.id<domain::AccountId>(1);
    task.index_id = query.id<domain::IndexId>(2);
    task.asset_id = query.id<domain::AssetId>(3);
    task.video_id = query.id<domain::IndexedAssetId>(4);
    task.status = query.word<TaskStatus>(5);
    task.created_at = query.time(6);
    task.updated_at = query.time(7);
    task.filename = query.text(8);
    task.duration_sec = query.maybe_real(9);
    task.width = query.maybe_integer<int>(10);
    task.height = query.maybe_integer<int>(11);
    task.error_message = query.text(12);
    return task;
}

TaskStatus first_status(const domain::Asset& asset) {
    if (asset.status != domain::AssetStatus::processing) {
        return TaskStatus::pending;
    }
    return asset.method == domain::AssetMethod::url ? TaskStatus::uploading
                                                    : TaskStatus::validating;
}

base::Status insert(WriteTurn& turn, const NewTask& made, const domain::Asset& asset,
                    const std::vector<domain::NewJob>& jobs) {
    const auto& task = made.task;
    KN_PASS(find_index(turn.db, task.account_id, task.index_id));
    KN_PASS(insert_asset(turn, asset, jobs));
    Query query(turn.db,
                "INSERT INTO tasks (id, account_id, index_id, asset_id, video_id, status, "
                "created_ms, updated_ms, filename, duration_sec, width, height) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
    query.with(task.id, task.account_id, task.index_id, asset.id, task.video_id,
               first_status(asset), task.created_at, task.updated_at,
               std::string_view(asset.filename), asset.duration_sec, asset.width, asset.height);
    KN_PASS(query.done());
    return insert_video(turn, made.video, asset);
}

base::Result<Task> find(Connection& db, domain::AccountId account, domain::TaskId id) {
    Query query(db, KN_SELECT(kTaskColumns, "WHERE id = ? AND account_id = ?"));
    KN_TRY(found, query.with(id, account).step());
    return found ? base::Result<Task>(read_task(query)) : not_exist(id, "tasks");
}

std::int64_t mask_of(const std::vector<TaskStatus>& statuses) {
    std::int64_t mask = 0;
    for (const auto status : statuses) {
        mask |= std::int64_t{1} << static_cast<int>(status);
    }
    return statuses.empty() ? (std::int64_t{1} << domain::kTaskStatusCount) - 1 : mask;
}

/// Everything that narrows a list, but not the sort.
bool is_plain(const domain::TaskFilter& filter) {
    return !filter.index_id && filter.statuses.empty() && !filter.filename &&
           !filter.duration_sec && !filter.width && !filter.height && !filter.created_from &&
           !filter.updated_from;
}

/// A condition that is null holds for every row: one statement for all filters.
constexpr std::string_view kConditions =
    " AND (1 << status) & ?2 <> 0 AND created_ms >= ?3 AND updated_ms >= ?4 "
    "AND (?5 IS NULL OR index_id = ?5) AND (?6 IS NULL OR filename = ?6) "
    "AND (?7 IS NULL OR duration_sec = ?7) AND (?8 IS NULL OR width = ?8) "
    "AND (?9 IS NULL OR height = ?9)";

void bind(Query& query, domain::AccountId account, const domain::TaskFilter& filter) {
    query.add(account);
    if (is_plain(filter)) {
        return;
    }
    constexpr auto kEarliest = base::Timestamp::min();
    query.with(mask_of(filter.statuses), filter.created_from.value_or(kEarliest),
               filter.updated_from.value_or(kEarliest), filter.index_id);
    if (filter.filename) {
        query.add(std::string_view(*filter.filename));
    } else {
        query.add_null();
    }
    query.with(filter.duration_sec, filter.width, filter.height);
}

base::Result<domain::Paged<std::int64_t>> search(Connection& db, domain::AccountId account,
                                                 const domain::TaskFilter& filter,
                                                 const domain::Page& page) {
    const bool by_created = filter.sort_by == domain::SortBy::created_at;
    const auto from =
        fmt::format("FROM tasks INDEXED BY tasks_by_{} WHERE account_id = ?1{}",
                    by_created ? "created" : "updated", is_plain(filter) ? "" : kConditions);
    domain::Paged<std::int64_t> answer;
    {
        Query query(db, "SELECT count(*) " + from);
        bind(query, account, filter);
        KN_PASS(query.step());
        answer.total = query.integer(0);
    }
    if (page.offset() >= answer.total) {
        return answer;
    }
    const std::string way = filter.order == domain::SortOrder::asc ? "ASC" : "DESC";
    Query query(db, fmt::format("SELECT number {0} ORDER BY {1} {2}, id {2} LIMIT ? OFFSET ?", from,
                                by_created ? "created_ms" : "updated_ms", way));
    bind(query, account, filter);
    query.with(page.limit, page.offset());
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return answer;
        }
        answer.items.push_back(query.integer(0));
    }
}

base::Result<domain::Paged<Task>> list(Connection& db, domain::AccountId account,
                                       const domain::TaskFilter& filter, const domain::Page& page) {
    KN_TRY(numbers, search(db, account, filter, page));
    domain::Paged<Task> answer{{}, numbers.total};
    for (const auto number : numbers.items) {
        Query query(db, KN_SELECT(kTaskColumns, "WHERE number = ?"));
        KN_PASS(query.with(number).step());
        answer.items.push_back(read_task(query));
    }
    return answer;
}

std::unexpected<base::Error> refuse_delete(domain::TaskId id, std::string reason) {
    return base::fail(base::Errc::task_cannot_be_deleted,
                      {{"task_id", id.text()}, {"reason", std::move(reason)}});
}

base::Status remove(WriteTurn& turn, domain::AccountId account, domain::TaskId id) {
    KN_TRY(task, find(turn.db, account, id));
    if (task.status != TaskStatus::ready && task.status != TaskStatus::failed) {
        return refuse_delete(id, "Its status must be `ready` or `failed`.");
    }
    if (task.status == TaskStatus::ready) {
        auto video = find_indexed_asset(turn.db, task.video_id);
        if (video) {
            return refuse_delete(id, "Delete the video `" + task.video_id.text() + "` first.");
        }
        if (video.error().code != base::Errc::resource_not_exist) {
            return std::unexpected(std::move(video).error());
        }
    }
    return Query(turn.db, "DELETE FROM tasks WHERE id = ?").with(id).done();
}

/// Indexed assets of this asset that wait for it: tasks alone make such.
base::Result<std::vector<domain::IndexedAsset>> waiting_for(Connection& db, domain::AssetId asset) {
    std::vector<domain::IndexedAssetId> ids;
    {
        Query query(db, "SELECT video_id FROM tasks WHERE asset_id = ? AND status < ?");
        query.with(asset, TaskStatus::pending);
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                break;
            }
            ids.push_back(query.id<domain::IndexedAssetId>(0));
        }
    }
    std::vector<domain::IndexedAsset> items;
    for (const auto& id : ids) {
        auto item = find_indexed_asset(db, id);
        if (item) {
            items.push_back(std::move(*item));
        } else if (item.error().code != base::Errc::resource_not_exist) {
            return std::unexpected(std::move(item).error());
        }
    }
    return items;
}

class SqliteTasks : public TaskStore {
  public:
    explicit SqliteTasks(Access& access) : access_(access) {}

    Asked<void> insert_task(NewTask made, domain::Asset asset,
                            std::vector<domain::NewJob> jobs) override {
        return access_.write<void>(
            [made = std::move(made), asset = std::move(asset),
             jobs = std::move(jobs)](WriteTurn& turn) { return insert(turn, made, asset, jobs); });
    }
    Asked<Task> find_task(domain::AccountId account, domain::TaskId id) override {
        return access_.read<Task>([account, id](Connection& db) { return find(db, account, id); });
    }
    Asked<domain::Paged<Task>> list_tasks(domain::AccountId account, domain::TaskFilter filter,
                                          domain::Page page) override {
        return access_.read<domain::Paged<Task>>(
            [account, page,
             filter = std::move(filter)](Connection& db) -> base::Result<domain::Paged<Task>> {
                // One transaction, so that total and items are of the same moment.
                KN_PASS(Query(db, "BEGIN").done());
                auto answer = list(db, account, filter, page);
                KN_PASS(Query(db, "COMMIT").done());
                return answer;
            });
    }
    Asked<void> delete_task(domain::AccountId account, domain::TaskId id) override {
        return access_.write<void>(
            [account, id](WriteTurn& turn) { return remove(turn, account, id); });
    }
    Asked<std::optional<Task>> find_task_of(domain::AssetId asset) override {
        using Found = std::optional<Task>;
        return access_.read<Found>([asset](Connection& db) -> base::Result<Found> {
            Query query(db, KN_SELECT(kTaskColumns, "WHERE asset_id = ? LIMIT 1"));
            KN_TRY(found, query.with(asset).step());
            return found ? Found(read_task(query)) : std::nullopt;
        });
    }

  private:
    Access& access_;
};

}  // namespace

std::unique_ptr<TaskStore> make_task_store(Access& access) {
    return std::make_unique<SqliteTasks>(access);
}

base::Status index_waiting_videos(WriteTurn& turn, domain::AssetId asset_id) {
    KN_TRY(items, waiting_for(turn.db, asset_id));
    if (items.empty()) {
        return {};
    }
    KN_TRY(asset, find_asset(turn.db, asset_id));
    for (auto& item : items) {
        KN_PASS(fill_video(turn, std::move(item), asset));
    }
    return {};
}

base::Status fail_waiting_videos(WriteTurn& turn, domain::AssetId asset,
                                 std::string_view error_message, Announce announce) {
    KN_TRY(items, waiting_for(turn.db, asset));
    for (const auto& item : items) {
        IndexingOutcome outcome;
        outcome.status = IndexingStatus::failed;
        outcome.error_message = error_message;
        if (item.stream == domain::StreamStatus::processing) {
            outcome.stream = domain::StreamStatus::canceled;
        }
        if (announce == Announce::yes) {
            outcome.jobs.push_back({domain::JobKind::announce, item.id.text()});
        }
        KN_PASS(set_indexing(turn, item.id, outcome));
    }
    return {};
}

}  // namespace kinodex::store::sqlite
