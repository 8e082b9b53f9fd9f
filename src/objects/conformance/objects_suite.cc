#include "objects/conformance/objects_suite.h"

#include <algorithm>

namespace kinodex::objects {
namespace {

const std::string kOwner = "6298d673f1090f1100476d4c";
const std::string kKey = "assets/" + kOwner + "/source";
constexpr std::uint64_t kPlenty = 1 << 20;

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

TEST_P(ObjectsSuite, committed_bytes_come_back_whole_and_in_parts) {
    const std::string text(300'000, 'k');
    auto draft = await(objects().create()).value();
    ASSERT_TRUE(await(draft->append(bytes_of(text))));
    ASSERT_TRUE(await(draft->append(bytes_of("tail!"))).has_value());
    EXPECT_EQ(draft->size_bytes(), text.size() + 5);
    ASSERT_TRUE(await(draft->commit(kKey)));
    auto object = await(objects().open(kKey)).value();
    ASSERT_EQ(object->size_bytes(), text.size() + 5);
    std::string part(4, '\0');
    ASSERT_TRUE(await(object->read(text.size(), std::as_writable_bytes(std::span(part)))));
    EXPECT_EQ(part, "tail");
}

TEST_P(ObjectsSuite, bytes_appended_behind_come_in_order_and_outlive_their_caller) {
    auto draft = await(objects().create()).value();
    std::string expected;
    for (char c = 'a'; c <= 'z'; ++c) {
        auto piece = std::make_shared<std::string>(100'000, c);
        expected += *piece;
        const auto bytes = bytes_of(*piece);
        ASSERT_TRUE(await(draft->append_behind(bytes, std::move(piece))));
    }
    EXPECT_EQ(draft->size_bytes(), expected.size());
    ASSERT_TRUE(await(draft->settle()));
    ASSERT_TRUE(await(draft->append(bytes_of("end"))));
    ASSERT_TRUE(await(draft->commit(kKey)));
    EXPECT_EQ(await(objects().read_all(kKey, 16 * kPlenty)).value(), expected + "end");
}

TEST_P(ObjectsSuite, drafts_commit_together_and_outlive_the_process) {
    auto source = await(objects().create()).value();
    ASSERT_TRUE(await(source->append(bytes_of("the film"))));
    ASSERT_TRUE(await(source->sync_behind()));
    auto plan = await(objects().create()).value();
    ASSERT_TRUE(await(plan->append(bytes_of("its plan"))));
    const auto plan_key = "assets/" + kOwner + "/playback.plan";
    std::vector<Placing> placings;
    placings.push_back({std::move(source), kKey});
    placings.push_back({std::move(plan), plan_key});
    ASSERT_TRUE(await(objects().commit_all(std::move(placings))));
    reopen();
    EXPECT_EQ(await(objects().sweep()).value().drafts_removed, 0U);
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(), "the film");
    EXPECT_EQ(await(objects().read_all(plan_key, kPlenty)).value(), "its plan");
}

TEST_P(ObjectsSuite, drafts_that_cannot_all_be_placed_leave_no_draft) {
    auto good = await(objects().create()).value();
    ASSERT_TRUE(await(good->append(bytes_of(kOwner))));
    ASSERT_TRUE(await(good->sync_behind()));
    auto other = await(objects().create()).value();
    std::vector<Placing> placings;
    placings.push_back({std::move(good), kKey});
    placings.push_back({std::move(other), "drafts/elsewhere"});
    EXPECT_FALSE(await(objects().commit_all(std::move(placings))));
    reopen();
    EXPECT_EQ(await(objects().sweep()).value().drafts_removed, 0U);
}

TEST_P(ObjectsSuite, draft_dropped_while_it_is_synced_leaves_nothing) {
    {
        auto draft = await(objects().create()).value();
        ASSERT_TRUE(await(draft->append(bytes_of(kOwner))));
        ASSERT_TRUE(await(draft->sync_behind()));
    }
    reopen();
    EXPECT_EQ(await(objects().sweep()).value().drafts_removed, 0U);
}

TEST_P(ObjectsSuite, uncommitted_draft_is_invisible_and_leaves_nothing) {
    {
        auto draft = await(objects().create()).value();
        ASSERT_TRUE(await(draft->append(bytes_of(kOwner))));
        EXPECT_FALSE(await(objects().exists(kKey)).value());
    }
    reopen();
    EXPECT_EQ(await(objects().sweep()).value().drafts_removed, 0U);
    EXPECT_TRUE(await(objects().list_owners("assets")).value().empty());
}

TEST_P(ObjectsSuite, committed_object_outlives_the_process) {
    ASSERT_TRUE(await(objects().put(kKey, "durable")));
    reopen();
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(), "durable");
    EXPECT_EQ(await(objects().list_owners("assets")).value(), std::vector{kOwner});
}

TEST_P(ObjectsSuite, putting_a_key_again_replaces_it_whole) {
    ASSERT_TRUE(await(objects().put(kKey, "a longer first version")));
    auto reader = await(objects().open(kKey)).value();
    ASSERT_TRUE(await(objects().put(kKey, "second")));
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(), "second");
    EXPECT_EQ(reader->size_bytes(), 22U) << "an open object keeps its bytes";
}

TEST_P(ObjectsSuite, missing_key_and_removed_owner_do_not_exist) {
    EXPECT_EQ(await(objects().open(kKey)).error().code, base::Errc::resource_not_exist);
    ASSERT_TRUE(await(objects().put(kKey, "x")));
    ASSERT_TRUE(await(objects().remove_prefix("assets/" + kOwner + "/")));
    EXPECT_FALSE(await(objects().exists(kKey)).value());
    EXPECT_TRUE(await(objects().remove_prefix("assets/" + kOwner + "/"))) << "again is fine";
}

TEST_P(ObjectsSuite, keys_of_an_owner_are_listed_in_order) {
    const auto prefix = "assets/" + kOwner + "/";
    EXPECT_TRUE(await(objects().list(prefix)).value().empty());
    ASSERT_TRUE(await(objects().put(prefix + "thumbnail.jpg", "x")));
    ASSERT_TRUE(await(objects().put(prefix + "source", "y")));
    const auto draft = await(objects().create()).value();
    EXPECT_EQ(await(objects().list(prefix)).value(),
              (std::vector{prefix + "source", prefix + "thumbnail.jpg"}));
    EXPECT_FALSE(await(objects().list("assets/")));
    EXPECT_FALSE(await(objects().list("assets/../")));
}

TEST_P(ObjectsSuite, key_that_leaves_its_place_is_refused) {
    for (const auto& key : std::vector<std::string>{
             "", "source", "assets/x/source", "assets/../drafts/x", "/etc/passwd",
             "drafts/" + kOwner, "assets/" + kOwner + "/../../x", "assets/" + kOwner + "/.hidden",
             "other/" + kOwner + "/source"}) {
        EXPECT_FALSE(await(objects().put(key, "x"))) << key;
        EXPECT_FALSE(await(objects().open(key))) << key;
    }
    EXPECT_FALSE(await(objects().remove_prefix("assets/")));
    EXPECT_FALSE(await(objects().remove_prefix("assets/../")));
}

TEST_P(ObjectsSuite, read_all_refuses_beyond_its_limit) {
    ASSERT_TRUE(await(objects().put(kKey, "12345")));
    EXPECT_TRUE(await(objects().read_all(kKey, 5)));
    EXPECT_EQ(await(objects().read_all(kKey, 4)).error().code, base::Errc::body_too_large);
}

}  // namespace
}  // namespace kinodex::objects
