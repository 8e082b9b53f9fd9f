#include "store/sqlite/webhooks.h"

#include <boost/json.hpp>

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using domain::Delivery;
using domain::DeliveryId;
using domain::DeliveryState;
using runtime::Asked;

constexpr std::int64_t kChangedAtOnceMax = 5'000;

constexpr std::string_view kDeliveryColumns =
    "id, event_id, type, subject, url, body, state, attempts, last_error, created_ms, ended_ms, "
    "account_name";

Delivery read_delivery(const Query& query) {
    Delivery delivery;
    delivery.id = query.id<DeliveryId>(0);
    delivery.event_id = query.text(1);
    delivery.type = query.text(2);
    delivery.subject = query.text(3);
    delivery.url = query.text(4);
    delivery.body = query.text(5);
    delivery.state = query.word<DeliveryState>(6);
    delivery.attempts = static_cast<int>(query.integer(7));
    delivery.last_error = query.text(8);
    delivery.created_at = query.time(9);
    delivery.ended_at = query.maybe_time(10);
    delivery.account_name = query.text(11);
    return delivery;
}

base::Result<std::vector<Delivery>> read_deliveries(Query& query) {
    std::vector<Delivery> deliveries;
    while (true) {
        KN_TRY(more, query.step());
        if (!more) {
            return deliveries;
        }
        deliveries.push_back(read_delivery(query));
    }
}

base::Status insert_one(WriteTurn& turn, const Delivery& delivery) {
    Query query(turn.db,
                "INSERT INTO deliveries (id, event_id, type, subject, url, body, state, attempts, "
                "last_error, created_ms, account_name, due_ms) "
                "VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', ?7, ?8, ?7) "
                "ON CONFLICT (subject, type, url) DO NOTHING");
    query.with(delivery.id, std::string_view(delivery.event_id), std::string_view(delivery.type),
               std::string_view(delivery.subject), std::string_view(delivery.url),
               std::string_view(delivery.body), delivery.created_at,
               std::string_view(delivery.account_name));
    return query.done();
}

}  // namespace

Asked<void> SqliteWebhooks::insert_deliveries(std::vector<Delivery> deliveries) {
    auto work = [deliveries = std::move(deliveries)](WriteTurn& turn) -> base::Status {
        for (const auto& each : deliveries) {
            KN_PASS(insert_one(turn, each));
        }
        return {};
    };
    return access_.write<void>(std::move(work));
}

Asked<Delivery> SqliteWebhooks::find_delivery(DeliveryId id) {
    return access_.read<Delivery>([id](Connection& db) -> base::Result<Delivery> {
        Query query(db, KN_SELECT(kDeliveryColumns, "FROM deliveries WHERE id = ?"));
        KN_TRY(found, query.with(id).step());
        return found ? base::Result<Delivery>(read_delivery(query)) : not_exist(id, "deliveries");
    });
}

Asked<std::vector<Delivery>> SqliteWebhooks::due_deliveries(std::string url, base::Timestamp now,
                                                            std::int64_t limit) {
    using Deliveries = std::vector<Delivery>;
    auto work = [url = std::move(url), now, limit](Connection& db) -> base::Result<Deliveries> {
        Query query(db, KN_SELECT(kDeliveryColumns,
                                  "FROM deliveries WHERE state = 0 AND url = ? AND due_ms <= ? "
                                  "ORDER BY due_ms, number LIMIT ?"));
        return read_deliveries(query.with(std::string_view(url), now, limit));
    };
    return access_.read<Deliveries>(std::move(work));
}

Asked<bool> SqliteWebhooks::record_outcome(Delivery tried, domain::DeliveryOutcome outcome) {
    auto work = [tried = std::move(tried),
                 outcome = std::move(outcome)](WriteTurn& turn) -> base::Result<bool> {
        const auto now = base::now();
        const bool has_ended = outcome.state != DeliveryState::pending;
        Query query(turn.db,
                    "UPDATE deliveries SET state = ?, attempts = attempts + ?, last_error = ?, "
                    "ended_ms = ?, due_ms = ? WHERE id = ? AND created_ms = ?");
        query.with(outcome.state, outcome.was_tried ? 1 : 0, std::string_view(outcome.error),
                   has_ended ? std::optional(now) : std::nullopt, outcome.next_at.value_or(now),
                   tried.id, tried.created_at);
        KN_PASS(query.done());
        return rows_changed(turn.db) > 0;
    };
    return access_.write<bool>(std::move(work));
}

Asked<std::vector<Delivery>> SqliteWebhooks::list_deliveries(std::optional<DeliveryState> state,
                                                             std::int64_t limit) {
    using Deliveries = std::vector<Delivery>;
    return access_.read<Deliveries>([state, limit](Connection& db) -> base::Result<Deliveries> {
        Query query(db, KN_SELECT(kDeliveryColumns,
                                  "FROM deliveries WHERE ?1 IS NULL OR state = ?1 "
                                  "ORDER BY id DESC LIMIT ?2"));
        return read_deliveries(query.with(state, limit));
    });
}

Asked<void> SqliteWebhooks::redeliver(DeliveryId id) {
    return access_.write<void>([id](WriteTurn& turn) -> base::Status {
        // From now on, so that it is tried for as long as a new one; and never as it was created
        // before, so that an attempt that is under way cannot end this one.
        Query query(turn.db,
                    "UPDATE deliveries SET state = 0, attempts = 0, last_error = '', "
                    "ended_ms = NULL, created_ms = max(?1, created_ms + 1), due_ms = ?1 "
                    "WHERE id = ?2");
        KN_PASS(query.with(base::now(), id).done());
        if (rows_changed(turn.db) == 0) {
            return not_exist(id, "deliveries");
        }
        return {};
    });
}

Asked<std::int64_t> SqliteWebhooks::fail_deliveries_beside(std::vector<std::string> urls,
                                                           std::string error) {
    boost::json::array kept(urls.begin(), urls.end());
    auto work = [kept = boost::json::serialize(kept),
                 error = std::move(error)](WriteTurn& turn) -> base::Result<std::int64_t> {
        Query query(turn.db,
                    "UPDATE deliveries SET state = ?, last_error = ?, ended_ms = ? WHERE id IN "
                    "(SELECT id FROM deliveries WHERE state = 0 AND url NOT IN "
                    "(SELECT value FROM json_each(?)) LIMIT ?)");
        query.with(DeliveryState::failed, std::string_view(error), base::now(),
                   std::string_view(kept), kChangedAtOnceMax);
        KN_PASS(query.done());
        return rows_changed(turn.db);
    };
    return access_.write<std::int64_t>(std::move(work));
}

Asked<std::int64_t> SqliteWebhooks::forget_deliveries(base::Timestamp ended_before) {
    return access_.write<std::int64_t>(
        [ended_before](WriteTurn& turn) -> base::Result<std::int64_t> {
            Query query(turn.db,
                        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries "
                        "WHERE ended_ms < ? ORDER BY ended_ms LIMIT ?)");
            KN_PASS(query.with(ended_before, kChangedAtOnceMax).done());
            return rows_changed(turn.db);
        });
}

}  // namespace kinodex::store::sqlite
