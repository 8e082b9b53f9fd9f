// Jobs: leased by one worker at a time, never lost, oldest first.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

using domain::Attempt;
using domain::JobKind;
using std::chrono::hours;

const std::vector<JobKind> kAllKinds{
    JobKind::ingest_asset,   JobKind::make_thumbnail, JobKind::make_rendition, JobKind::index_asset,
    JobKind::remove_objects, JobKind::fetch_url,      JobKind::check_entity};

base::Timestamp later() {
    return base::now() + hours(1);
}
/// A lease until then has run out at once: no test waits for a clock.
base::Timestamp past() {
    return base::now() - hours(1);
}

TEST_P(StoreConformance, oldest_job_of_the_asked_kinds_is_leased) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::make_thumbnail, "t"})));
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    const auto first = wait(store().lease_job({JobKind::index_asset}, "w", later())).value();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->subject, "a");
    EXPECT_EQ(first->attempts, 1);
    EXPECT_EQ(first->kind, JobKind::index_asset);
    const auto second = wait(store().lease_job(kAllKinds, "w", later())).value();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->subject, "t");
    const auto third = wait(store().lease_job(kAllKinds, "w", later())).value();
    ASSERT_TRUE(third);
    EXPECT_NE(third->id, first->id);  // a subject can have several jobs
    EXPECT_FALSE(*wait(store().lease_job(kAllKinds, "w", later())));
    EXPECT_FALSE(*wait(store().lease_job({}, "w", later())));
}

TEST_P(StoreConformance, job_with_a_lost_lease_is_leased_again) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    const auto lost = wait(store().lease_job(kAllKinds, "first", past())).value();
    EXPECT_EQ(wait(store().renew_job(lost->id, "first", later())), false);
    const auto again = wait(store().lease_job(kAllKinds, "second", later())).value();
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, lost->id);
    EXPECT_EQ(again->attempts, 2);
    // The first worker can no longer do anything to it.
    EXPECT_TRUE(wait(store().finish_job(lost->id, "first")));
    EXPECT_TRUE(wait(store().return_job(lost->id, "first", past(), Attempt::counts)));
    EXPECT_EQ(wait(store().renew_job(again->id, "second", later())), true);
    EXPECT_FALSE(*wait(store().lease_job(kAllKinds, "third", later())));
}

TEST_P(StoreConformance, finished_job_is_gone) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    const auto job = wait(store().lease_job(kAllKinds, "w", later())).value();
    EXPECT_TRUE(wait(store().finish_job(job->id, "w")));
    EXPECT_EQ(wait(store().renew_job(job->id, "w", later())), false);
    reopen();
    EXPECT_EQ(wait(store().release_all_leases()), 0);
    EXPECT_FALSE(*wait(store().lease_job(kAllKinds, "w", later())));
}

TEST_P(StoreConformance, returned_job_waits_for_its_time) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    const auto job = wait(store().lease_job(kAllKinds, "w", later())).value();
    EXPECT_TRUE(wait(store().return_job(job->id, "w", later(), Attempt::counts)));
    EXPECT_FALSE(*wait(store().lease_job(kAllKinds, "w", later())));
    EXPECT_EQ(wait(store().release_all_leases()), 0);  // nobody holds it
    EXPECT_FALSE(*wait(store().lease_job(kAllKinds, "w", later())));

    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "b"})));
    const auto next = wait(store().lease_job(kAllKinds, "w", later())).value();
    EXPECT_EQ(next->subject, "b");
    EXPECT_TRUE(wait(store().return_job(next->id, "w", past(), Attempt::counts)));
    EXPECT_EQ((*wait(store().lease_job(kAllKinds, "w", later())))->subject, "b");
}

TEST_P(StoreConformance, attempt_that_does_not_count_is_taken_back) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    for (int i = 0; i < 3; ++i) {
        const auto job = wait(store().lease_job(kAllKinds, "w", later())).value();
        EXPECT_EQ(job->attempts, 1);
        EXPECT_TRUE(wait(store().return_job(job->id, "w", past(), Attempt::does_not_count)));
        EXPECT_TRUE(wait(store().return_job(job->id, "w", past(), Attempt::does_not_count)))
            << "it is nobody's any more";
    }
    const auto job = wait(store().lease_job(kAllKinds, "w", later())).value();
    EXPECT_TRUE(wait(store().return_job(job->id, "w", past(), Attempt::counts)));
    EXPECT_EQ((*wait(store().lease_job(kAllKinds, "w", later())))->attempts, 2);
}

TEST_P(StoreConformance, restart_ends_every_lease_and_keeps_the_order) {
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "a"})));
    ASSERT_TRUE(wait(store().lease_job(kAllKinds, "w", later())));
    ASSERT_TRUE(wait(store().insert_job({JobKind::index_asset, "b"})));
    reopen();
    const auto counts = wait(store().count_jobs()).value();
    EXPECT_EQ(counts.waiting, 1);
    EXPECT_EQ(counts.running, 1);
    EXPECT_EQ(wait(store().release_all_leases()), 1);
    EXPECT_EQ(wait(store().count_jobs())->waiting, 2);
    EXPECT_EQ((*wait(store().lease_job(kAllKinds, "w", later())))->subject, "a");
}

}  // namespace
}  // namespace kinodex::store::conformance
