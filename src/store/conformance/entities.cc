// Entity collections and entities: lists in every order, links to assets that follow what happens
// to them, and the check that is queued whenever there is something new to look at.
#include "store/conformance/entities.h"

namespace kinodex::store::conformance {

using domain::EntityStatus;
using domain::JobKind;

domain::EntityCollection EntityConformance::add_collection(const std::string& name) {
    domain::EntityCollection collection;
    collection.id = domain::EntityCollectionId::next();
    collection.account_id = account_;
    collection.name = name;
    collection.created_at = base::now();
    collection.updated_at = collection.created_at;
    EXPECT_TRUE(wait(entities().insert_collection(collection)));
    return collection;
}

domain::AssetId EntityConformance::add_image() {
    const auto id = add_asset(account_, "face.jpg").id;
    finish(id, domain::AssetType::image);
    return id;
}

void EntityConformance::finish(domain::AssetId id, domain::AssetType type,
                               domain::AssetStatus status) {
    IngestOutcome outcome;
    outcome.status = status;
    outcome.type = type;
    outcome.width = 640;
    outcome.height = 480;
    EXPECT_EQ(wait(store().finish_ingest(id, outcome, {})), true);
}

domain::Entity EntityConformance::new_entity(const domain::EntityCollection& collection, Ids assets,
                                             const std::string& name) {
    domain::Entity entity;
    entity.id = domain::EntityId::next();
    entity.entity_collection_id = collection.id;
    entity.account_id = account_;
    entity.name = name;
    entity.asset_ids = std::move(assets);
    entity.created_at = base::now();
    entity.updated_at = entity.created_at;
    return entity;
}

domain::Entity EntityConformance::add_entity(const domain::EntityCollection& collection, Ids assets,
                                             const std::string& name) {
    auto entity = new_entity(collection, std::move(assets), name);
    auto outcomes = wait(entities().insert_entities(account_, collection.id, {entity}));
    EXPECT_TRUE(outcomes && outcomes->size() == 1 && outcomes->front());
    return entity;
}

domain::Entity EntityConformance::found(const domain::Entity& entity) {
    auto read = wait(entities().find_entity(account_, entity.entity_collection_id, entity.id));
    EXPECT_TRUE(read);
    return read.value_or(domain::Entity{});
}

void EntityConformance::settle(const domain::Entity& entity, const EntityVerdict& verdict) {
    const auto look = wait(entities().inspect_entity(entity.id)).value();
    EXPECT_EQ(wait(entities().settle_entity(entity.id, look.revision, verdict)), true);
}

base::Error EntityConformance::refusal(const domain::EntityCollection& collection, Ids assets) {
    auto outcomes = wait(entities().insert_entities(account_, collection.id,
                                                    {new_entity(collection, std::move(assets))}));
    EXPECT_TRUE(outcomes && outcomes->size() == 1 && !outcomes->front());
    return outcomes->front().error();
}

std::vector<std::string> EntityConformance::names(const domain::EntityCollection& collection,
                                                  const domain::EntityFilter& filter,
                                                  const domain::Page& page) {
    auto list = wait(entities().list_entities(account_, collection.id, filter, page)).value();
    std::vector<std::string> answer{std::to_string(list.total)};
    for (const auto& each : list.items) {
        answer.push_back(each.name);
    }
    return answer;
}

namespace {

domain::EntityFilter sorted(domain::EntitySortBy by, domain::SortOrder order) {
    domain::EntityFilter filter;
    filter.sort_by = by;
    filter.order = order;
    return filter;
}

TEST_P(EntityConformance, collection_is_kept_changed_and_only_its_accounts) {
    auto collection = add_collection("People");
    reopen();
    auto read = wait(entities().find_collection(account_, collection.id)).value();
    EXPECT_EQ(read.name, "People");
    EXPECT_EQ(read.description, "");
    EXPECT_EQ(read.created_at, collection.created_at);
    read = wait(entities().change_collection(account_, collection.id, {{}, "who is who"})).value();
    EXPECT_EQ(read.name, "People");
    EXPECT_EQ(read.description, "who is who");
    EXPECT_GE(read.updated_at, collection.updated_at);
    read = wait(entities().change_collection(account_, collection.id, {"Crew", {}})).value();
    EXPECT_EQ(read.name, "Crew");
    EXPECT_EQ(read.description, "who is who");
    const auto id = collection.id.text();
    constexpr std::string_view kName = "entity-collections";
    expect_not_exist(error_of(wait(entities().find_collection(stranger_, collection.id))), id,
                     kName);
    expect_not_exist(error_of(wait(entities().change_collection(stranger_, collection.id, {}))), id,
                     kName);
    expect_not_exist(error_of(wait(entities().delete_collection(stranger_, collection.id))), id,
                     kName);
    expect_not_exist(error_of(wait(entities().insert_entities(stranger_, collection.id, {}))), id,
                     kName);
    expect_not_exist(error_of(wait(entities().list_entities(stranger_, collection.id, {}, {}))), id,
                     kName);
    EXPECT_EQ(wait(entities().list_collections(stranger_, {}, {})).value().total, 0);
}

TEST_P(EntityConformance, collections_are_listed_in_every_order_with_exact_totals) {
    const auto first = add_collection("beta");
    add_collection("Alpha");
    add_collection("Öl");
    ASSERT_TRUE(wait(entities().change_collection(account_, first.id, {{}, "newer"})));
    const auto listed_names = [&](domain::EntityFilter filter, domain::Page page = {1, 50}) {
        auto list = wait(entities().list_collections(account_, filter, page)).value();
        std::vector<std::string> answer{std::to_string(list.total)};
        for (const auto& each : list.items) {
            answer.push_back(each.name);
        }
        return answer;
    };
    using By = domain::EntitySortBy;
    using Order = domain::SortOrder;
    using Names = std::vector<std::string>;
    EXPECT_EQ(listed_names({}), (Names{"3", "Öl", "Alpha", "beta"}));
    EXPECT_EQ(listed_names(sorted(By::created_at, Order::asc)),
              (Names{"3", "beta", "Alpha", "Öl"}));
    EXPECT_EQ(listed_names(sorted(By::name, Order::asc)), (Names{"3", "Alpha", "beta", "Öl"}));
    EXPECT_EQ(listed_names(sorted(By::name, Order::desc)), (Names{"3", "Öl", "beta", "Alpha"}));
    EXPECT_EQ(listed_names({}, {2, 2}), (Names{"3", "beta"}));
    EXPECT_EQ(listed_names({}, {3, 2}), (Names{"3"}));
    domain::EntityFilter part;
    part.name_part = "öL";
    EXPECT_EQ(listed_names(part), (Names{"1", "Öl"}));
    part.name_part = "%";
    EXPECT_EQ(listed_names(part), (Names{"0"}));
}

TEST_P(EntityConformance, entity_is_kept_whole_and_queued_for_its_check) {
    const auto collection = add_collection();
    const auto first = add_image();
    const auto second = add_image();
    auto entity = new_entity(collection, {second, first}, "Żółw");
    entity.description = "green";
    entity.metadata = {{"n", std::int64_t{5}}, {"f", 9.0}, {"empty", std::string()}};
    ASSERT_TRUE(
        wait(entities().insert_entities(account_, collection.id, {entity})).value().front());
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{entity.id.text()});
    reopen();
    const auto read = found(entity);
    EXPECT_EQ(read.entity_collection_id, collection.id);
    EXPECT_EQ(read.name, "Żółw");
    EXPECT_EQ(read.description, "green");
    EXPECT_EQ(read.metadata, entity.metadata);
    EXPECT_EQ(read.asset_ids, (Ids{second, first}));
    EXPECT_EQ(read.status, EntityStatus::processing);
    EXPECT_EQ(read.created_at, entity.created_at);
}

TEST_P(EntityConformance, entity_is_found_in_its_own_collection_only) {
    const auto collection = add_collection();
    const auto other = add_collection("other");
    const auto entity = add_entity(collection, {add_image()});
    const auto id = entity.id.text();
    expect_not_exist(error_of(wait(entities().find_entity(account_, other.id, entity.id))), id,
                     "entities");
    expect_not_exist(error_of(wait(entities().change_entity(account_, other.id, entity.id, {}))),
                     id, "entities");
    expect_not_exist(error_of(wait(entities().delete_entity(account_, other.id, entity.id))), id,
                     "entities");
    expect_not_exist(
        error_of(wait(entities().add_entity_assets(account_, other.id, entity.id, {}))), id,
        "entities");
    expect_not_exist(error_of(wait(entities().find_entity(stranger_, collection.id, entity.id))),
                     collection.id.text(), "entity-collections");
}

TEST_P(EntityConformance, only_images_of_the_account_become_references) {
    const auto collection = add_collection();
    const auto video = add_ready_asset(account_);
    EXPECT_EQ(refusal(collection, {video.id}).value("parameter"), "asset_ids");
    const auto broken = add_asset(account_);
    finish(broken.id, domain::AssetType::unknown, domain::AssetStatus::failed);
    EXPECT_EQ(refusal(collection, {add_image(), broken.id}).code, base::Errc::parameter_invalid);
    const auto foreign = add_asset(stranger_);
    expect_not_exist(refusal(collection, {foreign.id}), foreign.id.text(), "assets");
    EXPECT_EQ(names(collection, {}), std::vector<std::string>{"0"});
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    add_entity(collection, {add_asset(account_).id});  // processing: it may become an image
}

TEST_P(EntityConformance, of_many_each_is_added_or_not) {
    const auto collection = add_collection();
    const auto image = add_image();
    const auto missing = domain::AssetId::next();
    auto outcomes = wait(entities().insert_entities(account_, collection.id,
                                                    {new_entity(collection, {image}, "a"),
                                                     new_entity(collection, {image, missing}, "b"),
                                                     new_entity(collection, {image}, "c")}))
                        .value();
    ASSERT_EQ(outcomes.size(), 3u);
    EXPECT_TRUE(outcomes[0]);
    expect_not_exist(error_of(outcomes[1]), missing.text(), "assets");
    EXPECT_TRUE(outcomes[2]);
    EXPECT_EQ(names(collection, {}), (std::vector<std::string>{"2", "c", "a"}));
    EXPECT_EQ(take_jobs(JobKind::check_entity).size(), 2u);
}

TEST_P(EntityConformance, entities_are_listed_by_status_name_and_time) {
    const auto collection = add_collection();
    const auto image = add_image();
    const auto first = add_entity(collection, {image}, "beta");
    add_entity(collection, {image}, "Alpha");
    const auto third = add_entity(collection, {image}, "alphabet");
    settle(first);
    using By = domain::EntitySortBy;
    using Order = domain::SortOrder;
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(collection, sorted(By::created_at, Order::desc), {1, 2}),
              (Names{"3", "alphabet", "Alpha"}));
    EXPECT_EQ(names(collection, sorted(By::name, Order::asc)),
              (Names{"3", "Alpha", "alphabet", "beta"}));
    domain::EntityFilter filter;
    filter.status = EntityStatus::ready;
    EXPECT_EQ(names(collection, filter), (Names{"1", "beta"}));
    filter.status = EntityStatus::processing;
    filter.name_part = "ALPHA";
    for (const auto by : {By::created_at, By::updated_at, By::name}) {
        filter.sort_by = by;
        EXPECT_EQ(names(collection, filter).size(), 3u);
    }
    ASSERT_TRUE(wait(entities().change_entity(account_, collection.id, third.id, {"z", {}, {}})));
    EXPECT_EQ(names(collection, filter), (Names{"1", "Alpha"}));
    EXPECT_EQ(names(collection, sorted(By::name, Order::desc)), (Names{"3", "z", "beta", "Alpha"}));
}

TEST_P(EntityConformance, change_replaces_metadata_whole_and_leaves_the_rest) {
    const auto collection = add_collection();
    auto entity = new_entity(collection, {add_image()});
    entity.metadata = {{"a", std::int64_t{1}}, {"b", true}};
    ASSERT_TRUE(
        wait(entities().insert_entities(account_, collection.id, {entity})).value().front());
    settle(entity);
    domain::EntityChange change;
    change.metadata =
        domain::MetadataChange{domain::MetadataMode::whole,
                               {{"c", domain::MetadataValue(std::string())}, {"a", std::nullopt}}};
    auto read = wait(entities().change_entity(account_, collection.id, entity.id, change)).value();
    EXPECT_EQ(read.metadata, (domain::Metadata{{"c", std::string()}}));
    EXPECT_EQ(read.name, "Anna");
    EXPECT_EQ(read.status, EntityStatus::ready);  // its images are what they were
    read = wait(entities().change_entity(account_, collection.id, entity.id, {{}, "tall", {}}))
               .value();
    EXPECT_EQ(read.description, "tall");
    EXPECT_EQ(read.metadata, (domain::Metadata{{"c", std::string()}}));
}

TEST_P(EntityConformance, added_assets_are_checked_and_known_ones_left_out) {
    const auto collection = add_collection();
    const auto first = add_image();
    const auto entity = add_entity(collection, {first});
    settle(entity);
    take_jobs(JobKind::check_entity);
    auto read =
        wait(entities().add_entity_assets(account_, collection.id, entity.id, {first})).value();
    EXPECT_EQ(read.status, EntityStatus::ready);
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    const auto second = add_image();
    read = wait(entities().add_entity_assets(account_, collection.id, entity.id, {first, second}))
               .value();
    EXPECT_EQ(read.asset_ids, (Ids{first, second}));
    EXPECT_EQ(read.status, EntityStatus::processing);
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{entity.id.text()});
    const auto video = add_ready_asset(account_);
    EXPECT_EQ(error_of(wait(entities().add_entity_assets(account_, collection.id, entity.id,
                                                         {add_image(), video.id})))
                  .code,
              base::Errc::parameter_invalid);
    EXPECT_EQ(found(entity).asset_ids, (Ids{first, second}));
}

TEST_P(EntityConformance, an_entity_holds_so_many_assets_and_no_more) {
    const auto collection = add_collection();
    Ids images;
    for (std::size_t i = 0; i < domain::kEntityAssetsMax; ++i) {
        images.push_back(add_image());
    }
    const auto entity = add_entity(collection, {images.begin(), images.end() - 1});
    EXPECT_EQ(error_of(wait(entities().add_entity_assets(account_, collection.id, entity.id,
                                                         {images.back(), add_image()})))
                  .value("parameter"),
              "asset_ids");
    EXPECT_TRUE(
        wait(entities().add_entity_assets(account_, collection.id, entity.id, {images.back()})));
    EXPECT_EQ(found(entity).asset_ids, images);
    EXPECT_FALSE(
        wait(entities().add_entity_assets(account_, collection.id, entity.id, {add_image()})));
}

TEST_P(EntityConformance, an_asset_is_in_so_many_entities_and_no_more) {
    const auto collection = add_collection();
    const auto image = add_image();
    std::vector<domain::Entity> many;
    for (std::int64_t i = 0; i < domain::kEntitiesOfAssetMax; ++i) {
        many.push_back(new_entity(collection, {image}));
    }
    for (const auto& outcome :
         wait(entities().insert_entities(account_, collection.id, many)).value()) {
        EXPECT_TRUE(outcome);
    }
    EXPECT_EQ(refusal(collection, {image}).value("parameter"), "asset_ids");
    // So many go with their collection, in several steps, and at once for everybody.
    ASSERT_TRUE(wait(entities().delete_collection(account_, collection.id)));
    EXPECT_EQ(wait(entities().list_entities_of_asset(account_, image, {})).value().total, 0);
    expect_not_exist(error_of(wait(entities().inspect_entity(many.back().id))),
                     many.back().id.text(), "entities");
    reopen();
    EXPECT_EQ(wait(entities().list_entities_of_asset(account_, image, {})).value().total, 0);
    EXPECT_TRUE(wait(store().find_asset(account_, image)));
}

TEST_P(EntityConformance, the_last_asset_stays) {
    const auto collection = add_collection();
    const auto first = add_image();
    const auto second = add_image();
    const auto entity = add_entity(collection, {first, second});
    settle(entity);
    take_jobs(JobKind::check_entity);
    const auto drop = [&](Ids assets) {
        return wait(
            entities().remove_entity_assets(account_, collection.id, entity.id, std::move(assets)));
    };
    EXPECT_EQ(error_of(drop({first, second})).value("parameter"), "asset_ids");
    EXPECT_EQ(found(entity).status, EntityStatus::ready);
    auto read = drop({first, domain::AssetId::next()}).value();
    EXPECT_EQ(read.asset_ids, Ids{second});
    EXPECT_EQ(read.status, EntityStatus::processing);
    EXPECT_EQ(take_jobs(JobKind::check_entity), std::vector{entity.id.text()});
    EXPECT_EQ(drop({first}).value().asset_ids, Ids{second});  // gone already
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    EXPECT_FALSE(drop({second}));
    EXPECT_TRUE(wait(store().find_asset(account_, first)));
}

TEST_P(EntityConformance, a_deleted_asset_is_unlinked_and_the_entity_stays) {
    const auto collection = add_collection();
    const auto first = add_image();
    const auto second = add_image();
    const auto both = add_entity(collection, {first, second});
    const auto only = add_entity(collection, {first}, "Bob");
    settle(both);
    take_jobs(JobKind::check_entity);
    ASSERT_TRUE(wait(store().delete_asset(account_, first, DeleteMode::refuse_when_referenced)));
    EXPECT_EQ(found(both).asset_ids, Ids{second});
    EXPECT_EQ(found(both).status, EntityStatus::ready);  // the other one is as good as it was
    EXPECT_TRUE(found(only).asset_ids.empty());
    EXPECT_EQ(found(only).status, EntityStatus::ready);
    EXPECT_TRUE(take_jobs(JobKind::check_entity).empty());
    ASSERT_TRUE(wait(store().delete_asset(account_, second, DeleteMode::force)));
    EXPECT_TRUE(found(both).asset_ids.empty());
    const auto third = add_image();
    EXPECT_EQ(wait(entities().add_entity_assets(account_, collection.id, only.id, {third}))
                  .value()
                  .asset_ids,
              Ids{third});
}

TEST_P(EntityConformance, a_verdict_on_other_images_does_not_count) {
    const auto collection = add_collection();
    const auto entity = add_entity(collection, {add_image()});
    const auto look = wait(entities().inspect_entity(entity.id)).value();
    ASSERT_TRUE(
        wait(entities().add_entity_assets(account_, collection.id, entity.id, {add_image()})));
    EXPECT_EQ(wait(entities().settle_entity(entity.id, look.revision, {})), false);
    EXPECT_EQ(found(entity).status, EntityStatus::processing);
    settle(entity, {EntityStatus::processing, "nothing to see"});
    EXPECT_EQ(found(entity).error_message, "nothing to see");
    settle(entity);
    EXPECT_EQ(found(entity).status, EntityStatus::ready);
    EXPECT_EQ(found(entity).error_message, "");
    const auto again = wait(entities().inspect_entity(entity.id)).value();
    EXPECT_EQ(wait(entities().settle_entity(entity.id, again.revision, {})), false);
    EXPECT_EQ(wait(entities().settle_entity(domain::EntityId::next(), 0, {})), false);
}

TEST_P(EntityConformance, entities_of_an_asset_newest_first) {
    const auto collection = add_collection();
    const auto image = add_image();
    const auto first = add_entity(collection, {image}, "first");
    add_entity(collection, {add_image()}, "other");
    const auto second = add_entity(add_collection("more"), {image}, "second");
    auto page = wait(entities().list_entities_of_asset(account_, image, {1, 1})).value();
    EXPECT_EQ(page.total, 2);
    ASSERT_EQ(page.items.size(), 1u);
    EXPECT_EQ(page.items[0].id, second.id);
    page = wait(entities().list_entities_of_asset(account_, image, {2, 1})).value();
    EXPECT_EQ(page.items.at(0).id, first.id);
    expect_not_exist(error_of(wait(entities().list_entities_of_asset(stranger_, image, {}))),
                     image.text(), "assets");
}

TEST_P(EntityConformance, deleted_entity_leaves_its_assets) {
    const auto collection = add_collection();
    const auto image = add_image();
    const auto entity = add_entity(collection, {image});
    ASSERT_TRUE(wait(entities().delete_entity(account_, collection.id, entity.id)));
    expect_not_exist(error_of(wait(entities().find_entity(account_, collection.id, entity.id))),
                     entity.id.text(), "entities");
    EXPECT_EQ(wait(entities().list_entities_of_asset(account_, image, {})).value().total, 0);
    EXPECT_TRUE(wait(store().find_asset(account_, image)));
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EntityConformance);

}  // namespace kinodex::store::conformance
