// Back-off grows and is bounded. The runner's life with a real store is tested with the server.
#include "jobs/runner.h"

#include <gtest/gtest.h>

namespace kinodex::jobs {
namespace {

TEST(Backoff, doubles_and_stays_within_five_minutes) {
    using std::chrono::milliseconds;
    EXPECT_EQ(backoff(0), milliseconds(1000));
    EXPECT_EQ(backoff(1), milliseconds(1000));
    EXPECT_EQ(backoff(2), milliseconds(2000));
    EXPECT_EQ(backoff(5), milliseconds(16'000));
    EXPECT_EQ(backoff(10), milliseconds(300'000));
    EXPECT_EQ(backoff(1'000'000), milliseconds(300'000));
}

}  // namespace
}  // namespace kinodex::jobs
