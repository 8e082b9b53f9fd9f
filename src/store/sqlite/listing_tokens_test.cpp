// Tokens are equal exactly when domain::matches says that the values are.
#include "store/sqlite/listing_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace kinodex::store::sqlite {
namespace {

using domain::MetadataValue;

const std::vector<MetadataValue> kValues{std::string(""),
                                         std::string("5"),
                                         std::string("5.0"),
                                         std::string("true"),
                                         std::string("ü\n"),
                                         std::string(300, 'x'),
                                         std::int64_t{0},
                                         std::int64_t{5},
                                         std::int64_t{-5},
                                         (std::int64_t{1} << 53) + 1,
                                         std::int64_t{1} << 53,
                                         std::numeric_limits<std::int64_t>::max(),
                                         std::numeric_limits<std::int64_t>::min(),
                                         0.0,
                                         -0.0,
                                         5.0,
                                         5.5,
                                         -5.0,
                                         0x1p53,
                                         0x1p63,
                                         -0x1p63,
                                         1e300,
                                         5e-324,
                                         true,
                                         false};

TEST(ListingTokens, typed_conditions_agree_with_matches) {
    for (const auto& stored : kValues) {
        for (const auto& wanted : kValues) {
            domain::MetadataCondition condition;
            condition.key = "k";
            condition.wanted.emplace<1>(wanted);
            const auto tokens = tokens_of(condition);
            ASSERT_EQ(tokens.size(), 1u);
            EXPECT_EQ(tokens.front() == token_of("k", stored), domain::matches(stored, condition))
                << domain::metadata_json({{"stored", stored}, {"wanted", wanted}});
        }
    }
}

TEST(ListingTokens, untyped_conditions_agree_with_matches) {
    for (const auto& stored : kValues) {
        for (const char* text : {"", "5", "5.0", "5e0", "0", "-0", "0.0", "true", "false", "TRUE",
                                 "9007199254740993", "9007199254740992.0", " 5", "5x", "ü\n",
                                 "9223372036854775807", "9223372036854775808", "1e300", "1e999"}) {
            domain::MetadataCondition condition;
            condition.key = "k";
            condition.wanted.emplace<0>(text);
            const auto tokens = tokens_of(condition);
            const bool found = std::ranges::find(tokens, token_of("k", stored)) != tokens.end();
            EXPECT_EQ(found, domain::matches(stored, condition))
                << text << " in " << domain::metadata_json({{"stored", stored}});
        }
    }
}

TEST(ListingTokens, key_and_value_do_not_run_together) {
    EXPECT_NE(token_of("ab", std::string("c")), token_of("a", std::string("bc")));
    EXPECT_NE(token_of("a", std::string("")), token_of("", std::string("a")));
    EXPECT_NE(token_of("a", true), token_of("a", std::int64_t{1}));
}

TEST(ListingTokens, stored_json_gives_the_tokens_of_its_metadata) {
    domain::Metadata metadata;
    for (std::size_t i = 0; i < kValues.size(); ++i) {
        metadata.emplace_back("key " + std::to_string(i), kValues[i]);
    }
    const std::vector<domain::Metadata> cases{{},
                                              metadata,
                                              {{"a", 5.5}},
                                              {{"quote\"d", std::string("a,b}")}},
                                              {{"a,}", std::string("}")}}};
    for (const auto& each : cases) {
        std::vector<Token> tokens;
        ASSERT_TRUE(append_tokens(domain::metadata_json(each), tokens));
        EXPECT_EQ(tokens, tokens_of(each)) << domain::metadata_json(each);
    }
}

TEST(ListingTokens, broken_json_is_an_error_and_adds_nothing) {
    for (const char* json : {"{", "{\"a\":}", "{\"a\":5,}", "{\"a\":[1]}", "[]", "{\"a\":5}x"}) {
        std::vector<Token> tokens;
        EXPECT_FALSE(append_tokens(json, tokens)) << json;
        EXPECT_TRUE(tokens.empty()) << json;
    }
}

}  // namespace
}  // namespace kinodex::store::sqlite
