// API keys: accounts made on the way, versions, and keys that nobody can take over.
#include "store/conformance/conformance.h"

namespace kinodex::store::conformance {
namespace {

NewApiKey new_key(const std::string& account_name, std::uint8_t seed) {
    NewApiKey key;
    key.account_name = account_name;
    key.name = "laptop";
    key.hint = "kx_ab";
    key.hash.fill(seed);
    return key;
}

KeyRotation rotation(std::uint8_t seed, base::Timestamp old_ends_at,
                     const std::string& hint = "kx_cd") {
    KeyRotation wanted;
    wanted.hint = hint;
    wanted.hash.fill(seed);
    wanted.old_ends_at = old_ends_at;
    return wanted;
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
}

TEST_P(StoreConformance, revoked_key_cannot_be_made_again) {
    const auto key = wait(store().create_key(new_key("main", 1))).value();
    ASSERT_TRUE(wait(store().revoke_key(key.id)));
    const auto version = wait(store().keys_version()).value();
    for (const auto* account : {"main", "heir"}) {
        const auto error = error_of(wait(store().create_key(new_key(account, 1))));
        EXPECT_EQ(error.code, base::Errc::parameter_invalid);
        EXPECT_NE(error.value("reason").find(key.id.text()), std::string::npos);
    }
    EXPECT_EQ(wait(store().keys_version()), version);
    EXPECT_EQ(wait(store().list_keys())->size(), 1u);
    EXPECT_EQ(wait(store().list_usage())->size(), 1u);  // the heir's account was not made either
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

TEST_P(StoreConformance, key_keeps_its_end_and_its_scopes) {
    auto wanted = new_key("main", 1);
    wanted.expires_at = base::now() + std::chrono::hours(1);
    wanted.scopes = *domain::Scopes::parse("read,admin");
    ASSERT_TRUE(wait(store().create_key(wanted)));
    reopen();
    const auto key = wait(store().list_keys())->front();
    EXPECT_EQ(key.expires_at, wanted.expires_at);
    EXPECT_EQ(key.scopes, wanted.scopes);
    EXPECT_FALSE(key.last_used_at);
}

TEST_P(StoreConformance, last_use_moves_forward_only_and_is_no_change_of_keys) {
    const auto key = wait(store().create_key(new_key("main", 1))).value();
    const auto version = wait(store().keys_version()).value();
    const auto later = base::now();
    const auto sooner = later - std::chrono::minutes(1);
    ASSERT_TRUE(wait(store().record_key_uses({{key.id, later}})));
    ASSERT_TRUE(wait(store().record_key_uses({{key.id, sooner}, {domain::KeyId::next(), later}})));
    EXPECT_EQ(wait(store().list_keys())->front().last_used_at, later);
    EXPECT_EQ(wait(store().keys_version()), version);
}

TEST_P(StoreConformance, rotated_key_lives_on_until_its_end_beside_its_heir) {
    auto wanted = new_key("main", 1);
    wanted.scopes = *domain::Scopes::parse("write");
    const auto old = wait(store().create_key(wanted)).value();
    const auto version = wait(store().keys_version()).value();
    const auto end = base::now() + std::chrono::hours(24);
    const auto heir = wait(store().rotate_key(old.id, rotation(2, end))).value();
    EXPECT_NE(wait(store().keys_version()), version);
    const auto keys = wait(store().list_keys()).value();
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(keys[0].id, old.id);
    EXPECT_EQ(keys[0].expires_at, end);
    EXPECT_EQ(keys[1].id, heir.id);
    EXPECT_EQ(keys[1].account_id, old.account_id);
    EXPECT_EQ(keys[1].name, old.name);
    EXPECT_EQ(keys[1].scopes, old.scopes);
    EXPECT_EQ(keys[1].hint, "kx_cd");
    EXPECT_FALSE(keys[1].expires_at);
    // Rotating again must not give the first one more time.
    ASSERT_TRUE(wait(store().rotate_key(old.id, rotation(3, end + std::chrono::hours(1)))));
    EXPECT_EQ(wait(store().list_keys())->front().expires_at, end);
}

TEST_P(StoreConformance, revoked_or_unknown_key_cannot_be_rotated) {
    const auto key = wait(store().create_key(new_key("main", 1))).value();
    ASSERT_TRUE(wait(store().revoke_key(key.id)));
    expect_not_exist(error_of(wait(store().rotate_key(key.id, rotation(2, base::now())))),
                     key.id.text(), "api_keys");
}

TEST_P(StoreConformance, heir_lives_as_long_as_the_old_key_unless_told_otherwise) {
    constexpr std::chrono::hours kLife{24 * 90};
    auto wanted = new_key("main", 1);
    const auto before = base::now();
    wanted.expires_at = before + kLife;
    const auto old = wait(store().create_key(wanted)).value();
    const auto lifetime = *old.expires_at - old.created_at;
    const auto heir = wait(store().rotate_key(old.id, rotation(2, before + kLife))).value();
    ASSERT_TRUE(heir.expires_at);
    EXPECT_EQ(*heir.expires_at - heir.created_at, lifetime);
    auto told = rotation(3, before + kLife);
    told.keeps_lifetime = false;
    told.expires_at = before + std::chrono::hours(1);
    EXPECT_EQ(wait(store().rotate_key(old.id, told)).value().expires_at, told.expires_at);
    told.hash.fill(4);
    told.expires_at.reset();
    EXPECT_FALSE(wait(store().rotate_key(old.id, told)).value().expires_at);
}

TEST_P(StoreConformance, expired_key_has_no_heir) {
    auto wanted = new_key("main", 1);
    wanted.expires_at = base::now() - std::chrono::seconds(1);
    const auto old = wait(store().create_key(wanted)).value();
    const auto error = error_of(wait(store().rotate_key(old.id, rotation(2, base::now()))));
    EXPECT_EQ(error.code, base::Errc::parameter_invalid);
    EXPECT_NE(error.value("reason").find("expired"), std::string::npos);
    EXPECT_EQ(wait(store().list_keys())->size(), 1u);
}

TEST_P(StoreConformance, usage_follows_assets_and_indexes) {
    const auto account = wait(store().create_key(new_key("main", 1)))->account_id;
    ASSERT_TRUE(wait(store().create_key(new_key("idle", 2))));
    const auto asset = add_ready_asset(account);  // 1 MB, 12.5 s
    const auto second = add_ready_asset(account);
    add_asset(account);  // its size is not known yet
    const auto index = add_index(account);
    set_ready(add_indexed(index, asset));
    add_indexed(index, asset);  // counts from the start
    ASSERT_TRUE(wait(store().set_indexing(add_indexed(index, asset).id,
                                          {domain::IndexingStatus::failed, "no reason", {}})));
    auto usage = wait(store().usage_of(account)).value();
    EXPECT_EQ(usage.assets, 3);
    EXPECT_EQ(usage.storage_bytes, 2'000'000);
    EXPECT_EQ(usage.indexed_duration_us, 25'000'000);
    ASSERT_TRUE(wait(store().delete_asset(account, second.id, DeleteMode::force)));
    ASSERT_TRUE(wait(store().delete_index(account, index.id)));
    reopen();
    usage = wait(store().usage_of(account)).value();
    EXPECT_EQ(usage.assets, 2);
    EXPECT_EQ(usage.storage_bytes, 1'000'000);
    EXPECT_EQ(usage.indexed_duration_us, 0);
    const auto all = wait(store().list_usage()).value();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].account_name, "idle");
    EXPECT_EQ(all[0].usage.assets, 0);
    EXPECT_EQ(all[1].account_id, account);
    EXPECT_EQ(all[1].usage.storage_bytes, 1'000'000);
    EXPECT_EQ(wait(store().usage_of(stranger_))->assets, 0);
}

TEST_P(StoreConformance, unknown_key_cannot_be_revoked) {
    const auto id = domain::KeyId::next();
    expect_not_exist(error_of(wait(store().revoke_key(id))), id.text(), "api_keys");
}

}  // namespace
}  // namespace kinodex::store::conformance
