// Rate limits: windows of UTC time, what is counted and what is refused, on a clock of the test's.
#include "service/rate_limits.h"

#include <gtest/gtest.h>

namespace kinodex::service {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const base::Timestamp kNoon = *base::parse_rfc3339("2026-03-01T12:00:00Z");
const domain::AccountId kAccount = domain::AccountId::next();

RateLimits uploads(RateLimit limit) {
    return RateLimits({{RateCategory::upload, limit}});
}

TEST(RateLimits, nothing_is_limited_unless_asked) {
    RateLimits limits({});
    for (int i = 0; i < 1000; ++i) {
        const auto admission = limits.admit(kAccount, RateCategory::index, kNoon);
        ASSERT_TRUE(admission.allowed);
        ASSERT_FALSE(admission.state);
    }
    EXPECT_TRUE(limits.admit_duration(kAccount, RateCategory::index, 1e9, kNoon));
}

TEST(RateLimits, request_beyond_the_limit_waits_for_the_next_minute) {
    auto limits = uploads({.requests_per_minute = 2});
    const auto at = kNoon + seconds(15);
    auto admission = limits.admit(kAccount, RateCategory::upload, at);
    ASSERT_TRUE(admission.allowed && admission.state);
    EXPECT_EQ(admission.state->limit, 2);
    EXPECT_EQ(admission.state->used, 1);
    EXPECT_EQ(admission.state->remaining(), 1);
    EXPECT_EQ(admission.state->resets_at, kNoon + minutes(1));
    ASSERT_TRUE(limits.admit(kAccount, RateCategory::upload, at).allowed);
    admission = limits.admit(kAccount, RateCategory::upload, at);
    ASSERT_FALSE(admission.allowed);
    EXPECT_EQ(admission.allowed.error().code, base::Errc::too_many_requests);
    EXPECT_EQ(admission.allowed.error().value("retry_after_sec"), "45");
    EXPECT_EQ(admission.allowed.error().value("rate_limit"), "2 requests per minute");
    EXPECT_EQ(admission.state->remaining(), 0);
    EXPECT_TRUE(limits.admit(kAccount, RateCategory::upload, kNoon + minutes(1)).allowed);
}

TEST(RateLimits, refused_requests_are_not_counted) {
    auto limits = uploads({.requests_per_minute = 1, .requests_per_day = 2});
    ASSERT_TRUE(limits.admit(kAccount, RateCategory::upload, kNoon).allowed);
    for (int i = 0; i < 10; ++i) {
        ASSERT_FALSE(limits.admit(kAccount, RateCategory::upload, kNoon).allowed);
    }
    EXPECT_TRUE(limits.admit(kAccount, RateCategory::upload, kNoon + minutes(1)).allowed);
    const auto third = limits.admit(kAccount, RateCategory::upload, kNoon + minutes(2));
    ASSERT_FALSE(third.allowed);
    EXPECT_EQ(third.allowed.error().value("rate_limit"), "2 requests per day");
    EXPECT_EQ(third.allowed.error().value("retry_after_sec"), std::to_string(12 * 3600 - 120));
    EXPECT_TRUE(limits.admit(kAccount, RateCategory::upload, kNoon + hours(12)).allowed);
}

TEST(RateLimits, accounts_and_categories_do_not_share) {
    auto limits = uploads({.requests_per_minute = 1});
    ASSERT_TRUE(limits.admit(kAccount, RateCategory::upload, kNoon).allowed);
    EXPECT_TRUE(limits.admit(domain::AccountId::next(), RateCategory::upload, kNoon).allowed);
    EXPECT_TRUE(limits.admit(kAccount, RateCategory::index, kNoon).allowed);
}

TEST(RateLimits, media_is_counted_by_its_length) {
    RateLimits limits({{RateCategory::index, {.minutes_per_hour = 10, .minutes_per_day = 15}}});
    const auto admit = [&](double sec, base::Timestamp at) {
        return limits.admit_duration(kAccount, RateCategory::index, sec, at).has_value();
    };
    EXPECT_TRUE(admit(540, kNoon));
    EXPECT_FALSE(admit(60.1, kNoon));
    EXPECT_TRUE(admit(60, kNoon));
    EXPECT_TRUE(admit(300, kNoon + hours(1)));
    EXPECT_FALSE(admit(1, kNoon + hours(2)));  // the day is full
    EXPECT_TRUE(admit(1, kNoon + hours(12)));
}

TEST(RateLimits, media_longer_than_a_window_is_refused_for_good) {
    RateLimits limits({{RateCategory::index, {.minutes_per_hour = 10, .minutes_per_day = 15}}});
    const auto code = [&](double sec) {
        return limits.admit_duration(kAccount, RateCategory::index, sec, kNoon).error().code;
    };
    EXPECT_EQ(code(600.1), base::Errc::media_beyond_rate_limit);
    EXPECT_EQ(code(900.1), base::Errc::media_beyond_rate_limit);
    ASSERT_TRUE(limits.admit_duration(kAccount, RateCategory::index, 600, kNoon));
    EXPECT_EQ(code(1), base::Errc::too_many_requests);  // this one can wait
}

TEST(RateLimits, what_is_given_back_was_not_counted) {
    auto limits = uploads({.requests_per_minute = 2, .requests_per_day = 3});
    const auto admit = [&](base::Timestamp at) {
        return limits.admit(kAccount, RateCategory::upload, at).allowed.has_value();
    };
    for (int i = 0; i < 10; ++i) {
        ASSERT_TRUE(admit(kNoon));
        const auto state = limits.give_back(kAccount, RateCategory::upload, kNoon, kNoon);
        ASSERT_TRUE(state);
        EXPECT_EQ(state->used, 0);
    }
    // From the minute before: only the day has it still.
    ASSERT_TRUE(admit(kNoon));
    const auto next = kNoon + minutes(1);
    ASSERT_TRUE(admit(next));
    limits.give_back(kAccount, RateCategory::upload, kNoon, next);
    EXPECT_TRUE(admit(next));
    EXPECT_FALSE(admit(next));              // two in this minute
    EXPECT_TRUE(admit(next + minutes(1)));  // three today
    EXPECT_FALSE(admit(next + minutes(2)));
}

}  // namespace
}  // namespace kinodex::service
