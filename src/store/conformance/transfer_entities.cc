// Entities and their collections in exports: whole, in order, and of their account only.
#include "store/conformance/entities.h"
#include "store/conformance/transfer.h"

namespace kinodex::store::conformance {
namespace {

using domain::EntityStatus;
using domain::JobKind;

TEST_P(EntityConformance, exported_entities_come_back_with_their_images) {
    const auto people = add_collection("People");
    const auto things = add_collection("Dinge");
    ASSERT_TRUE(wait(entities().change_collection(account_, things.id, {{}, "what is what"})));
    const auto first = add_image();
    const auto second = add_image();
    const auto third = add_image();
    auto turtle = new_entity(people, {third, first, second}, "Żółw");
    turtle.description = "green";
    turtle.metadata = {{"n", std::int64_t{5}}, {"f", 9.0}, {"s", std::string("\"ü\"")}};
    ASSERT_TRUE(wait(entities().insert_entities(account_, people.id, {turtle})).value().front());
    settle(turtle);
    ASSERT_TRUE(wait(entities().remove_entity_assets(account_, people.id, turtle.id, {first})));
    settle(turtle);
    const auto waiting = add_entity(people, {second});
    const auto hopeless = add_entity(things, {second});
    settle(hopeless, {EntityStatus::processing, "nothing to see"});
    const auto gone = add_image();
    const auto bare = add_entity(things, {gone}, "bare");
    ASSERT_TRUE(wait(store().delete_asset(account_, gone, DeleteMode::force)));
    take_jobs(JobKind::check_entity);

    Lines lines(store(), {account_, {}});
    ASSERT_EQ(lines.of("entity_collections").size(), 2u);
    ASSERT_EQ(lines.of("entities").size(), 4u);
    EXPECT_NE(lines.of("entities")[0].find("\"asset_ids\":[\"" + third.text() + "\",\"" +
                                           second.text() + "\"]"),
              std::string::npos);
    Target target(GetParam());
    EXPECT_EQ(target.take(lines).added, 9);  // with three images
    EXPECT_TRUE(target.lines() == lines);
    EXPECT_EQ(target.take(lines).there_before, 9);

    auto& there = target.store().entities();
    const auto read = wait(there.find_entity(target.account(), people.id, turtle.id)).value();
    EXPECT_EQ(read.asset_ids, (Ids{third, second}));
    EXPECT_EQ(read.metadata, turtle.metadata);
    EXPECT_EQ(read.status, EntityStatus::ready);
    EXPECT_EQ(read.updated_at, found(turtle).updated_at);
    domain::EntityFilter by_name;
    by_name.name_part = "żÓ";
    EXPECT_EQ(wait(there.list_entities(target.account(), people.id, by_name, {}))->total, 1);
    by_name.name_part = "DINGE";
    EXPECT_EQ(wait(there.list_collections(target.account(), by_name, {}))->total, 1);
    EXPECT_EQ(wait(there.list_entities_of_asset(target.account(), second, {}))->total, 3);
    EXPECT_EQ(wait(there.find_entity(target.account(), things.id, bare.id))->asset_ids, Ids{});

    // Only what nobody has looked at yet is looked at, and from here on all goes on as before.
    ASSERT_TRUE(wait(target.store().transfer().queue_unfinished(target.account())));
    EXPECT_EQ(target.jobs(JobKind::check_entity), std::vector{waiting.id.text()});
    const auto look = wait(there.inspect_entity(waiting.id)).value();
    EXPECT_EQ(wait(there.settle_entity(waiting.id, look.revision, {})), true);
    EXPECT_EQ(
        wait(there.add_entity_assets(target.account(), people.id, turtle.id, {first}))->asset_ids,
        (Ids{third, second, first}));
    EXPECT_EQ(wait(there.find_entity(target.account(), things.id, hopeless.id))->error_message,
              "nothing to see");
}

TEST_P(EntityConformance, entities_are_the_accounts_and_no_indexs) {
    const auto index = add_index(account_);
    add_indexed(index, add_ready_asset(account_));
    add_entity(add_collection(), {add_image()});
    Lines lines(store(), {account_, index.id});
    EXPECT_EQ(lines.of("assets").size(), 1u);
    EXPECT_TRUE(lines.of("entity_collections").empty());
    EXPECT_TRUE(lines.of("entities").empty());
}

TEST_P(EntityConformance, entities_of_a_deleted_collection_stay_behind) {
    const auto doomed = add_collection("doomed");
    const auto image = add_image();
    std::vector<domain::Entity> many;
    for (std::int64_t i = 0; i < domain::kEntitiesOfAssetMax; ++i) {
        many.push_back(new_entity(doomed, {image}));
    }
    ASSERT_TRUE(wait(entities().insert_entities(account_, doomed.id, many)));
    add_entity(add_collection("kept"), {add_image()}, "kept");
    ASSERT_TRUE(wait(entities().delete_collection(account_, doomed.id)));
    Lines lines(store(), {account_, {}});
    ASSERT_EQ(lines.of("entities").size(), 1u);
    EXPECT_NE(lines.of("entities")[0].find("kept"), std::string::npos);
    EXPECT_EQ(lines.of("entity_collections").size(), 1u);
}

TEST_P(EntityConformance, entity_lines_that_do_not_fit_add_nothing) {
    const auto collection = add_collection();
    const auto image = add_image();
    add_entity(collection, {image});
    Lines lines(store(), {account_, {}});
    const auto line = lines.of("entities")[0];
    const auto id = "\"" + image.text() + "\"";
    Target target(GetParam());
    auto& transfer = target.store().transfer();
    const auto refusal = [&](const std::string& row) {
        const auto count = target.lines().of("entities").size();
        auto reason =
            reason_of(error_of(wait(transfer.import_rows("entities", target.account(), {row}))));
        EXPECT_EQ(target.lines().of("entities").size(), count);
        EXPECT_EQ(
            wait(target.store().entities().list_entities_of_asset(target.account(), image, {}))
                .value_or(domain::Paged<domain::Entity>{})
                .total,
            static_cast<std::int64_t>(count));
        return reason;
    };
    const auto names = [](const std::string& reason, const std::string& word) {
        EXPECT_NE(reason.find(word), std::string::npos) << reason;
    };
    names(refusal(line), collection.id.text());
    ASSERT_TRUE(wait(transfer.import_rows("entity_collections", target.account(),
                                          lines.of("entity_collections"))));
    names(refusal(line), image.text());
    ASSERT_TRUE(wait(transfer.import_rows("assets", stranger_, lines.of("assets"))));
    names(refusal(line), image.text());
    ASSERT_TRUE(wait(target.store().delete_asset(stranger_, image, DeleteMode::force)));
    ASSERT_TRUE(wait(transfer.import_rows("assets", target.account(), lines.of("assets"))));

    names(refusal(with(line, id, id + "," + id)), "twice");
    names(refusal(with(line, id, "7")), "`asset_ids`");
    names(refusal(with(line, "[" + id + "]", "null")), "`asset_ids`");
    std::string many = "\"" + domain::AssetId::next().text() + "\"";
    for (std::size_t i = 0; i < domain::kEntityAssetsMax; ++i) {
        many += ",\"" + domain::AssetId::next().text() + "\"";
    }
    names(refusal(with(line, id, many)), "up to 100");
    names(refusal(with(line, R"("name":"Anna",)", "")), "lacks a value");
    ASSERT_TRUE(wait(transfer.import_rows("entities", target.account(), {line})));
    names(refusal(with(line, "Anna", "Anne")), "other values");
    names(refusal(with(line, "[" + id + "]", "[]")), "other values");
    EXPECT_EQ(error_of(wait(transfer.import_rows("entities", stranger_, {line}))).code,
              base::Errc::parameter_invalid);
}

TEST_P(EntityConformance, an_import_keeps_an_asset_to_so_many_entities) {
    const auto collection = add_collection();
    const auto image = add_image();
    std::vector<domain::Entity> many;
    for (std::int64_t i = 0; i < domain::kEntitiesOfAssetMax; ++i) {
        many.push_back(new_entity(collection, {image}));
    }
    ASSERT_TRUE(wait(entities().insert_entities(account_, collection.id, many)));
    Lines lines(store(), {account_, {}});
    Target target(GetParam());
    EXPECT_EQ(target.take(lines).added, domain::kEntitiesOfAssetMax + 2);
    const auto one_more =
        with(lines.of("entities")[0], many[0].id.text(), domain::EntityId::next().text());
    EXPECT_NE(reason_of(error_of(wait(target.store().transfer().import_rows(
                            "entities", target.account(), {one_more}))))
                  .find("no more"),
              std::string::npos);
}

}  // namespace
}  // namespace kinodex::store::conformance
