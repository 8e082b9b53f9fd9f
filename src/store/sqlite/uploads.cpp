#include "store/sqlite/uploads.h"

#include <algorithm>
#include <limits>

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using base::Errc;
using domain::Chunk;
using domain::ChunkState;
using domain::Upload;
using domain::UploadStatus;

constexpr std::string_view kUploads = "multipart-uploads";

constexpr std::string_view kUploadColumns =
    "id, account_id, asset_id, status, type, filename, total_size_bytes, chunk_size_bytes, "
    "enable_hls, enable_thumbnail, user_metadata, chunks_completed, completed_bytes, created_ms, "
    "updated_ms, expires_ms, number";
constexpr int kNumberColumn = 16;

base::Result<Upload> read_upload(const Query& query) {
    Upload upload;
    upload.id = query.id<domain::UploadId>(0);
    upload.account_id = query.id<domain::AccountId>(1);
    upload.asset_id = query.id<domain::AssetId>(2);
    upload.status = query.word<UploadStatus>(3);
    upload.type = query.word<domain::AssetType>(4);
    upload.filename = query.text(5);
    upload.total_size_bytes = query.integer(6);
    upload.chunk_size_bytes = query.integer(7);
    upload.enable_hls = query.integer(8) != 0;
    upload.enable_thumbnail = query.integer(9) != 0;
    KN_TRY(metadata, domain::parse_metadata(query.text(10)));
    upload.user_metadata = std::move(metadata);
    upload.chunks_completed = query.integer(11);
    upload.completed_bytes = query.integer(12);
    upload.created_at = query.time(13);
    upload.updated_at = query.time(14);
    upload.expires_at = query.time(15);
    return upload;
}

struct Numbered {
    Upload upload;
    std::int64_t number = 0;  // of its row, which its chunks refer to
};

base::Result<Numbered> find_numbered(Connection& db, domain::UploadId id) {
    Query query(db, KN_SELECT(kUploadColumns, "FROM uploads WHERE id = ?"));
    KN_TRY(found, query.with(id).step());
    if (!found) {
        return not_exist(id, kUploads);
    }
    KN_TRY(upload, read_upload(query));
    return Numbered{std::move(upload), query.integer(kNumberColumn)};
}

base::Result<Numbered> find_numbered(Connection& db, domain::AccountId account,
                                     domain::UploadId id) {
    KN_TRY(found, find_numbered(db, id));
    if (found.upload.account_id != account) {
        return not_exist(id, kUploads);
    }
    return found;
}

std::unexpected<base::Error> chunk_error(Errc code, std::int64_t index) {
    return base::fail(code, {{"chunk_index", std::to_string(index)}});
}

Chunk pending_chunk(const Upload& upload, std::int64_t index) {
    Chunk chunk;
    chunk.index = index;
    chunk.updated_at = upload.created_at;
    return chunk;
}

Chunk read_chunk(const Query& query) {
    return {.index = query.integer(0),
            .state = query.word<ChunkState>(1),
            .attempt = query.integer(2),
            .etag = std::string(query.text(3)),
            .updated_at = query.time(4)};
}

base::Result<Chunk> chunk_of(Connection& db, const Numbered& numbered, std::int64_t index) {
    Query query(db,
                "SELECT chunk_index, state, attempt, etag, updated_ms FROM upload_chunks "
                "WHERE upload = ? AND chunk_index = ?");
    KN_TRY(found, query.with(numbered.number, index).step());
    return found ? read_chunk(query) : pending_chunk(numbered.upload, index);
}

base::Status save_chunk(WriteTurn& turn, const Numbered& numbered, const Chunk& chunk) {
    Query query(
        turn.db,
        "INSERT INTO upload_chunks (upload, chunk_index, state, attempt, etag, updated_ms) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET state = excluded.state, "
        "attempt = excluded.attempt, etag = excluded.etag, updated_ms = excluded.updated_ms");
    return query
        .with(numbered.number, chunk.index, chunk.state, chunk.attempt,
              std::string_view(chunk.etag), chunk.updated_at)
        .done();
}

base::Status insert_upload(WriteTurn& turn, const Upload& upload, std::int64_t open_max) {
    {
        Query query(turn.db,
                    "SELECT count(*) FROM uploads WHERE account_id = ? AND status = ? AND "
                    "expires_ms > ?");
        KN_PASS(query.with(upload.account_id, UploadStatus::active, upload.created_at).step());
        if (query.integer(0) >= open_max) {
            return base::fail(Errc::uploads_too_many, {{"maximum", std::to_string(open_max)}});
        }
    }
    const auto metadata = domain::metadata_json(upload.user_metadata);
    Query query(turn.db,
                "INSERT INTO uploads (id, account_id, asset_id, status, type, filename, "
                "total_size_bytes, chunk_size_bytes, enable_hls, enable_thumbnail, user_metadata, "
                "chunks_completed, completed_bytes, created_ms, updated_ms, expires_ms) "
                "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    query.with(upload.id, upload.account_id, upload.asset_id, upload.status, upload.type,
               std::string_view(upload.filename), upload.total_size_bytes, upload.chunk_size_bytes,
               static_cast<int>(upload.enable_hls), static_cast<int>(upload.enable_thumbnail),
               std::string_view(metadata), upload.chunks_completed, upload.completed_bytes,
               upload.created_at, upload.updated_at, upload.expires_at);
    return query.done();
}

base::Result<domain::Paged<Upload>> list_incomplete(Connection& db, domain::AccountId account,
                                                    const domain::Page& page) {
    domain::Paged<Upload> answer;
    {
        Query query(db, "SELECT count(*) FROM uploads WHERE account_id = ? AND status IN (?, ?)");
        KN_PASS(query.with(account, UploadStatus::active, UploadStatus::expired).step());
        answer.total = query.integer(0);
    }
    // One branch for each status, merged in order without sorting.
    std::vector<std::int64_t> numbers;
    {
        Query query(db,
                    "SELECT number, created_ms, id FROM uploads WHERE account_id = ? AND "
                    "status = ? UNION ALL "
                    "SELECT number, created_ms, id FROM uploads WHERE account_id = ? AND "
                    "status = ? ORDER BY created_ms DESC, id DESC LIMIT ? OFFSET ?");
        query.with(account, UploadStatus::active, account, UploadStatus::expired, page.limit,
                   page.offset());
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                break;
            }
            numbers.push_back(query.integer(0));
        }
    }
    for (const auto number : numbers) {
        Query query(db, KN_SELECT(kUploadColumns, "FROM uploads WHERE number = ?"));
        KN_PASS(query.with(number).step());
        KN_TRY(upload, read_upload(query));
        answer.items.push_back(std::move(upload));
    }
    return answer;
}

base::Result<std::vector<Chunk>> list_chunks(Connection& db, const Upload& upload,
                                             const domain::Page& page) {
    std::vector<Chunk> chunks;
    const auto first = page.offset() + 1;
    const auto last = std::min(page.offset() + page.limit, upload.total_chunks());
    for (auto index = first; index <= last; ++index) {
        chunks.push_back(pending_chunk(upload, index));
    }
    KN_TRY(numbered, find_numbered(db, upload.id));
    Query query(db,
                "SELECT chunk_index, state, attempt, etag, updated_ms FROM upload_chunks "
                "WHERE upload = ? AND chunk_index BETWEEN ? AND ?");
    query.with(numbered.number, first, last);
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return chunks;
        }
        const auto chunk = read_chunk(query);
        chunks.at(static_cast<std::size_t>(chunk.index - first)) = chunk;
    }
}

base::Result<FoundChunk> find_chunk(Connection& db, domain::UploadId id, std::int64_t index) {
    KN_TRY(numbered, find_numbered(db, id));
    if (!numbered.upload.has_chunk(index)) {
        return not_exist(std::to_string(index), "chunks");
    }
    KN_TRY(chunk, chunk_of(db, numbered, index));
    return FoundChunk{std::move(numbered.upload), std::move(chunk)};
}

base::Status finish_chunk(WriteTurn& turn, domain::UploadId id, std::int64_t index,
                          std::int64_t attempt, const std::string& etag, base::Timestamp now) {
    KN_TRY(numbered, find_numbered(turn.db, id));
    KN_PASS(numbered.upload.check_active(now));
    KN_TRY(chunk, chunk_of(turn.db, numbered, index));
    if (chunk.attempt != attempt || chunk.state != ChunkState::pending) {
        return chunk_error(Errc::chunk_replaced, index);
    }
    return save_chunk(turn, numbered,
                      {.index = index,
                       .state = ChunkState::written,
                       .attempt = attempt,
                       .etag = etag,
                       .updated_at = now});
}

base::Result<std::int64_t> restart_chunk(WriteTurn& turn, domain::UploadId id, std::int64_t index,
                                         base::Timestamp now) {
    KN_TRY(numbered, find_numbered(turn.db, id));
    KN_PASS(numbered.upload.check_active(now));
    KN_TRY(chunk, chunk_of(turn.db, numbered, index));
    if (chunk.state == ChunkState::reported) {
        return chunk_error(Errc::chunk_already_reported, index);
    }
    const auto attempt = chunk.attempt + 1;
    KN_PASS(save_chunk(turn, numbered,
                       {.index = index,
                        .state = ChunkState::pending,
                        .attempt = attempt,
                        .etag = {},
                        .updated_at = now}));
    return attempt;
}

/// True when the chunk is reported now, false when it was already.
base::Result<bool> report_chunk(WriteTurn& turn, const Numbered& numbered,
                                const ReportedChunk& reported, base::Timestamp now) {
    const auto index = reported.index;
    if (!numbered.upload.has_chunk(index)) {
        return base::fail(Errc::parameter_invalid,
                          {{"parameter", "chunk_index"},
                           {"reason", "The session has chunks 1 to " +
                                          std::to_string(numbered.upload.total_chunks()) + "."}});
    }
    KN_TRY(chunk, chunk_of(turn.db, numbered, index));
    if (chunk.state == ChunkState::reported) {
        return false;
    }
    const auto length = numbered.upload.chunk_length(index);
    if (reported.size_bytes != length) {
        return base::fail(Errc::chunk_size_wrong,
                          {{"chunk_index", std::to_string(index)},
                           {"expected_size", std::to_string(length)},
                           {"current_size", std::to_string(reported.size_bytes)}});
    }
    if (chunk.state == ChunkState::pending) {
        return chunk_error(Errc::chunk_not_uploaded, index);
    }
    if (reported.etag != chunk.etag) {
        return chunk_error(Errc::chunk_proof_wrong, index);
    }
    chunk.state = ChunkState::reported;
    chunk.updated_at = now;
    KN_PASS(save_chunk(turn, numbered, chunk));
    return true;
}

base::Result<ReportOutcome> report_chunks(WriteTurn& turn, domain::AccountId account,
                                          domain::UploadId id,
                                          const std::vector<ReportedChunk>& chunks,
                                          base::Timestamp now) {
    KN_TRY(numbered, find_numbered(turn.db, account, id));
    auto& upload = numbered.upload;
    if (upload.status_at(now) == UploadStatus::expired) {
        return base::fail(Errc::upload_expired, {{"upload_id", id.text()}});
    }
    ReportOutcome outcome;
    for (const auto& each : chunks) {
        KN_TRY(is_new, report_chunk(turn, numbered, each, now));
        if (is_new) {
            ++outcome.processed;
            ++upload.chunks_completed;
            upload.completed_bytes += upload.chunk_length(each.index);
        } else {
            ++outcome.duplicates;
        }
    }
    if (outcome.processed > 0) {
        outcome.completes = upload.chunks_completed == upload.total_chunks();
        upload.status = outcome.completes ? UploadStatus::completed : UploadStatus::active;
        upload.updated_at = now;
        Query query(turn.db,
                    "UPDATE uploads SET status = ?, chunks_completed = ?, completed_bytes = ?, "
                    "updated_ms = ? WHERE number = ?");
        KN_PASS(query
                    .with(upload.status, upload.chunks_completed, upload.completed_bytes, now,
                          numbered.number)
                    .done());
    }
    if (outcome.completes) {
        KN_PASS(insert_asset(turn, domain::asset_of(upload),
                             {{domain::JobKind::ingest_asset, upload.asset_id.text()}}));
    }
    outcome.upload = std::move(upload);
    return outcome;
}

struct Ending {
    base::Timestamp expired_at;  // sessions that expire then or before
    base::Timestamp now;
    std::int64_t most = 0;
};

base::Result<std::int64_t> expire_uploads(WriteTurn& turn, const Ending& ending) {
    Query query(turn.db,
                "UPDATE uploads SET status = ?, updated_ms = ? WHERE number IN (SELECT number "
                "FROM uploads WHERE status = ? AND expires_ms <= ? LIMIT ?) RETURNING asset_id");
    query.with(UploadStatus::expired, ending.now, UploadStatus::active, ending.expired_at,
               ending.most);
    std::vector<domain::AssetId> assets;
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            break;
        }
        assets.push_back(query.id<domain::AssetId>(0));
    }
    for (const auto& asset : assets) {
        KN_PASS(remove_asset_objects(turn, asset));
    }
    return static_cast<std::int64_t>(assets.size());
}

base::Result<std::int64_t> forget_uploads(WriteTurn& turn, base::Timestamp before,
                                          std::int64_t most) {
    std::vector<std::int64_t> numbers;
    for (const auto status : {UploadStatus::completed, UploadStatus::expired}) {
        Query query(turn.db,
                    "SELECT number FROM uploads WHERE status = ? AND updated_ms < ? LIMIT ?");
        query.with(status, before, most - static_cast<std::int64_t>(numbers.size()));
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                break;
            }
            numbers.push_back(query.integer(0));
        }
    }
    for (const auto number : numbers) {
        KN_PASS(Query(turn.db, "DELETE FROM upload_chunks WHERE upload = ?").with(number).done());
        KN_PASS(Query(turn.db, "DELETE FROM uploads WHERE number = ?").with(number).done());
    }
    return static_cast<std::int64_t>(numbers.size());
}

}  // namespace

Asked<void> SqliteUploads::insert_upload(Upload upload, std::int64_t open_max) {
    return access_.write<void>([upload = std::move(upload), open_max](WriteTurn& turn) {
        return sqlite::insert_upload(turn, upload, open_max);
    });
}

Asked<Upload> SqliteUploads::find_upload(domain::AccountId account, domain::UploadId id) {
    return access_.read<Upload>([account, id](Connection& db) -> base::Result<Upload> {
        KN_TRY(found, find_numbered(db, account, id));
        return std::move(found.upload);
    });
}

Asked<Upload> SqliteUploads::find_reservation(domain::AccountId account, domain::AssetId asset,
                                              base::Timestamp now) {
    return access_.read<Upload>([account, asset, now](Connection& db) -> base::Result<Upload> {
        Query query(db, KN_SELECT(kUploadColumns, "FROM uploads WHERE asset_id = ?"));
        KN_TRY(found, query.with(asset).step());
        if (!found) {
            return not_exist(asset, "assets");
        }
        KN_TRY(upload, read_upload(query));
        const bool open = upload.status_at(now) == UploadStatus::active;
        return open && upload.account_id == account ? base::Result<Upload>(std::move(upload))
                                                    : not_exist(asset, "assets");
    });
}

Asked<domain::Paged<Upload>> SqliteUploads::list_incomplete(domain::AccountId account,
                                                            domain::Page page) {
    return access_.read<domain::Paged<Upload>>(
        [account, page](Connection& db) -> base::Result<domain::Paged<Upload>> {
            // One transaction, so that total and items are of the same moment.
            KN_PASS(Query(db, "BEGIN").done());
            auto answer = sqlite::list_incomplete(db, account, page);
            KN_PASS(Query(db, "COMMIT").done());
            return answer;
        });
}

Asked<std::vector<Chunk>> SqliteUploads::list_chunks(Upload upload, domain::Page page) {
    return access_.read<std::vector<Chunk>>([upload = std::move(upload), page](Connection& db) {
        return sqlite::list_chunks(db, upload, page);
    });
}

Asked<FoundChunk> SqliteUploads::find_chunk(domain::UploadId id, std::int64_t index) {
    return access_.read<FoundChunk>(
        [id, index](Connection& db) { return sqlite::find_chunk(db, id, index); });
}

Asked<void> SqliteUploads::finish_chunk(domain::UploadId id, std::int64_t index,
                                        std::int64_t attempt, std::string etag,
                                        base::Timestamp now) {
    return access_.write<void>([id, index, attempt, now, etag = std::move(etag)](WriteTurn& turn) {
        return sqlite::finish_chunk(turn, id, index, attempt, etag, now);
    });
}

Asked<std::int64_t> SqliteUploads::restart_chunk(domain::UploadId id, std::int64_t index,
                                                 base::Timestamp now) {
    return access_.write<std::int64_t>(
        [id, index, now](WriteTurn& turn) { return sqlite::restart_chunk(turn, id, index, now); });
}

Asked<ReportOutcome> SqliteUploads::report_chunks(domain::AccountId account, domain::UploadId id,
                                                  std::vector<ReportedChunk> chunks,
                                                  base::Timestamp now) {
    return access_.write<ReportOutcome>(
        [account, id, now, chunks = std::move(chunks)](WriteTurn& turn) {
            return sqlite::report_chunks(turn, account, id, chunks, now);
        });
}

Asked<bool> SqliteUploads::uploads_due(base::Timestamp now, base::Timestamp before) {
    return access_.read<bool>([now, before](Connection& db) -> base::Result<bool> {
        Query query(db,
                    "SELECT EXISTS (SELECT 1 FROM uploads WHERE status = ? AND expires_ms <= ?) OR "
                    "EXISTS (SELECT 1 FROM uploads WHERE status = ? AND updated_ms < ?) OR "
                    "EXISTS (SELECT 1 FROM uploads WHERE status = ? AND updated_ms < ?)");
        KN_PASS(query
                    .with(UploadStatus::active, now, UploadStatus::completed, before,
                          UploadStatus::expired, before)
                    .step());
        return query.integer(0) != 0;
    });
}

Asked<std::int64_t> SqliteUploads::expire_uploads(base::Timestamp now, std::int64_t most) {
    return access_.write<std::int64_t>(
        [now, most](WriteTurn& turn) { return sqlite::expire_uploads(turn, {now, now, most}); });
}

Asked<std::int64_t> SqliteUploads::end_active_uploads(base::Timestamp now) {
    return access_.write<std::int64_t>([now](WriteTurn& turn) {
        constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
        return sqlite::expire_uploads(turn, {base::Timestamp::max(), now, kAll});
    });
}

Asked<std::int64_t> SqliteUploads::forget_uploads(base::Timestamp before, std::int64_t most) {
    return access_.write<std::int64_t>(
        [before, most](WriteTurn& turn) { return sqlite::forget_uploads(turn, before, most); });
}

}  // namespace kinodex::store::sqlite
