#include <algorithm>

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"
#include "store/sqlite/transfer.h"

namespace kinodex::store::sqlite {

base::Status insert_job(WriteTurn& turn, const domain::NewJob& job) {
    const auto now = base::now();
    Query query(turn.db,
                "INSERT INTO jobs (id, kind, subject, attempts, run_at_ms, ready_ms) "
                "VALUES (?, ?, ?, 0, ?, ?)");
    const auto id = domain::JobId::next();
    return query.with(id, job.kind, std::string_view(job.subject), now, now).done();
}

base::Status remove_asset_objects(WriteTurn& turn, domain::AssetId id) {
    return insert_job(turn, {domain::JobKind::remove_objects, "assets/" + id.text() + "/"});
}

base::Result<std::optional<domain::Job>> lease_job(WriteTurn& turn,
                                                   const std::vector<domain::JobKind>& kinds,
                                                   std::string_view owner,
                                                   base::Timestamp lease_until) {
    // One look into the index for each kind: there are few, and each answers with its first row.
    std::optional<std::pair<std::int64_t, std::int64_t>> oldest;  // ready_ms, number
    const auto now = base::now();
    for (const auto kind : kinds) {
        if (kind == domain::JobKind::remove_objects) {
            KN_TRY(held, objects_held(turn.db));
            if (held) {
                continue;
            }
        }
        Query query(turn.db,
                    "SELECT ready_ms, number FROM jobs WHERE kind = ? AND ready_ms <= ? "
                    "ORDER BY ready_ms, number LIMIT 1");
        KN_TRY(found, query.with(kind, now).step());
        if (found) {
            const std::pair candidate{query.integer(0), query.integer(1)};
            oldest = oldest ? std::min(*oldest, candidate) : candidate;
        }
    }
    if (!oldest) {
        return std::nullopt;
    }
    Query query(turn.db,
                "UPDATE jobs SET owner = ?, ready_ms = ?, attempts = attempts + 1 "
                "WHERE number = ? RETURNING id, kind, subject, attempts");
    KN_PASS(query.with(owner, lease_until, oldest->second).step());
    domain::Job job{query.id<domain::JobId>(0), query.word<domain::JobKind>(1),
                    std::string(query.text(2)), static_cast<int>(query.integer(3)), lease_until};
    KN_PASS(query.done());
    return job;
}

base::Result<bool> renew_job(WriteTurn& turn, domain::JobId id, std::string_view owner,
                             base::Timestamp lease_until) {
    Query query(turn.db,
                "UPDATE jobs SET ready_ms = ? WHERE id = ? AND owner = ? AND ready_ms > ?");
    KN_PASS(query.with(lease_until, id, owner, base::now()).done());
    return rows_changed(turn.db) > 0;
}

base::Status finish_job(WriteTurn& turn, domain::JobId id, std::string_view owner) {
    // A lease that ran out but that nobody took since still is the owner's: the work is done.
    return Query(turn.db, "DELETE FROM jobs WHERE id = ? AND owner = ?").with(id, owner).done();
}

base::Status return_job(WriteTurn& turn, domain::JobId id, std::string_view owner,
                        base::Timestamp run_at, domain::Attempt attempt) {
    Query query(turn.db,
                "UPDATE jobs SET owner = NULL, run_at_ms = ?, ready_ms = ?, "
                "attempts = attempts - ? WHERE id = ? AND owner = ?");
    const std::int64_t taken_back = attempt == domain::Attempt::does_not_count ? 1 : 0;
    return query.with(run_at, run_at, taken_back, id, owner).done();
}

base::Result<std::int64_t> release_all_leases(WriteTurn& turn) {
    KN_PASS(
        Query(turn.db, "UPDATE jobs SET owner = NULL, ready_ms = run_at_ms WHERE owner IS NOT NULL")
            .done());
    return rows_changed(turn.db);
}

base::Result<JobCounts> count_jobs(Connection& db) {
    Query query(db,
                "SELECT (SELECT count(*) FROM jobs), "
                "(SELECT count(*) FROM jobs WHERE owner IS NOT NULL AND ready_ms > ?)");
    KN_PASS(query.with(base::now()).step());
    return JobCounts{query.integer(0) - query.integer(1), query.integer(1)};
}

}  // namespace kinodex::store::sqlite
