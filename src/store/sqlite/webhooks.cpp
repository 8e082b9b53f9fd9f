#include "store/sqlite/webhooks.h"

#include "store/sqlite/rows.h"
#include "store/sqlite/statements.h"

namespace kinodex::store::sqlite {
namespace {

using domain::Delivery;
using domain::DeliveryId;
using domain::DeliveryState;
using runtime::Asked;

constexpr std::int64_t kForgottenAtOnceMax = 5'000;

constexpr std::string_view kDeliveryColumns =
    "id, event_id, type, subject, url, body, state, attempts, last_error, created_ms, ended_ms";

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
    return delivery;
}

base::Status insert_one(WriteTurn& turn, const Delivery& delivery) {
    Query query(turn.db,
                "INSERT INTO deliveries (id, event_id, type, subject, url, body, state, attempts, "
                "last_error, created_ms) VALUES (?, ?, ?, ?, ?, ?, 0, 0, '', ?) "
                "ON CONFLICT (subject, type, url) DO NOTHING");
    query.with(delivery.id, std::string_view(delivery.event_id), std::string_view(delivery.type),
               std::string_view(delivery.subject), std::string_view(delivery.url),
               std::string_view(delivery.body), delivery.created_at);
    KN_PASS(query.done());
    if (rows_changed(turn.db) == 0) {
        return {};
    }
    return insert_job(turn, {domain::JobKind::deliver, delivery.id.text()});
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

Asked<bool> SqliteWebhooks::record_attempt(DeliveryId id, DeliveryState state, std::string error) {
    auto work = [id, state, error = std::move(error)](WriteTurn& turn) -> base::Result<bool> {
        const auto ended =
            state == DeliveryState::pending ? std::nullopt : std::optional(base::now());
        Query query(turn.db,
                    "UPDATE deliveries SET state = ?, attempts = attempts + 1, last_error = ?, "
                    "ended_ms = ? WHERE id = ?");
        KN_PASS(query.with(state, std::string_view(error), ended, id).done());
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
        query.with(state, limit);
        Deliveries deliveries;
        while (true) {
            KN_TRY(more, query.step());
            if (!more) {
                return deliveries;
            }
            deliveries.push_back(read_delivery(query));
        }
    });
}

Asked<void> SqliteWebhooks::redeliver(DeliveryId id) {
    return access_.write<void>([id](WriteTurn& turn) -> base::Status {
        // From now on, so that it is tried for as long as a new one.
        Query query(turn.db,
                    "UPDATE deliveries SET state = 0, attempts = 0, last_error = '', "
                    "ended_ms = NULL, created_ms = ? WHERE id = ?");
        KN_PASS(query.with(base::now(), id).done());
        if (rows_changed(turn.db) == 0) {
            return not_exist(id, "deliveries");
        }
        // One that waits for its next attempt is tried at once instead.
        const auto subject = id.text();
        Query waiting(turn.db, "DELETE FROM jobs WHERE kind = ? AND subject = ? AND owner IS NULL");
        KN_PASS(waiting.with(domain::JobKind::deliver, std::string_view(subject)).done());
        return insert_job(turn, {domain::JobKind::deliver, subject});
    });
}

Asked<std::int64_t> SqliteWebhooks::forget_deliveries(base::Timestamp ended_before) {
    return access_.write<std::int64_t>(
        [ended_before](WriteTurn& turn) -> base::Result<std::int64_t> {
            Query query(turn.db,
                        "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries "
                        "WHERE ended_ms < ? ORDER BY ended_ms LIMIT ?)");
            KN_PASS(query.with(ended_before, kForgottenAtOnceMax).done());
            return rows_changed(turn.db);
        });
}

}  // namespace kinodex::store::sqlite
