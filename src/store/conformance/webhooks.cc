// Deliveries of webhooks: once for each subject, kept with what came of every attempt.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::Delivery;
using domain::DeliveryOutcome;
using domain::DeliveryState;
using domain::JobKind;

Delivery new_delivery(const std::string& subject, const std::string& url = "https://a.example/") {
    Delivery delivery;
    delivery.id = domain::DeliveryId::next();
    delivery.event_id = "whe_" + subject;
    delivery.type = "index.task.ready";
    delivery.subject = subject;
    delivery.account_name = "films";
    delivery.url = url;
    delivery.body = R"({"type":"index.task.ready"})";
    delivery.created_at = base::now();
    return delivery;
}

DeliveryOutcome outcome(DeliveryState state, const std::string& error = {}) {
    DeliveryOutcome made;
    made.state = state;
    made.error = error;
    return made;
}

using Ids = std::vector<domain::DeliveryId>;

Ids due_ids(WebhookStore& webhooks, base::Timestamp now, std::int64_t limit = 10,
            const std::string& url = "https://a.example/") {
    Ids ids;
    for (const auto& each : wait(webhooks.due_deliveries(url, now, limit)).value()) {
        ids.push_back(each.id);
    }
    return ids;
}

TEST_P(StoreConformance, delivery_is_due_at_once_and_survives_a_restart) {
    const auto wanted = new_delivery("item");
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({wanted})));
    reopen();
    const auto kept = wait(store().webhooks().find_delivery(wanted.id)).value();
    EXPECT_EQ(kept.event_id, wanted.event_id);
    EXPECT_EQ(kept.type, wanted.type);
    EXPECT_EQ(kept.subject, wanted.subject);
    EXPECT_EQ(kept.account_name, wanted.account_name);
    EXPECT_EQ(kept.url, wanted.url);
    EXPECT_EQ(kept.body, wanted.body);
    EXPECT_EQ(kept.state, DeliveryState::pending);
    EXPECT_EQ(kept.attempts, 0);
    EXPECT_EQ(kept.created_at, wanted.created_at);
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(due_ids(store().webhooks(), wanted.created_at), Ids{wanted.id});
}

TEST_P(StoreConformance, announcing_twice_tells_each_endpoint_once) {
    const auto first = new_delivery("item");
    const auto other = new_delivery("item", "https://b.example/");
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({first})));
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({new_delivery("item"), other})));
    EXPECT_EQ(due_ids(store().webhooks(), base::now()), Ids{first.id});
    EXPECT_EQ(due_ids(store().webhooks(), base::now(), 10, other.url), Ids{other.id});
    const auto all = wait(store().webhooks().list_deliveries({}, 10)).value();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].id, other.id);  // newest first
}

TEST_P(StoreConformance, attempts_are_counted_with_what_came_of_them) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    auto failed = outcome(DeliveryState::pending, "HTTP 500");
    failed.next_at = delivery.created_at + std::chrono::hours(1);
    EXPECT_EQ(wait(webhooks.record_outcome(delivery, failed)), true);
    auto kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.attempts, 1);
    EXPECT_EQ(kept.last_error, "HTTP 500");
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(due_ids(webhooks, *failed.next_at - std::chrono::milliseconds(1)), Ids{});
    EXPECT_EQ(due_ids(webhooks, *failed.next_at), Ids{delivery.id});
    EXPECT_EQ(wait(webhooks.record_outcome(delivery, outcome(DeliveryState::delivered))), true);
    kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.attempts, 2);
    EXPECT_EQ(kept.state, DeliveryState::delivered);
    EXPECT_EQ(kept.last_error, "");
    EXPECT_TRUE(kept.ended_at);
    EXPECT_EQ(due_ids(webhooks, *failed.next_at), Ids{});
    EXPECT_EQ(wait(webhooks.list_deliveries(DeliveryState::delivered, 10))->size(), 1u);
    EXPECT_TRUE(wait(webhooks.list_deliveries(DeliveryState::failed, 10))->empty());
    const auto gone = new_delivery("gone");
    EXPECT_EQ(wait(webhooks.record_outcome(gone, outcome(DeliveryState::failed))), false);
}

TEST_P(StoreConformance, delivery_that_was_not_tried_counts_no_attempt) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    auto untried = outcome(DeliveryState::failed, "not configured");
    untried.was_tried = false;
    EXPECT_EQ(wait(webhooks.record_outcome(delivery, untried)), true);
    const auto kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.attempts, 0);
    EXPECT_EQ(kept.state, DeliveryState::failed);
    EXPECT_TRUE(kept.ended_at);
}

TEST_P(StoreConformance, deliveries_are_due_by_url_the_longest_due_first) {
    std::vector<Delivery> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(new_delivery("item" + std::to_string(i)));
        all.back().created_at = base::Timestamp(std::chrono::milliseconds(1'000'000 - i));
    }
    all.push_back(new_delivery("item", "https://b.example/"));
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries(all)));
    const auto now = base::now();
    EXPECT_EQ(due_ids(webhooks, now, 3), (Ids{all[3].id, all[2].id, all[1].id}));
    EXPECT_EQ(due_ids(webhooks, all[2].created_at), (Ids{all[3].id, all[2].id}));
}

TEST_P(StoreConformance, redelivery_begins_anew_and_is_due_at_once) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    ASSERT_TRUE(
        wait(webhooks.record_outcome(delivery, outcome(DeliveryState::failed, "HTTP 410"))));
    for (int i = 0; i < 3; ++i) {  // asked for again and again, there is one all the same
        ASSERT_TRUE(wait(webhooks.redeliver(delivery.id)));
    }
    const auto kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.state, DeliveryState::pending);
    EXPECT_EQ(kept.attempts, 0);
    EXPECT_EQ(kept.last_error, "");
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(due_ids(webhooks, base::now()), Ids{delivery.id});
    const auto gone = domain::DeliveryId::next();
    expect_not_exist(error_of(wait(webhooks.redeliver(gone))), gone.text(), "deliveries");
}

TEST_P(StoreConformance, attempt_from_before_a_redelivery_does_not_end_it) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    ASSERT_TRUE(wait(webhooks.redeliver(delivery.id)));  // maybe within the same millisecond
    const auto anew = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(wait(webhooks.record_outcome(delivery, outcome(DeliveryState::delivered))), false);
    EXPECT_EQ(wait(webhooks.find_delivery(delivery.id))->state, DeliveryState::pending);
    ASSERT_TRUE(wait(webhooks.redeliver(delivery.id)));
    EXPECT_EQ(wait(webhooks.record_outcome(anew, outcome(DeliveryState::failed))), false);
    EXPECT_EQ(due_ids(webhooks, base::now()), Ids{delivery.id});
}

TEST_P(StoreConformance, deliveries_to_urls_that_are_gone_end_as_failed) {
    const auto kept = new_delivery("kept");
    const auto gone = new_delivery("gone", "https://b.example/");
    const auto told = new_delivery("told", "https://b.example/");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({kept, gone, told})));
    ASSERT_TRUE(wait(webhooks.record_outcome(told, outcome(DeliveryState::delivered))));
    EXPECT_EQ(wait(webhooks.fail_deliveries_beside({kept.url, "https://c.example/"}, "gone")), 1);
    EXPECT_EQ(wait(webhooks.find_delivery(kept.id))->state, DeliveryState::pending);
    EXPECT_EQ(wait(webhooks.find_delivery(told.id))->state, DeliveryState::delivered);
    const auto ended = wait(webhooks.find_delivery(gone.id)).value();
    EXPECT_EQ(ended.state, DeliveryState::failed);
    EXPECT_EQ(ended.last_error, "gone");
    EXPECT_TRUE(ended.ended_at);
    EXPECT_EQ(wait(webhooks.fail_deliveries_beside({}, "gone")), 1);
    EXPECT_EQ(wait(webhooks.fail_deliveries_beside({}, "gone")), 0);
}

TEST_P(StoreConformance, only_deliveries_that_ended_are_forgotten) {
    const auto pending = new_delivery("pending");
    const auto ended = new_delivery("ended");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({pending, ended})));
    ASSERT_TRUE(wait(webhooks.record_outcome(ended, outcome(DeliveryState::delivered))));
    EXPECT_EQ(wait(webhooks.forget_deliveries(base::now() - std::chrono::hours(1))), 0);
    EXPECT_EQ(wait(webhooks.forget_deliveries(base::now() + std::chrono::hours(1))), 1);
    EXPECT_TRUE(wait(webhooks.find_delivery(pending.id)));
    expect_not_exist(error_of(wait(webhooks.find_delivery(ended.id))), ended.id.text(),
                     "deliveries");
}

TEST_P(StoreConformance, end_of_indexing_brings_its_jobs_in_the_same_step) {
    const auto item = add_indexed(add_index(account_), add_ready_asset(account_));
    IndexingOutcome ready{domain::IndexingStatus::ready, {}, {}, {}};
    ready.jobs.push_back({JobKind::announce, item.id.text()});
    EXPECT_EQ(wait(store().set_indexing(item.id, ready)), true);
    EXPECT_EQ(take_jobs(JobKind::announce), std::vector{item.id.text()});
    ready.jobs = {{JobKind::announce, "gone"}};
    EXPECT_EQ(wait(store().set_indexing(domain::IndexedAssetId::next(), ready)), false);
    EXPECT_TRUE(take_jobs(JobKind::announce).empty());
}

}  // namespace
}  // namespace kinodex::store::conformance
