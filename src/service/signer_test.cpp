// A media URL opens what it was made for, until it expires, and nothing else.
#include "service/signer.h"

#include <gtest/gtest.h>

namespace kinodex::service {
namespace {

using std::chrono::seconds;

struct Query {
    std::string expires;
    std::string signature;
};

Query split(const std::string& text) {
    const auto and_at = text.find('&');
    return {text.substr(8, and_at - 8), text.substr(and_at + 11)};
}

TEST(Signer, opens_its_scope_until_it_expires) {
    const Signer signer(SigningKey{1}, seconds(100));
    const base::Timestamp now{seconds(1'000'003)};
    const auto query = split(signer.query_for("assets/a/hls", now));
    EXPECT_TRUE(signer.verify("assets/a/hls", query.expires, query.signature, now));
    EXPECT_TRUE(signer.verify("assets/a/hls", query.expires, query.signature, now + seconds(99)));
    EXPECT_FALSE(signer.verify("assets/a/hls", query.expires, query.signature, now + seconds(111)));
}

TEST(Signer, refuses_anything_changed) {
    const Signer signer(SigningKey{1}, seconds(100));
    const base::Timestamp now{seconds(1'000'000)};
    const auto query = split(signer.query_for("assets/a/hls", now));
    EXPECT_FALSE(signer.verify("assets/b/hls", query.expires, query.signature, now));
    EXPECT_FALSE(signer.verify("assets/a/hls", "9999999999", query.signature, now));
    EXPECT_FALSE(signer.verify("assets/a/hls", query.expires, query.signature + "A", now));
    EXPECT_FALSE(signer.verify("assets/a/hls", query.expires, "", now));
    EXPECT_FALSE(signer.verify("assets/a/hls", "", "", now));
    const Signer other(SigningKey{2}, seconds(100));
    EXPECT_FALSE(other.verify("assets/a/hls", query.expires, query.signature, now));
}

TEST(Signer, url_stays_the_same_for_a_while) {
    const Signer signer(SigningKey{1}, seconds(100));
    EXPECT_EQ(signer.query_for("s", base::Timestamp{seconds(1'000'001)}),
              signer.query_for("s", base::Timestamp{seconds(1'000'009)}));
}

}  // namespace
}  // namespace kinodex::service
