// Deliveries of webhooks: once for each subject, kept with what came of every attempt.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::Delivery;
using domain::DeliveryState;
using domain::JobKind;

Delivery new_delivery(const std::string& subject, const std::string& url = "https://a.example/") {
    Delivery delivery;
    delivery.id = domain::DeliveryId::next();
    delivery.event_id = "whe_" + subject;
    delivery.type = "index.task.ready";
    delivery.subject = subject;
    delivery.url = url;
    delivery.body = R"({"type":"index.task.ready"})";
    delivery.created_at = base::now();
    return delivery;
}

TEST_P(StoreConformance, delivery_comes_with_its_job_and_survives_a_restart) {
    const auto wanted = new_delivery("item");
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({wanted})));
    reopen();
    const auto kept = wait(store().webhooks().find_delivery(wanted.id)).value();
    EXPECT_EQ(kept.event_id, wanted.event_id);
    EXPECT_EQ(kept.type, wanted.type);
    EXPECT_EQ(kept.subject, wanted.subject);
    EXPECT_EQ(kept.url, wanted.url);
    EXPECT_EQ(kept.body, wanted.body);
    EXPECT_EQ(kept.state, DeliveryState::pending);
    EXPECT_EQ(kept.attempts, 0);
    EXPECT_EQ(kept.created_at, wanted.created_at);
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(take_jobs(JobKind::deliver), std::vector{wanted.id.text()});
}

TEST_P(StoreConformance, announcing_twice_tells_each_endpoint_once) {
    const auto first = new_delivery("item");
    const auto other = new_delivery("item", "https://b.example/");
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({first})));
    ASSERT_TRUE(wait(store().webhooks().insert_deliveries({new_delivery("item"), other})));
    EXPECT_EQ(take_jobs(JobKind::deliver), (std::vector{first.id.text(), other.id.text()}));
    const auto all = wait(store().webhooks().list_deliveries({}, 10)).value();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].id, other.id);  // newest first
}

TEST_P(StoreConformance, attempts_are_counted_with_what_came_of_them) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    EXPECT_EQ(wait(webhooks.record_attempt(delivery.id, DeliveryState::pending, "HTTP 500")), true);
    auto kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.attempts, 1);
    EXPECT_EQ(kept.last_error, "HTTP 500");
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(wait(webhooks.record_attempt(delivery.id, DeliveryState::delivered, "")), true);
    kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.attempts, 2);
    EXPECT_EQ(kept.state, DeliveryState::delivered);
    EXPECT_EQ(kept.last_error, "");
    EXPECT_TRUE(kept.ended_at);
    EXPECT_EQ(wait(webhooks.list_deliveries(DeliveryState::delivered, 10))->size(), 1u);
    EXPECT_TRUE(wait(webhooks.list_deliveries(DeliveryState::failed, 10))->empty());
    const auto gone = domain::DeliveryId::next();
    EXPECT_EQ(wait(webhooks.record_attempt(gone, DeliveryState::failed, "")), false);
}

TEST_P(StoreConformance, redelivery_begins_anew_with_one_job) {
    const auto delivery = new_delivery("item");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({delivery})));
    ASSERT_TRUE(wait(webhooks.record_attempt(delivery.id, DeliveryState::failed, "HTTP 410")));
    ASSERT_TRUE(wait(webhooks.redeliver(delivery.id)));
    const auto kept = wait(webhooks.find_delivery(delivery.id)).value();
    EXPECT_EQ(kept.state, DeliveryState::pending);
    EXPECT_EQ(kept.attempts, 0);
    EXPECT_FALSE(kept.ended_at);
    EXPECT_EQ(take_jobs(JobKind::deliver).size(), 1u);  // the first one was still waiting
    const auto gone = domain::DeliveryId::next();
    expect_not_exist(error_of(wait(webhooks.redeliver(gone))), gone.text(), "deliveries");
}

TEST_P(StoreConformance, only_deliveries_that_ended_are_forgotten) {
    const auto pending = new_delivery("pending");
    const auto ended = new_delivery("ended");
    auto& webhooks = store().webhooks();
    ASSERT_TRUE(wait(webhooks.insert_deliveries({pending, ended})));
    ASSERT_TRUE(wait(webhooks.record_attempt(ended.id, DeliveryState::delivered, "")));
    EXPECT_EQ(wait(webhooks.forget_deliveries(base::now() - std::chrono::hours(1))), 0);
    EXPECT_EQ(wait(webhooks.forget_deliveries(base::now() + std::chrono::hours(1))), 1);
    EXPECT_TRUE(wait(webhooks.find_delivery(pending.id)));
    expect_not_exist(error_of(wait(webhooks.find_delivery(ended.id))), ended.id.text(),
                     "deliveries");
}

TEST_P(StoreConformance, end_of_indexing_brings_its_jobs_in_the_same_step) {
    const auto item = add_indexed(add_index(account_), add_ready_asset(account_));
    IndexingOutcome outcome{domain::IndexingStatus::ready, {}, {}, {}};
    outcome.jobs.push_back({JobKind::announce, item.id.text()});
    EXPECT_EQ(wait(store().set_indexing(item.id, outcome)), true);
    EXPECT_EQ(take_jobs(JobKind::announce), std::vector{item.id.text()});
    outcome.jobs = {{JobKind::announce, "gone"}};
    EXPECT_EQ(wait(store().set_indexing(domain::IndexedAssetId::next(), outcome)), false);
    EXPECT_TRUE(take_jobs(JobKind::announce).empty());
}

}  // namespace
}  // namespace kinodex::store::conformance
