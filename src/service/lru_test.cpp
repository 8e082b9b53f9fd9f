// The cache keeps what was used last, within its bound.
#include "service/lru.h"

#include <gtest/gtest.h>

namespace kinodex::service {
namespace {

std::shared_ptr<int> number(int n) {
    return std::make_shared<int>(n);
}

TEST(Lru, evicts_the_least_recently_used) {
    Lru<int> cache(3);
    cache.put("a", number(1), 1);
    cache.put("b", number(2), 1);
    cache.put("c", number(3), 1);
    ASSERT_TRUE(cache.find("a"));
    cache.put("d", number(4), 1);
    EXPECT_FALSE(cache.find("b"));
    EXPECT_TRUE(cache.find("a"));
    EXPECT_EQ(cache.cost(), 3U);
}

TEST(Lru, value_dearer_than_the_cache_is_not_kept) {
    Lru<int> cache(3);
    cache.put("a", number(1), 2);
    cache.put("b", number(2), 4);
    EXPECT_FALSE(cache.find("b"));
    EXPECT_TRUE(cache.find("a"));
}

TEST(Lru, replacing_counts_the_new_cost_only) {
    Lru<int> cache(10);
    cache.put("a", number(1), 6);
    cache.put("a", number(2), 7);
    EXPECT_EQ(cache.cost(), 7U);
    EXPECT_EQ(*cache.find("a"), 2);
}

TEST(Lru, prefix_is_erased_whole) {
    Lru<int> cache(10);
    cache.put("x/1", number(1), 1);
    cache.put("x/2", number(2), 1);
    cache.put("y/1", number(3), 1);
    cache.erase_prefix("x/");
    EXPECT_FALSE(cache.find("x/1"));
    EXPECT_TRUE(cache.find("y/1"));
    EXPECT_EQ(cache.cost(), 1U);
}

TEST(Lru, value_begun_before_an_erasure_is_not_kept) {
    Lru<int> cache(10);
    const auto before = cache.erasures();
    cache.put_unless_erased("x/1", number(1), 1, before);
    EXPECT_TRUE(cache.find("x/1"));
    cache.erase_prefix("x/");
    cache.put_unless_erased("x/1", number(1), 1, before);
    EXPECT_FALSE(cache.find("x/1"));
    cache.put_unless_erased("x/1", number(2), 1, cache.erasures());
    EXPECT_TRUE(cache.find("x/1"));
}

}  // namespace
}  // namespace kinodex::service
