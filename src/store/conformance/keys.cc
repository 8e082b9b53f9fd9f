// API keys: accounts made on the way, versions, and keys that nobody can take over.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

NewApiKey new_key(const std::string& account_name, std::uint8_t seed) {
    NewApiKey key{account_name, "laptop", "kx_ab", {}};
    key.hash.fill(seed);
    return key;
}

TEST_P(StoreConformance, keys_of_one_account_name_share_an_account) {
    const auto first = wait(store().create_key(new_key("main", 1))).value();
    const auto second = wait(store().create_key(new_key("main", 2))).value();
    const auto other = wait(store().create_key(new_key("other", 3))).value();
    EXPECT_EQ(first.account_id, second.account_id);
    EXPECT_NE(first.account_id, other.account_id);
    reopen();
    const auto keys = wait(store().list_keys()).value();
    ASSERT_EQ(keys.size(), 3u);
    EXPECT_EQ(keys[0].id, first.id);
    EXPECT_EQ(keys[0].account_name, "main");
    EXPECT_EQ(keys[0].name, "laptop");
    EXPECT_EQ(keys[0].hint, "kx_ab");
    EXPECT_EQ(keys[0].hash, new_key("main", 1).hash);
    EXPECT_EQ(keys[0].created_at, first.created_at);
    EXPECT_FALSE(keys[0].revoked_at);
}

TEST_P(StoreConformance, live_key_of_another_account_cannot_be_taken) {
    const auto key = wait(store().create_key(new_key("main", 1))).value();
    EXPECT_EQ(error_of(wait(store().create_key(new_key("thief", 1)))).code,
              base::Errc::parameter_invalid);
    EXPECT_EQ(wait(store().create_key(new_key("main", 1)))->id, key.id);
    ASSERT_TRUE(wait(store().revoke_key(key.id)));
    EXPECT_TRUE(wait(store().create_key(new_key("heir", 1))));
}

TEST_P(StoreConformance, keys_version_moves_with_every_change_and_only_then) {
    const auto start = wait(store().keys_version()).value();
    const auto key = wait(store().create_key(new_key("main", 1))).value();
    const auto made = wait(store().keys_version()).value();
    EXPECT_NE(made, start);
    add_asset(account_);
    EXPECT_EQ(wait(store().keys_version()), made);
    ASSERT_TRUE(wait(store().revoke_key(key.id)));
    EXPECT_NE(wait(store().keys_version()), made);
    EXPECT_TRUE(wait(store().list_keys())->front().revoked_at);
}

TEST_P(StoreConformance, unknown_key_cannot_be_revoked) {
    const auto id = domain::KeyId::next();
    expect_not_exist(error_of(wait(store().revoke_key(id))), id.text(), "api_keys");
}

}  // namespace
}  // namespace kinodex::store::conformance
