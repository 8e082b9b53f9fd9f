// Metadata keeps its types, and merge and replace follow the documented table.
#include "domain/metadata.h"

#include <gtest/gtest.h>

namespace kinodex::domain {
namespace {

Metadata parsed(std::string_view json) {
    return parse_metadata(json).value();
}

std::string after(std::string_view current, std::string_view change, MetadataMode mode) {
    const auto wanted = parse_metadata_change(change, mode);
    return metadata_json(apply_change(parsed(current), wanted.value()).value());
}

TEST(Metadata, text_survives_a_round_trip_to_the_letter) {
    for (const char* json :
         {R"({"a":5,"b":9.3,"c":true,"d":"x"})", R"({"n":9007199254740993})",
          R"({"min":-9223372036854775808,"max":9223372036854775807})", R"({"f":5.0})",
          R"({"ключ":"значение","😀":"\"quoted\\\n"})",
          R"({"tiny":5e-324,"big":1.7976931348623157e+308})", R"({"c":"\u0001"})", "{}"}) {
        EXPECT_EQ(metadata_json(parsed(json)), json);
    }
}

TEST(Metadata, merge_sets_deletes_ignores_and_keeps) {
    EXPECT_EQ(after(R"({"a":1,"b":2,"c":3})", R"({"a":9,"b":null,"c":"","d":"new","e":null})",
                    MetadataMode::merge),
              R"({"a":9,"c":3,"d":"new"})");
    EXPECT_EQ(after(R"({"a":1})", "{}", MetadataMode::merge), R"({"a":1})");
}

TEST(Metadata, replace_drops_what_is_not_named) {
    EXPECT_EQ(after(R"({"a":1,"b":2})", R"({"b":null,"c":"","d":4})", MetadataMode::replace),
              R"({"d":4})");
    EXPECT_EQ(after(R"({"a":1})", "{}", MetadataMode::replace), "{}");
}

TEST(Metadata, whole_keeps_empty_texts) {
    EXPECT_EQ(after(R"({"a":1,"b":2})", R"({"b":null,"c":"","d":4})", MetadataMode::whole),
              R"({"c":"","d":4})");
    EXPECT_EQ(after(R"({"a":1})", "{}", MetadataMode::whole), "{}");
}

TEST(Metadata, of_a_repeated_key_the_last_value_counts) {
    EXPECT_EQ(after("{}", R"({"a":1,"b":2,"a":3})", MetadataMode::merge), R"({"a":3,"b":2})");
}

TEST(Metadata, refuses_what_is_not_a_flat_object_of_scalars) {
    for (const char* json : {"", "[]", "5", "null", "\"x\"", "{", R"({"a":{}})", R"({"a":[1]})",
                             R"({"a":1}x)", R"({"":1})", R"({"a":9223372036854775808})",
                             R"({"a":1e999})", R"({"a":nan})", R"({a:1})", "{\"a\":\"\xff\"}"}) {
        const auto change = parse_metadata_change(json, MetadataMode::merge);
        ASSERT_FALSE(change) << json;
        EXPECT_EQ(change.error().code, base::Errc::parameter_invalid);
        EXPECT_EQ(change.error().value("parameter"), "user_metadata");
    }
}

TEST(Metadata, bounds_hold_at_the_limit_and_refuse_beyond) {
    const auto with_text = [](std::size_t size) {
        return parse_metadata_change("{\"k\":\"" + std::string(size, 'x') + "\"}",
                                     MetadataMode::merge);
    };
    EXPECT_TRUE(with_text(kMetadataTextBytesMax).has_value());
    EXPECT_FALSE(with_text(kMetadataTextBytesMax + 1).has_value());
    const auto with_key = [](std::size_t size) {
        return parse_metadata_change("{\"" + std::string(size, 'k') + "\":1}", MetadataMode::merge);
    };
    EXPECT_TRUE(with_key(kMetadataKeyBytesMax).has_value());
    EXPECT_FALSE(with_key(kMetadataKeyBytesMax + 1).has_value());
    // Whatever the values: a key that is deleted is named, too. A repeated one counts once.
    const auto with_nulls = [](std::size_t count) {
        std::string json = R"({"k0":1)";
        for (std::size_t i = 0; i < count; ++i) {
            json += ",\"k" + std::to_string(i) + "\":null";
        }
        return parse_metadata_change(json + "}", MetadataMode::merge);
    };
    EXPECT_TRUE(with_nulls(kMetadataKeysMax).has_value());
    EXPECT_FALSE(with_nulls(kMetadataKeysMax + 1).has_value());
    MetadataChange many;
    for (std::size_t i = 0; i < kMetadataKeysMax; ++i) {
        many.entries.emplace_back(std::to_string(i), MetadataValue(std::int64_t{1}));
    }
    EXPECT_TRUE(apply_change(Metadata{}, many).has_value());
    many.entries.emplace_back("one more", MetadataValue(true));
    EXPECT_FALSE(apply_change(Metadata{}, many).has_value());
}

struct Match {
    MetadataValue stored;
    std::variant<std::string, MetadataValue> wanted;
    bool expected;
};

TEST(Metadata, conditions_compare_by_type) {
    const auto text = [](const char* t) { return MetadataValue(std::string(t)); };
    const auto whole = [](std::int64_t n) { return MetadataValue(n); };
    using Wanted = std::variant<std::string, MetadataValue>;
    const auto as = [](MetadataValue value) { return Wanted(std::in_place_index<1>, value); };
    const auto any = [](const char* t) { return Wanted(std::in_place_index<0>, t); };
    const std::vector<Match> cases{
        {whole(5), any("5"), true},
        {whole(5), any("5.0"), true},
        {MetadataValue(5.0), any("5"), true},
        {text("5"), any("5"), true},
        {text("5"), as(whole(5)), false},
        {whole(5), as(text("5")), false},
        {whole(5), as(5.0), true},
        {MetadataValue(9.3), any("9.3"), true},
        {MetadataValue(true), any("true"), true},
        {MetadataValue(true), any("True"), false},
        {MetadataValue(true), as(text("true")), false},
        {text("true"), any("true"), true},
        {MetadataValue(false), as(false), true},
        {whole(1), as(true), false},
        {whole(9007199254740993), any("9007199254740992"), false},
        {whole(9007199254740993), as(9007199254740992.0), false},
        {text(""), any(""), true},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(matches(each.stored, MetadataCondition{"k", each.wanted}), each.expected)
            << metadata_json({{"stored", each.stored}}) << " at " << (&each - cases.data());
    }
}

}  // namespace
}  // namespace kinodex::domain
