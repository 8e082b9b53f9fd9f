#include "service/places.h"

#include <gtest/gtest.h>

#include <optional>

namespace kinodex::service {
namespace {

TEST(Places, one_account_leaves_room_for_others_and_all_have_a_bound) {
    Places places({.all = 3, .of_one_account = 2}, "fetch");
    const auto one = domain::AccountId::next();
    const auto other = domain::AccountId::next();
    std::optional first(places.take(one));
    const auto second = places.take(one);
    ASSERT_TRUE(second);
    EXPECT_EQ(places.take(one).error().code, base::Errc::overloaded);
    const auto third = places.take(other);
    ASSERT_TRUE(third);
    EXPECT_EQ(places.take(other).error().code, base::Errc::overloaded) << "all are taken";
    first.reset();
    EXPECT_TRUE(places.take(other)) << "one was given back, and is again";
    EXPECT_TRUE(places.take(one));
}

}  // namespace
}  // namespace kinodex::service
