#include <algorithm>

#include "domain/names.h"
#include "store/sqlite/entities.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/tasks.h"
#include "store/sqlite/text_fold.h"

namespace kinodex::store::sqlite {
namespace {

constexpr int kAssetTypeCount = 4;

/// The SELECT that gives the numbers of the rows on a page, newest first, and its total.
struct AssetSearch {
    std::string order_sql;  // selects number; parameters: account, [types…], limit, offset
    std::vector<domain::AssetType> types;
    std::string folded_part;
};

std::vector<domain::AssetType> distinct(std::vector<domain::AssetType> types) {
    std::ranges::sort(types);
    const auto rest = std::ranges::unique(types);
    types.erase(rest.begin(), rest.end());
    return types;
}

/// Sum of the kept counters.
base::Result<std::int64_t> count_by_type(Connection& db, domain::AccountId account,
                                         const std::vector<domain::AssetType>& types) {
    Query query(db, "SELECT type, assets FROM asset_counts WHERE account_id = ?");
    query.with(account);
    std::int64_t total = 0;
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return total;
        }
        const auto type = query.word<domain::AssetType>(0);
        if (types.empty() || std::ranges::find(types, type) != types.end()) {
            total += query.integer(1);
        }
    }
}

/// One branch for each type, merged by SQLite in order without sorting.
std::string order_sql(std::size_t types, bool by_name) {
    const std::string name = by_name ? " AND contains_folded(filename, ?)" : "";
    std::string sql;
    if (types == 0) {
        sql =
            "SELECT number, created_ms, id FROM assets INDEXED BY assets_by_time "
            "WHERE account_id = ?" +
            name;
    }
    for (std::size_t i = 0; i < types; ++i) {
        sql += i == 0 ? "" : " UNION ALL ";
        sql +=
            "SELECT number, created_ms, id FROM assets INDEXED BY assets_by_type "
            "WHERE account_id = ? AND type = ?" +
            name;
    }
    return sql;
}

void bind_search(Query& query, domain::AccountId account,
                 const std::vector<domain::AssetType>& types, std::string_view folded_part) {
    const std::size_t branches = std::max<std::size_t>(types.size(), 1);
    for (std::size_t i = 0; i < branches; ++i) {
        query.add(account);
        if (i < types.size()) {
            query.add(types[i]);
        }
        if (!folded_part.empty()) {
            query.add(folded_part);
        }
    }
}

base::Result<std::vector<domain::Asset>> read_numbered(Connection& db,
                                                       const std::vector<std::int64_t>& numbers) {
    std::vector<domain::Asset> assets;
    for (const auto number : numbers) {
        Query query(db, KN_SELECT(kAssetColumns, "FROM assets WHERE number = ?"));
        KN_PASS(query.with(number).step());
        KN_TRY(asset, read_asset(query));
        assets.push_back(std::move(asset));
    }
    return assets;
}

base::Result<domain::Paged<domain::Asset>> list_by_order(Connection& db, domain::AccountId account,
                                                         const domain::AssetFilter& filter,
                                                         const domain::Page& page) {
    const auto types = distinct(filter.types);
    const auto part = fold(filter.filename_part);
    const auto select = order_sql(types.size(), !part.empty());
    domain::Paged<domain::Asset> answer;
    if (part.empty()) {
        KN_TRY(total, count_by_type(db, account, types));
        answer.total = total;
    } else {
        Query query(db, "SELECT count(*) FROM (" + select + ")");
        bind_search(query, account, types, part);
        KN_PASS(query.step());
        answer.total = query.integer(0);
    }
    if (page.offset() >= answer.total) {
        return answer;
    }
    std::vector<std::int64_t> numbers;
    Query query(db, select + " ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?");
    bind_search(query, account, types, part);
    query.with(page.limit, page.offset());
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            break;
        }
        numbers.push_back(query.integer(0));
    }
    KN_TRY(assets, read_numbered(db, numbers));
    answer.items = std::move(assets);
    return answer;
}

base::Result<domain::Paged<domain::Asset>> list_by_ids(Connection& db, domain::AccountId account,
                                                       const domain::AssetFilter& filter,
                                                       const domain::Page& page) {
    auto ids = filter.ids;
    std::ranges::sort(ids);
    const auto rest = std::ranges::unique(ids);
    ids.erase(rest.begin(), rest.end());
    const auto part = fold(filter.filename_part);
    struct Found {
        std::int64_t created_ms;
        domain::AssetId id;
        std::int64_t number;
        auto operator<=>(const Found&) const = default;
    };
    std::vector<Found> found;
    for (const auto& id : ids) {
        Query query(db,
                    "SELECT number, created_ms, type, filename FROM assets "
                    "WHERE id = ? AND account_id = ?");
        KN_TRY(there, query.with(id, account).step());
        const bool fits = there &&
                          (filter.types.empty() ||
                           std::ranges::find(filter.types, query.word<domain::AssetType>(2)) !=
                               filter.types.end()) &&
                          contains_folded(query.text(3), part);
        if (fits) {
            found.push_back({query.integer(1), id, query.integer(0)});
        }
    }
    std::ranges::sort(found, std::ranges::greater());
    domain::Paged<domain::Asset> answer;
    answer.total = static_cast<std::int64_t>(found.size());
    std::vector<std::int64_t> numbers;
    for (auto at = page.offset(); at < std::min(page.offset() + page.limit, answer.total); ++at) {
        numbers.push_back(found[static_cast<std::size_t>(at)].number);
    }
    KN_TRY(assets, read_numbered(db, numbers));
    answer.items = std::move(assets);
    return answer;
}

base::Status insert_jobs(WriteTurn& turn, const std::vector<domain::NewJob>& jobs) {
    for (const auto& job : jobs) {
        KN_PASS(insert_job(turn, job));
    }
    return {};
}

base::Result<std::int64_t> references_of(Connection& db, domain::AssetId id) {
    Query query(db,
                "SELECT count(*) FROM indexed_assets WHERE asset_id = ? AND "
                "index_id IN (SELECT id FROM indexes)");
    KN_PASS(query.with(id).step());
    return query.integer(0);
}

}  // namespace

base::Status insert_asset(WriteTurn& turn, const domain::Asset& asset,
                          const std::vector<domain::NewJob>& jobs) {
    static_assert(static_cast<int>(domain::AssetType::image) + 1 == kAssetTypeCount);
    static const std::string sql = "INSERT INTO assets (" + std::string(kAssetColumns) +
                                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    const auto metadata = domain::metadata_json(asset.user_metadata);
    Query query(turn.db, sql);
    query.with(asset.id, asset.account_id, asset.status, asset.method, asset.type,
               std::string_view(asset.filename), std::string_view(asset.file_type),
               asset.created_at, asset.size_bytes, asset.duration_sec, asset.fps, asset.width,
               asset.height, asset.hls, asset.thumbnail, std::string_view(asset.error_message),
               std::string_view(metadata), std::string_view(asset.technical_metadata),
               std::string_view(asset.source_url));
    KN_PASS(query.done());
    return insert_jobs(turn, jobs);
}

base::Result<domain::Asset> find_asset(Connection& db, domain::AccountId account,
                                       domain::AssetId id) {
    Query query(db, KN_SELECT(kAssetColumns, "FROM assets WHERE id = ?"));
    KN_TRY(found, query.with(id).step());
    if (!found || query.id<domain::AccountId>(1) != account) {
        return not_exist(id, "assets");
    }
    return read_asset(query);
}

base::Result<domain::Asset> find_asset(Connection& db, domain::AssetId id) {
    Query query(db, KN_SELECT(kAssetColumns, "FROM assets WHERE id = ?"));
    KN_TRY(found, query.with(id).step());
    return found ? read_asset(query) : not_exist(id, "assets");
}

base::Result<domain::Paged<domain::Asset>> list_assets(Connection& db, domain::AccountId account,
                                                       const domain::AssetFilter& filter,
                                                       const domain::Page& page) {
    // One transaction, so that total and items are of the same moment.
    KN_PASS(Query(db, "BEGIN").done());
    auto answer = filter.ids.empty() ? list_by_order(db, account, filter, page)
                                     : list_by_ids(db, account, filter, page);
    KN_PASS(Query(db, "COMMIT").done());
    return answer;
}

base::Status change_asset_metadata(WriteTurn& turn, domain::AccountId account, domain::AssetId id,
                                   const domain::MetadataChange& change) {
    std::int64_t number = 0;
    domain::Metadata current;
    {
        Query query(turn.db,
                    "SELECT number, user_metadata FROM assets WHERE id = ? AND account_id = ?");
        KN_TRY(found, query.with(id, account).step());
        if (!found) {
            return not_exist(id, "assets");
        }
        number = query.integer(0);
        KN_TRY(read, domain::parse_metadata(query.text(1)));
        current = std::move(read);
    }
    KN_TRY(changed, domain::apply_change(current, change));
    const auto metadata = domain::metadata_json(changed);
    Query query(turn.db, "UPDATE assets SET user_metadata = ? WHERE number = ?");
    return query.with(std::string_view(metadata), number).done();
}

base::Status delete_asset(WriteTurn& turn, domain::AccountId account, domain::AssetId id,
                          DeleteMode mode) {
    {
        Query query(turn.db, "SELECT 1 FROM assets WHERE id = ? AND account_id = ?");
        KN_TRY(found, query.with(id, account).step());
        if (!found) {
            return not_exist(id, "assets");
        }
    }
    if (mode == DeleteMode::refuse_when_referenced) {
        KN_TRY(references, references_of(turn.db, id));
        if (references > 0) {
            return base::fail(
                base::Errc::asset_in_use,
                {{"asset_id", id.text()}, {"references", std::to_string(references)}});
        }
    }
    KN_PASS(Query(turn.db, "DELETE FROM assets WHERE id = ?").with(id).done());
    KN_PASS(
        fail_waiting_videos(turn, id, "The asset was deleted before it could be indexed.",
                            mode == DeleteMode::force_and_announce ? Announce::yes : Announce::no));
    // Those that are left were played from its objects.
    KN_PASS(set_streams_of_asset(turn, id, domain::StreamStatus::canceled));
    KN_PASS(unlink_from_entities(turn, id));
    return remove_asset_objects(turn, id);
}

base::Result<bool> finish_ingest(WriteTurn& turn, domain::AssetId id, const IngestOutcome& outcome,
                                 const std::vector<domain::NewJob>& jobs) {
    Query query(turn.db,
                "UPDATE assets SET status = ?, type = ?, file_type = ?, size_bytes = ?, "
                "duration_sec = ?, fps = ?, width = ?, height = ?, technical_metadata = ?, "
                "error_message = ?, hls = ?, thumbnail = ? WHERE id = ? AND status = ?");
    query.with(outcome.status, outcome.type, std::string_view(outcome.file_type),
               outcome.size_bytes, outcome.duration_sec, outcome.fps, outcome.width, outcome.height,
               std::string_view(outcome.technical_metadata),
               std::string_view(outcome.error_message), outcome.hls, outcome.thumbnail, id,
               domain::AssetStatus::processing);
    KN_PASS(query.done());
    if (rows_changed(turn.db) == 0) {
        return false;
    }
    KN_PASS(insert_jobs(turn, jobs));
    const bool is_ready = outcome.status == domain::AssetStatus::ready;
    if (is_ready && outcome.videos_refused.empty()) {
        KN_PASS(index_waiting_videos(turn, id));
    } else {
        // Whoever ends an ingest brings the jobs that follow.
        const auto& reason = is_ready ? outcome.videos_refused : outcome.error_message;
        KN_PASS(fail_waiting_videos(turn, id, reason, Announce::no));
    }
    if (!is_ready) {
        KN_PASS(remove_asset_objects(turn, id));  // its bytes are counted no more
    }
    KN_PASS(check_entities_of(turn, id));
    return true;
}

base::Result<bool> set_asset_part(WriteTurn& turn, domain::AssetId id, AssetPart part,
                                  domain::DerivedStatus status) {
    Query query(turn.db, part == AssetPart::hls ? "UPDATE assets SET hls = ? WHERE id = ?"
                                                : "UPDATE assets SET thumbnail = ? WHERE id = ?");
    KN_PASS(query.with(status, id).done());
    return rows_changed(turn.db) > 0;
}

base::Result<std::vector<bool>> assets_exist(Connection& db,
                                             const std::vector<domain::AssetId>& ids) {
    std::vector<bool> answer;
    for (const auto& id : ids) {
        Query query(db,
                    "SELECT 1 FROM assets WHERE id = ? UNION ALL "
                    "SELECT 1 FROM uploads WHERE asset_id = ? AND status = ?");
        KN_TRY(found, query.with(id, id, domain::UploadStatus::active).step());
        answer.push_back(found);
    }
    return answer;
}

}  // namespace kinodex::store::sqlite
