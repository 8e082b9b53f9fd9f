#include "objects/conformance/objects_suite.h"

#include <algorithm>
#include <cstring>

#include "base/aligned_bytes.h"

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

// --- objects in parts

constexpr std::uint64_t kPartBytes = 300'000;
constexpr PartSpan kFirst{.index = 1, .offset = 0, .size_bytes = kPartBytes};
constexpr PartSpan kSecond{.index = 2, .offset = kPartBytes, .size_bytes = kPartBytes};
constexpr PartSpan kLast{.index = 3, .offset = 2 * kPartBytes, .size_bytes = 5};

TEST_P(ObjectsSuite, parts_in_any_order_are_one_object_once_they_are_joined) {
    open_parts();
    EXPECT_FALSE(write_part(kLast, "tail!").empty());
    const auto first = write_part(kFirst, std::string(kPartBytes, 'a'));
    reopen();
    EXPECT_EQ(await(objects().sweep()).value().drafts_removed, 0U);
    EXPECT_EQ(await(objects().list_owners("assets")).value(), std::vector{kOwner});
    EXPECT_TRUE(await(objects().list("assets/" + kOwner + "/"))->empty());
    open_parts();  // again is fine, and keeps what is there
    const auto second = write_part(kSecond, std::string(kPartBytes, 'b'));
    EXPECT_NE(first, second);
    EXPECT_EQ(await(objects().open(kKey)).error().code, base::Errc::resource_not_exist);
    ASSERT_TRUE(await(objects().join_parts(kKey)));
    ASSERT_TRUE(await(objects().join_parts(kKey))) << "again is fine";
    reopen();
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(),
              std::string(kPartBytes, 'a') + std::string(kPartBytes, 'b') + "tail!");
}

TEST_P(ObjectsSuite, aligned_and_other_pieces_of_parts_meet_without_a_seam) {
    constexpr std::uint64_t kAligned = 16 * kDirectAlignment;
    constexpr PartSpan kWhole{.index = 1, .offset = 0, .size_bytes = 2 * kAligned};
    constexpr PartSpan kOdd{.index = 2, .offset = 2 * kAligned, .size_bytes = kAligned + 5};
    ASSERT_TRUE(await(objects().open_parts(kKey, 3 * kAligned + 5)));
    const auto buffer = base::aligned_bytes(kAligned, kDirectAlignment);
    const auto append_filled = [&](Part& part, char fill, std::size_t size) {
        std::memset(buffer.get(), fill, size);
        ASSERT_TRUE(await(part.append_behind({buffer.get(), size}, buffer)));
        ASSERT_TRUE(await(part.append_behind({}, buffer))) << "written, so it can be filled again";
    };
    auto odd = await(objects().write_part(kKey, kOdd)).value();
    append_filled(*odd, 'c', kAligned);
    append_filled(*odd, 'd', 5);
    auto whole = await(objects().write_part(kKey, kWhole)).value();
    append_filled(*whole, 'a', kAligned);
    append_filled(*whole, 'b', kAligned);
    ASSERT_TRUE(await(odd->finish()));
    ASSERT_TRUE(await(whole->finish()));
    ASSERT_TRUE(await(objects().join_parts(kKey)));
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(),
              std::string(kAligned, 'a') + std::string(kAligned, 'b') + std::string(kAligned, 'c') +
                  "ddddd");
}

TEST_P(ObjectsSuite, equal_parts_have_one_etag_whatever_the_pieces_and_whether_aside) {
    open_parts();
    const std::string text(kPartBytes, 'a');
    const auto whole = write_part(kFirst, text);
    auto part = await(objects().write_part(kKey, kFirst)).value();
    ASSERT_TRUE(await(part->keep_aside()));
    for (std::size_t at = 0; at < text.size(); at += 100'000) {
        ASSERT_TRUE(append(*part, text.substr(at, 100'000)));
    }
    EXPECT_EQ(await(part->etag()).value(), whole);
    EXPECT_EQ(await(part->etag()).value(), whole) << "again";
}

TEST_P(ObjectsSuite, part_that_is_aside_changes_nothing_before_it_is_finished) {
    open_parts();
    write_part(kFirst, std::string(kPartBytes, 'a'));
    write_part(kSecond, std::string(kPartBytes, 'b'));
    write_part(kLast, "tail!");
    {
        auto part = await(objects().write_part(kKey, kSecond)).value();
        EXPECT_FALSE(part->is_aside());
        ASSERT_TRUE(await(part->keep_aside()));
        EXPECT_TRUE(part->is_aside());
        ASSERT_TRUE(append(*part, std::string(kPartBytes, 'x')));
        ASSERT_TRUE(await(part->etag()));
    }  // dropped
    auto part = await(objects().write_part(kKey, kLast)).value();
    ASSERT_TRUE(await(part->keep_aside()));
    ASSERT_TRUE(append(*part, "TAIL?"));
    ASSERT_TRUE(await(part->finish()));
    ASSERT_TRUE(await(objects().join_parts(kKey)));
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(),
              std::string(kPartBytes, 'a') + std::string(kPartBytes, 'b') + "TAIL?");
}

TEST_P(ObjectsSuite, one_writer_of_a_part_is_in_place_until_another_takes_over) {
    open_parts();
    auto first = await(objects().write_part(kKey, kFirst)).value();
    auto second = await(objects().write_part(kKey, kFirst)).value();
    auto other = await(objects().write_part(kKey, kSecond)).value();
    EXPECT_FALSE(first->is_aside());
    EXPECT_TRUE(second->is_aside());
    EXPECT_FALSE(other->is_aside()) << "parts do not hinder each other";
    ASSERT_TRUE(append(*first, std::string(100'000, 'a')));
    ASSERT_TRUE(append(*second, std::string(kPartBytes, 'b')));
    ASSERT_TRUE(await(second->etag()));
    ASSERT_TRUE(await(second->take_over()));
    auto third = await(objects().write_part(kKey, kFirst)).value();
    EXPECT_TRUE(third->is_aside());
    ASSERT_TRUE(await(second->finish()));
    // The first one's later bytes do not reach the part, and it cannot end well.
    (void)append(*first, std::string(200'000, 'a'));
    EXPECT_EQ(await(first->etag()).error().code, base::Errc::chunk_replaced);
    EXPECT_EQ(await(first->finish()).error().code, base::Errc::chunk_replaced);
    write_part(kSecond, std::string(kPartBytes, 'c'), std::move(other));
    write_part(kLast, "tail!");
    ASSERT_TRUE(await(objects().join_parts(kKey)));
    EXPECT_EQ(await(objects().read_all(kKey, kPlenty)).value(),
              std::string(kPartBytes, 'b') + std::string(kPartBytes, 'c') + "tail!");
    second.reset();
}

TEST_P(ObjectsSuite, part_takes_no_more_bytes_than_it_has) {
    open_parts();
    auto part = await(objects().write_part(kKey, kLast)).value();
    ASSERT_TRUE(append(*part, "12345"));
    EXPECT_FALSE(append(*part, "6"));
}

TEST_P(ObjectsSuite, parts_that_are_not_open_or_were_removed_do_not_exist) {
    EXPECT_EQ(await(objects().write_part(kKey, kFirst)).error().code,
              base::Errc::resource_not_exist);
    EXPECT_EQ(await(objects().join_parts(kKey)).error().code, base::Errc::resource_not_exist);
    open_parts();
    auto part = await(objects().write_part(kKey, kLast)).value();
    ASSERT_TRUE(await(objects().remove_prefix("assets/" + kOwner + "/")));
    EXPECT_TRUE(append(*part, "12345")) << "goes nowhere, and hurts nobody";
    EXPECT_EQ(await(objects().write_part(kKey, kFirst)).error().code,
              base::Errc::resource_not_exist);
    EXPECT_EQ(await(objects().join_parts(kKey)).error().code, base::Errc::resource_not_exist);
    EXPECT_FALSE(await(objects().open_parts("assets/../x", 5)));
}

}  // namespace

void ObjectsSuite::open_parts() {
    EXPECT_TRUE(await(objects().open_parts(kKey, 2 * kPartBytes + 5)));
}

base::Status ObjectsSuite::append(Part& part, std::string bytes) {
    auto owner = std::make_shared<const std::string>(std::move(bytes));
    const auto view = bytes_of(*owner);
    return await(part.append_behind(view, owner));
}

std::string ObjectsSuite::write_part(PartSpan span, const std::string& bytes,
                                     std::unique_ptr<Part> part) {
    if (part == nullptr) {
        part = await(objects().write_part(kKey, span)).value();
    }
    EXPECT_TRUE(append(*part, bytes));
    auto etag = await(part->etag()).value();
    EXPECT_TRUE(await(part->finish()));
    return etag;
}

}  // namespace kinodex::objects
