// When the check of an entity is queued: once there is something new to decide, and no oftener.
#include "store/conformance/entities.h"

namespace kinodex::store::conformance {
namespace {

using domain::EntityStatus;
using domain::JobKind;

TEST_P(EntityConformance, many_processing_images_of_many_entities_make_one_check_of_each) {
    const auto collection = add_collection();
    Ids images;
    for (int i = 0; i < 5; ++i) {
        images.push_back(add_asset(account_, "face.jpg").id);
    }
    std::vector<domain::Entity> many(4);
    for (auto& each : many) {
        each = add_entity(collection, images);
    }
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    for (const auto& id : images) {
        finish(id, domain::AssetType::image);
    }
    EXPECT_EQ(take_jobs(JobKind::check_entity).size(), many.size());
}

TEST_P(EntityConformance, the_end_of_an_ingest_brings_the_check_back) {
    const auto collection = add_collection();
    const auto good = add_asset(account_, "a.jpg");
    const auto bad = add_asset(account_, "b.jpg");
    const auto waiting = add_entity(collection, {good.id, bad.id});
    const auto settled = add_entity(collection, {good.id});
    settle(settled);
    take_jobs(JobKind::check_entity);
    finish(good.id, domain::AssetType::image);
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());  // it waits for the other one still
    finish(bad.id, domain::AssetType::unknown, domain::AssetStatus::failed);
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{waiting.id.text()});
    const auto look = wait(entities().inspect_entity(waiting.id)).value();
    ASSERT_EQ(look.references.size(), 2u);
    EXPECT_EQ(look.references[0].status, domain::AssetStatus::ready);
    EXPECT_EQ(look.references[1].status, domain::AssetStatus::failed);
}

TEST_P(EntityConformance, a_deletion_brings_a_check_only_where_it_may_change_the_verdict) {
    const auto collection = add_collection();
    const auto good = add_image();
    const auto bad = add_asset(account_, "b.jpg").id;
    const auto worse = add_asset(account_, "c.jpg").id;
    const auto slow = add_asset(account_, "d.jpg").id;
    const auto hopeless = add_entity(collection, {bad, worse});
    const auto fading = add_entity(collection, {bad, good});
    const auto waiting = add_entity(collection, {good, slow});
    for (const auto& id : {bad, worse}) {
        finish(id, domain::AssetType::unknown, domain::AssetStatus::failed);
    }
    settle(hopeless, {EntityStatus::processing, "nothing to see"});
    settle(fading);
    take_jobs(JobKind::check_entity);
    const auto drop = [&](domain::AssetId id) {
        EXPECT_TRUE(wait(store().delete_asset(account_, id, DeleteMode::force)));
    };
    drop(worse);
    EXPECT_EQ(found(hopeless).error_message, "nothing to see");
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    drop(good);  // the last one that `fading` could be known by; `waiting` waits for another
    EXPECT_EQ(found(fading).status, EntityStatus::processing);
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{fading.id.text()});
    const auto late = add_image();
    ASSERT_TRUE(wait(entities().add_entity_assets(account_, collection.id, waiting.id, {late})));
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    drop(slow);  // what it waited for is gone
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{waiting.id.text()});
    EXPECT_EQ(found(waiting).asset_ids, Ids{late});
}

}  // namespace
}  // namespace kinodex::store::conformance
