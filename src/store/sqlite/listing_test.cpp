// The listing against a reference that looks at every row: random rows, changes and questions.
// A failure prints the seed; KINODEX_TEST_SEED=<seed> replays it.
#include "store/sqlite/listing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <random>

#include "runtime/lane.h"

namespace kinodex::store::sqlite {
namespace {

using domain::IndexedAsset;
using domain::IndexedAssetFilter;
using domain::IndexingStatus;

base::Timestamp at_ms(std::int64_t ms) {
    return base::Timestamp(std::chrono::milliseconds(ms));
}

bool within(const domain::NumberRange& range, std::optional<double> value) {
    if (range.empty()) {
        return true;
    }
    return value && (!range.gte || *value >= *range.gte) && (!range.lte || *value <= *range.lte);
}

template <class Int>
std::optional<double> real(const std::optional<Int>& value) {
    return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

bool fulfils(const IndexedAsset& item, const IndexedAssetFilter& filter) {
    const auto& system = item.system_metadata;
    const auto has = [&](const domain::MetadataCondition& condition) {
        return std::ranges::any_of(item.user_metadata, [&](const auto& entry) {
            return entry.first == condition.key && domain::matches(entry.second, condition);
        });
    };
    return !filter.matches_nothing &&
           (filter.statuses.empty() ||
            std::ranges::find(filter.statuses, item.status) != filter.statuses.end()) &&
           (!filter.filename || *filter.filename == system.filename) &&
           within(filter.duration_sec, system.duration_sec) && within(filter.fps, system.fps) &&
           within(filter.width, real(system.width)) && within(filter.height, real(system.height)) &&
           within(filter.size_bytes, real(system.size_bytes)) &&
           (!filter.created_from || item.created_at >= *filter.created_from) &&
           (!filter.updated_from || item.updated_at >= *filter.updated_from) &&
           std::ranges::all_of(filter.metadata, has);
}

std::vector<IndexedAsset> expected(const std::map<base::IdBytes, IndexedAsset>& items,
                                   const IndexedAssetFilter& filter) {
    std::vector<IndexedAsset> found;
    for (const auto& [id, item] : items) {
        if (fulfils(item, filter)) {
            found.push_back(item);
        }
    }
    std::ranges::sort(found, [&](const IndexedAsset& a, const IndexedAsset& b) {
        const bool is_created = filter.sort_by == domain::SortBy::created_at;
        const auto key_a = std::pair(is_created ? a.created_at : a.updated_at, a.id);
        const auto key_b = std::pair(is_created ? b.created_at : b.updated_at, b.id);
        return filter.order == domain::SortOrder::asc ? key_a < key_b : key_b < key_a;
    });
    return found;
}

/// Small domains, so that values meet often, and every edge: absent, equal, far apart.
class World {
  public:
    explicit World(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t bound) { return random_() % bound; }
    bool chance(std::size_t one_in) { return below(one_in) == 0; }

    domain::MetadataValue value() {
        static const std::vector<domain::MetadataValue> kValues{
            std::int64_t{5},
            5.0,
            5.5,
            std::string("5"),
            std::string("true"),
            true,
            false,
            0.0,
            -0.0,
            std::int64_t{0},
            std::string("x\"\\\n"),
            (std::int64_t{1} << 53) + 1,
            std::int64_t{1} << 53,
            0x1p53,
            1e300,
            -1e300,
            std::numeric_limits<std::int64_t>::max(),
            0x1p63,
            std::string("5.0")};
        return chance(20) ? domain::MetadataValue(static_cast<std::int64_t>(below(1'000'000)))
                          : kValues[below(kValues.size())];
    }
    std::string key() { return std::string(1, static_cast<char>('a' + below(4))); }
    domain::Metadata metadata() {
        domain::Metadata all;
        for (char key = 'a'; key < 'e'; ++key) {
            if (chance(2)) {
                all.emplace_back(std::string(1, key), value());
            }
        }
        return all;
    }
    std::string filename() { return "clip " + std::to_string(below(20)) + ".mp4"; }
    IndexingStatus status() { return static_cast<IndexingStatus>(below(5)); }

    IndexedAsset item() {
        IndexedAsset made;
        made.id = domain::IndexedAssetId::next();
        made.asset_id = domain::AssetId::next();
        made.status = status();
        // Mostly in order, sometimes late, often equal.
        clock_ += static_cast<std::int64_t>(below(3));
        made.created_at =
            at_ms(chance(10) ? clock_ - static_cast<std::int64_t>(below(50)) : clock_);
        made.updated_at = made.created_at;
        auto& system = made.system_metadata;
        system.filename = filename();
        if (!chance(4)) {
            system.duration_sec = static_cast<double>(below(100)) / 2;
            system.width = static_cast<int>(below(5)) * 100;
        }
        if (!chance(4)) {
            system.fps = static_cast<double>(below(4));
            system.height = static_cast<int>(below(5)) * 100;
            system.size_bytes = static_cast<std::int64_t>(below(1'000'000));
        }
        made.user_metadata = metadata();
        return made;
    }
    domain::NumberRange range(std::size_t top) {
        domain::NumberRange made;
        if (chance(2)) {
            made.gte = static_cast<double>(below(top)) - 0.5 * static_cast<double>(below(3));
        }
        if (chance(2)) {
            made.lte = static_cast<double>(below(top)) + 0.5 * static_cast<double>(below(3));
        }
        return made;
    }
    domain::MetadataCondition condition() {
        static const std::vector<std::string> kTexts{
            "5", "5.0", "5e0", "true", "false", "x\"\\\n", "9007199254740993", "none", "", "-0"};
        domain::MetadataCondition made;
        made.key = key();
        if (chance(2)) {
            made.wanted.emplace<0>(kTexts[below(kTexts.size())]);
        } else {
            made.wanted.emplace<1>(value());
        }
        return made;
    }
    IndexedAssetFilter filter() {
        IndexedAssetFilter made;
        for (std::size_t i = below(3); i > 0 && chance(2); --i) {
            made.statuses.push_back(status());
        }
        made.matches_nothing = chance(50);
        if (chance(6)) {
            made.filename = filename();
        }
        made.duration_sec = chance(3) ? range(50) : domain::NumberRange{};
        made.fps = chance(6) ? range(4) : domain::NumberRange{};
        made.width = chance(6) ? range(500) : domain::NumberRange{};
        made.height = chance(6) ? range(500) : domain::NumberRange{};
        made.size_bytes = chance(6) ? range(1'000'000) : domain::NumberRange{};
        if (chance(8)) {
            made.created_from = at_ms(clock_ - static_cast<std::int64_t>(below(500)));
        }
        if (chance(8)) {
            made.updated_from = at_ms(clock_ - static_cast<std::int64_t>(below(500)));
        }
        for (std::size_t i = below(3); i > 0; --i) {
            made.metadata.push_back(condition());
        }
        made.sort_by = chance(2) ? domain::SortBy::created_at : domain::SortBy::updated_at;
        made.order = chance(2) ? domain::SortOrder::asc : domain::SortOrder::desc;
        return made;
    }
    std::int64_t tick() { return clock_ += static_cast<std::int64_t>(below(2)); }

  private:
    std::mt19937_64 random_;
    std::int64_t clock_ = 1'000'000;
};

RowKey created_key(const IndexedAsset& item) {
    return {item.created_at.time_since_epoch().count(), item.id.bytes()};
}

/// One random change, on the listing and on the reference alike.
void change(World& world, Listing& listing, std::map<base::IdBytes, IndexedAsset>& items) {
    if (items.empty() || world.chance(3)) {
        const auto item = world.item();
        listing.add(listing_row(item), tokens_of(item.user_metadata));
        items.emplace(item.id.bytes(), item);
        return;
    }
    auto at = items.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(world.below(items.size())));
    auto& item = at->second;
    switch (world.below(4)) {
        case 0:
            listing.remove(created_key(item), tokens_of(item.user_metadata));
            items.erase(at);
            return;
        case 1: {
            item.status = world.status();
            item.updated_at = at_ms(world.tick());
            item.indexed_at = item.updated_at;
            const auto ms = item.updated_at.time_since_epoch().count();
            listing.set_state(created_key(item), {item.status, ms, ms});
            return;
        }
        default: {
            auto metadata = world.metadata();
            item.updated_at = at_ms(world.tick());
            listing.set_tokens(created_key(item),
                               {tokens_of(item.user_metadata), tokens_of(metadata),
                                item.updated_at.time_since_epoch().count()});
            item.user_metadata = std::move(metadata);
        }
    }
}

void compare(World& world, const Listing& listing,
             const std::map<base::IdBytes, IndexedAsset>& items) {
    const auto filter = world.filter();
    const auto all = expected(items, filter);
    domain::Page page;
    page.limit = static_cast<std::int64_t>(1 + world.below(50));
    page.number = static_cast<std::int64_t>(
        1 + world.below(all.size() / static_cast<std::size_t>(page.limit) + 2));
    const auto answer = listing.list(filter, page);
    ASSERT_EQ(answer.total, static_cast<std::int64_t>(all.size()));
    const auto first = std::min(page.offset(), answer.total);
    const auto last = std::min(first + page.limit, answer.total);
    ASSERT_EQ(static_cast<std::int64_t>(answer.items.size()), last - first);
    for (auto i = first; i < last; ++i) {
        const auto& want = all[static_cast<std::size_t>(i)];
        const auto& got = answer.items[static_cast<std::size_t>(i - first)];
        ASSERT_EQ(got.id, want.id);
        ASSERT_EQ(got.asset_id, want.asset_id);
        ASSERT_EQ(got.status, want.status);
        ASSERT_EQ(got.created_at, want.created_at);
        ASSERT_EQ(got.updated_at, want.updated_at);
        ASSERT_EQ(got.indexed_at, want.indexed_at);
        ASSERT_EQ(got.system_metadata.filename, want.system_metadata.filename);
        ASSERT_EQ(got.system_metadata.duration_sec, want.system_metadata.duration_sec);
        ASSERT_EQ(got.system_metadata.fps, want.system_metadata.fps);
        ASSERT_EQ(got.system_metadata.width, want.system_metadata.width);
        ASSERT_EQ(got.system_metadata.height, want.system_metadata.height);
        ASSERT_EQ(got.system_metadata.size_bytes, want.system_metadata.size_bytes);
    }
}

/// Without a filter, the prompt answer is the same page.
void compare_prompt(World& world, const Listing& listing) {
    auto filter = world.filter();
    domain::Page page;
    page.limit = static_cast<std::int64_t>(1 + world.below(50));
    page.number = static_cast<std::int64_t>(1 + world.below(5));
    IndexedAssetFilter all;
    all.sort_by = filter.sort_by;
    all.order = filter.order;
    const auto want = listing.list(all, page);
    const auto got = listing.list_promptly(all, page);
    ASSERT_TRUE(got);
    ASSERT_EQ(got->total, want.total);
    ASSERT_TRUE(
        std::ranges::equal(got->items, want.items, {}, &IndexedAsset::id, &IndexedAsset::id));
    filter.statuses = {IndexingStatus::ready};
    ASSERT_FALSE(listing.list_promptly(filter, page));
}

ListingPart part_of(const std::vector<IndexedAsset>& items) {
    ListingPart part;
    for (const auto& item : items) {
        part.columns.append(listing_row(item));
        const auto before = part.tokens.size();
        EXPECT_TRUE(append_tokens(domain::metadata_json(item.user_metadata), part.tokens));
        part.token_counts.push_back(static_cast<std::uint8_t>(part.tokens.size() - before));
    }
    return part;
}

std::uint64_t seed_of_this_run() {
    const char* given = std::getenv("KINODEX_TEST_SEED");
    return given == nullptr ? std::random_device{}() : std::strtoull(given, nullptr, 10);
}

TEST(Listing, agrees_with_a_look_at_every_row_through_random_changes) {
    const auto seed = seed_of_this_run();
    SCOPED_TRACE("KINODEX_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    Listing listing;
    std::map<base::IdBytes, IndexedAsset> items;
    for (int i = 0; i < 6'000; ++i) {
        change(world, listing, items);
        ASSERT_NO_FATAL_FAILURE(compare(world, listing, items)) << "step " << i;
        ASSERT_NO_FATAL_FAILURE(compare_prompt(world, listing)) << "step " << i;
    }
    ASSERT_EQ(listing.size(), items.size());
}

TEST(Listing, built_from_parts_it_agrees_too_and_goes_on_changing) {
    const auto seed = seed_of_this_run();
    SCOPED_TRACE("KINODEX_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    std::map<base::IdBytes, IndexedAsset> items;
    std::vector<std::vector<IndexedAsset>> halves(2);
    for (std::size_t i = 0; i < 4'000; ++i) {
        auto item = world.item();
        item.updated_at = at_ms(world.tick() - static_cast<std::int64_t>(world.below(900)));
        items.emplace(item.id.bytes(), item);
        halves[i / 2'000].push_back(std::move(item));
    }
    const std::vector<ListingPart> parts{part_of(halves[0]), part_of(halves[1])};
    Listing listing;
    listing.fill_columns(parts);
    for (std::size_t shard = 0; shard < Listing::kShards; ++shard) {
        listing.fill_postings(parts, shard);
    }
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_NO_FATAL_FAILURE(compare(world, listing, items)) << "question " << i;
        change(world, listing, items);
    }
}

TEST(Listing, many_removals_close_the_holes_and_lose_nothing) {
    const auto seed = seed_of_this_run();
    SCOPED_TRACE("KINODEX_TEST_SEED=" + std::to_string(seed));
    World world(seed);
    Listing listing;
    std::map<base::IdBytes, IndexedAsset> items;
    for (int i = 0; i < 9'000; ++i) {
        const auto item = world.item();
        listing.add(listing_row(item), tokens_of(item.user_metadata));
        items.emplace(item.id.bytes(), item);
    }
    const auto full = listing.bytes();
    while (items.size() > 1'000) {
        auto at = items.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(world.below(std::min(items.size(), 50ul))));
        listing.remove(created_key(at->second), tokens_of(at->second.user_metadata));
        items.erase(at);
    }
    EXPECT_LT(listing.bytes(), full * 2 / 3);
    for (int i = 0; i < 500; ++i) {
        ASSERT_NO_FATAL_FAILURE(compare(world, listing, items)) << "question " << i;
        change(world, listing, items);
    }
}

TEST(Listing, readers_see_whole_changes_while_one_thread_writes) {
    Listing listing;
    World world(1);
    std::atomic<bool> done = false;
    std::atomic<int> questions = 0;
    runtime::Lane readers("readers", 2, 2);
    for (int reader = 0; reader < 2; ++reader) {
        ASSERT_TRUE(readers.post([&] {
            IndexedAssetFilter filter;
            domain::MetadataCondition both;
            both.key = "both";
            both.wanted.emplace<1>(true);
            filter.metadata.push_back(both);
            filter.statuses = {IndexingStatus::ready};
            while (!done) {
                // Rows enter in one step: pending ones are never listed, ready ones have the key.
                const auto answer = listing.list(filter, {1, 50});
                const bool whole = std::ranges::all_of(answer.items, [](const auto& item) {
                    return item.status == IndexingStatus::ready &&
                           item.system_metadata.filename.starts_with("clip ");
                });
                EXPECT_TRUE(whole);
                ++questions;
            }
        }));
    }
    for (int i = 0; i < 3'000 || questions < 100; ++i) {
        auto item = world.item();
        item.user_metadata = {{"both", true}};
        listing.add(listing_row(item), tokens_of(item.user_metadata));
        const auto ms = world.tick();
        listing.set_state(created_key(item), {IndexingStatus::ready, ms, ms});
        if (i % 2 == 0) {
            listing.remove(created_key(item), tokens_of(item.user_metadata));
        }
    }
    done = true;
    readers.stop();
}

TEST(Listing, prompt_answers_are_whole_or_none_while_one_thread_writes) {
    Listing listing;
    World world(1);
    std::atomic<bool> done = false;
    std::atomic<int> answers = 0;
    runtime::Lane reader("reader", 1, 1);
    ASSERT_TRUE(reader.post([&] {
        while (!done) {
            const auto answer = listing.list_promptly({}, {1, 50});
            if (!answer) {
                continue;  // the writer was at it
            }
            const auto shown = std::min<std::int64_t>(answer->total, 50);
            EXPECT_EQ(static_cast<std::int64_t>(answer->items.size()), shown);
            EXPECT_TRUE(std::ranges::is_sorted(answer->items, std::ranges::greater(),
                                               &IndexedAsset::created_at));
            ++answers;
        }
    }));
    for (int i = 0; i < 3'000 || answers < 100; ++i) {
        const auto item = world.item();
        listing.add(listing_row(item), tokens_of(item.user_metadata));
        if (i % 2 == 0) {
            listing.remove(created_key(item), tokens_of(item.user_metadata));
        }
    }
    done = true;
    reader.stop();
}

TEST(Listing, pages_far_from_the_front_are_not_prompt) {
    const Listing listing;
    const domain::Page last{Listing::kPromptOffsetMax / 50 + 1, 50};
    EXPECT_TRUE(listing.list_promptly({}, last));
    EXPECT_FALSE(listing.list_promptly({}, {last.number + 1, last.limit}));
    IndexedAssetFilter none;
    none.matches_nothing = true;
    EXPECT_FALSE(listing.list_promptly(none, {}));
}

TEST(Listing, size_bounds_beyond_exact_doubles_do_not_overflow) {
    Listing listing;
    World world(1);
    auto item = world.item();
    item.system_metadata.size_bytes = std::numeric_limits<std::int64_t>::max();
    item.system_metadata.width = std::numeric_limits<int>::max();
    listing.add(listing_row(item), {});
    const auto total = [&](double gte, double lte) {
        IndexedAssetFilter filter;
        filter.size_bytes = {gte, lte};
        filter.width = {std::nullopt, lte};
        return listing.list(filter, {}).total;
    };
    EXPECT_EQ(total(0, 1e300), 1);
    EXPECT_EQ(total(1e300, 1e301), 0);
    EXPECT_EQ(total(-1e300, -1), 0);
    EXPECT_EQ(total(0, 5), 0);
}

}  // namespace
}  // namespace kinodex::store::sqlite
