#include "domain/names.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using domain::IndexingStatus;

RowKey created_key(const domain::IndexedAsset& item) {
    return {item.created_at.time_since_epoch().count(), item.id.bytes()};
}

/// Adds to the index what a ready indexed asset counts for; `sign` -1 takes it away.
base::Status count_ready(Connection& db, const domain::IndexedAsset& item, int sign) {
    Query query(db,
                "UPDATE indexes SET video_count = video_count + ?, "
                "total_duration_us = total_duration_us + ? WHERE id = ?");
    return query.with(sign, sign * duration_us(item.system_metadata.duration_sec), item.index_id)
        .done();
}

base::Result<domain::IndexedAsset> find_owned(Connection& db, domain::AccountId account,
                                              domain::IndexId index, domain::IndexedAssetId id) {
    KN_TRY(item, find_indexed_asset(db, id));
    if (item.account_id != account || item.index_id != index) {
        return not_exist(id, "indexed-assets");
    }
    return item;
}

void copy_from_asset(domain::IndexedAsset& item, const domain::Asset& asset) {
    item.account_id = asset.account_id;
    item.asset_id = asset.id;
    auto& system = item.system_metadata;
    system.filename = asset.filename;
    system.duration_sec = asset.duration_sec;
    system.fps = asset.fps;
    system.width = asset.width;
    system.height = asset.height;
    system.size_bytes = asset.size_bytes;
}

}  // namespace

base::Status insert_indexed_asset(WriteTurn& turn, domain::IndexedAsset item) {
    KN_PASS(find_index(turn.db, item.account_id, item.index_id));
    KN_TRY(asset, find_asset(turn.db, item.account_id, item.asset_id));
    if (asset.status != domain::AssetStatus::ready) {
        return base::fail(base::Errc::asset_not_ready,
                          {{"asset_id", item.asset_id.text()},
                           {"status", std::string(domain::name_of(asset.status))}});
    }
    return insert_video(turn, std::move(item), asset);
}

base::Status insert_video(WriteTurn& turn, domain::IndexedAsset item, const domain::Asset& asset) {
    copy_from_asset(item, asset);
    KN_PASS(insert_indexed_row(turn.db, item));
    if (item.status == IndexingStatus::ready) {
        KN_PASS(count_ready(turn.db, item, +1));
    }
    if (asset.status == domain::AssetStatus::ready) {
        KN_PASS(insert_job(turn, {domain::JobKind::index_asset, item.id.text()}));
    }
    const auto index_id = item.index_id;
    turn.changes.push_back({index_id, RowAdded{std::move(item)}});
    return {};
}

base::Status fill_video(WriteTurn& turn, domain::IndexedAsset item, const domain::Asset& asset) {
    copy_from_asset(item, asset);
    item.updated_at = base::now();
    const auto& system = item.system_metadata;
    // The status is what it was; that it is named tells the item's task.
    Query query(turn.db,
                "UPDATE indexed_assets SET status = ?, updated_ms = ?, duration_sec = ?, fps = ?, "
                "width = ?, height = ?, size_bytes = ? WHERE id = ?");
    query.with(item.status, item.updated_at, system.duration_sec, system.fps, system.width,
               system.height, system.size_bytes, item.id);
    KN_PASS(query.done());
    KN_PASS(insert_job(turn, {domain::JobKind::index_asset, item.id.text()}));
    const auto index_id = item.index_id;
    turn.changes.push_back({index_id, RowFilled{std::move(item)}});
    return {};
}

base::Status insert_indexed_row(Connection& db, const domain::IndexedAsset& item) {
    static const std::string sql = "INSERT INTO indexed_assets (" +
                                   std::string(kIndexedAssetColumns) +
                                   ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    const auto metadata = domain::metadata_json(item.user_metadata);
    const auto& system = item.system_metadata;
    Query query(db, sql);
    query.with(item.id, item.index_id, item.account_id, item.asset_id, item.status, item.created_at,
               item.updated_at, item.indexed_at, std::string_view(system.filename),
               system.duration_sec, system.fps, system.width, system.height, system.size_bytes,
               std::string_view(metadata), item.stream, item.stream_updated_at,
               std::string_view(item.error_message));
    return query.done();
}

base::Result<domain::IndexedAsset> find_indexed_asset(Connection& db, domain::AccountId account,
                                                      domain::IndexId index,
                                                      domain::IndexedAssetId id) {
    auto item = find_owned(db, account, index, id);
    if (!item && item.error().code == base::Errc::resource_not_exist) {
        KN_PASS(find_index(db, account, index));  // a missing index is the better answer
    }
    return item;
}

base::Result<domain::IndexedAsset> find_indexed_asset(Connection& db, domain::IndexedAssetId id) {
    Query query(db, KN_SELECT(kIndexedAssetColumns,
                              "FROM indexed_assets WHERE id = ? AND "
                              "index_id IN (SELECT id FROM indexes)"));
    KN_TRY(found, query.with(id).step());
    return found ? read_indexed_asset(query) : not_exist(id, "indexed-assets");
}

base::Status change_indexed_asset_metadata(WriteTurn& turn, domain::AccountId account,
                                           domain::IndexId index, domain::IndexedAssetId id,
                                           const domain::MetadataChange& change) {
    KN_TRY(item, find_indexed_asset(turn.db, account, index, id));
    KN_TRY(changed, domain::apply_change(item.user_metadata, change));
    const auto now = base::now();
    const auto metadata = domain::metadata_json(changed);
    Query query(turn.db,
                "UPDATE indexed_assets SET user_metadata = ?, updated_ms = ? WHERE id = ?");
    KN_PASS(query.with(std::string_view(metadata), now, id).done());
    turn.changes.push_back({index, TokensChanged{created_key(item),
                                                 {tokens_of(item.user_metadata), tokens_of(changed),
                                                  now.time_since_epoch().count()}}});
    return {};
}

base::Status delete_indexed_asset(WriteTurn& turn, domain::AccountId account, domain::IndexId index,
                                  domain::IndexedAssetId id) {
    KN_TRY(item, find_indexed_asset(turn.db, account, index, id));
    KN_PASS(Query(turn.db, "DELETE FROM indexed_assets WHERE id = ?").with(id).done());
    if (item.status == IndexingStatus::ready) {
        KN_PASS(count_ready(turn.db, item, -1));
    }
    KN_PASS(insert_job(turn, {domain::JobKind::remove_objects, "indexed/" + id.text() + "/"}));
    turn.changes.push_back({index, RowRemoved{created_key(item), tokens_of(item.user_metadata)}});
    return {};
}

base::Result<domain::Paged<domain::IndexedAssetReference>> list_references(
    Connection& db, domain::AccountId account, domain::AssetId asset, const domain::Page& page) {
    KN_PASS(Query(db, "BEGIN").done());
    auto read = [&]() -> base::Result<domain::Paged<domain::IndexedAssetReference>> {
        domain::Paged<domain::IndexedAssetReference> answer;
        KN_PASS(find_asset(db, account, asset));
        {
            Query query(db,
                        "SELECT count(*) FROM indexed_assets WHERE asset_id = ? AND "
                        "index_id IN (SELECT id FROM indexes)");
            KN_PASS(query.with(asset).step());
            answer.total = query.integer(0);
        }
        Query query(db,
                    "SELECT i.id, i.index_id, x.index_name FROM indexed_assets i "
                    "JOIN indexes x ON x.id = i.index_id WHERE i.asset_id = ? "
                    "ORDER BY i.id DESC LIMIT ? OFFSET ?");
        query.with(asset, page.limit, page.offset());
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                return answer;
            }
            answer.items.push_back({query.id<domain::IndexedAssetId>(0),
                                    query.id<domain::IndexId>(1), std::string(query.text(2))});
        }
    };
    auto answer = read();
    KN_PASS(Query(db, "COMMIT").done());
    return answer;
}

base::Result<bool> set_indexing(WriteTurn& turn, domain::IndexedAssetId id,
                                const IndexingOutcome& outcome) {
    auto found = find_indexed_asset(turn.db, id);
    if (!found) {
        return found.error().code == base::Errc::resource_not_exist
                   ? base::Result<bool>(false)
                   : std::unexpected(std::move(found).error());
    }
    const auto& item = *found;
    const auto now = base::now();
    const auto stream = outcome.stream.value_or(item.stream);
    const auto stream_updated = outcome.stream ? std::optional(now) : item.stream_updated_at;
    // indexed_at is when the asset last became ready.
    const bool was_ready = item.status == IndexingStatus::ready;
    const bool is_ready = outcome.status == IndexingStatus::ready;
    const auto indexed_at = is_ready && !was_ready ? std::optional(now) : item.indexed_at;
    Query query(turn.db,
                "UPDATE indexed_assets SET status = ?, updated_ms = ?, indexed_ms = ?, "
                "error_message = ?, stream = ?, stream_updated_ms = ? WHERE id = ?");
    query.with(outcome.status, now, indexed_at, std::string_view(outcome.error_message), stream,
               stream_updated, id);
    KN_PASS(query.done());
    if (was_ready != is_ready) {
        KN_PASS(count_ready(turn.db, item, is_ready ? +1 : -1));
    }
    const auto indexed_ms =
        indexed_at ? indexed_at->time_since_epoch().count() : ListingRow::kNoTime;
    turn.changes.push_back(
        {item.index_id,
         StateChanged{created_key(item),
                      {outcome.status, now.time_since_epoch().count(), indexed_ms}}});
    for (const auto& job : outcome.jobs) {
        KN_PASS(insert_job(turn, job));
    }
    return true;
}

base::Status set_streams_of_asset(WriteTurn& turn, domain::AssetId asset,
                                  domain::StreamStatus status) {
    Query query(turn.db,
                "UPDATE indexed_assets SET stream = ?, stream_updated_ms = ? "
                "WHERE asset_id = ? AND stream <> ?");
    return query.with(status, base::now(), asset, domain::StreamStatus::none).done();
}

base::Result<std::vector<bool>> indexed_assets_exist(
    Connection& db, const std::vector<domain::IndexedAssetId>& ids) {
    std::vector<bool> answer;
    for (const auto& id : ids) {
        Query query(db, "SELECT 1 FROM indexed_assets WHERE id = ?");
        KN_TRY(found, query.with(id).step());
        answer.push_back(found);
    }
    return answer;
}

}  // namespace kinodex::store::sqlite
