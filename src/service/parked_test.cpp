#include "service/parked.h"

#include <gtest/gtest.h>

#include <memory>

namespace kinodex::service {
namespace {

TEST(Parked, is_taken_once_and_by_its_id) {
    Parked<int, std::unique_ptr<int>> parked(2);
    parked.leave(1, std::make_unique<int>(10));
    parked.leave(2, std::make_unique<int>(20));
    EXPECT_EQ(**parked.take(2), 20);
    EXPECT_FALSE(parked.take(2));
    EXPECT_FALSE(parked.take(3));
    EXPECT_EQ(**parked.take(1), 10);
}

/// An open transfer costs a connection and a file: the bound must let go, not only forget.
TEST(Parked, lets_go_at_once_what_is_beyond_its_bound) {
    const auto transfer = std::make_shared<int>(5);
    Parked<int, std::shared_ptr<int>> parked(2);
    for (const int id : {1, 2, 3}) {
        parked.leave(id, transfer);
    }
    EXPECT_EQ(transfer.use_count(), 3);
    EXPECT_FALSE(parked.take(3));
    EXPECT_TRUE(parked.take(1));
    parked.leave(4, transfer);
    EXPECT_TRUE(parked.take(4));
}

}  // namespace
}  // namespace kinodex::service
