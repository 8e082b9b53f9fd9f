// Schemas for people: the words of a type, tables of keys, samples, and JSON over several lines.
#include "api/schema_text.h"

#include <gtest/gtest.h>

namespace kinodex::api {
namespace {

TEST(SchemaText, says_in_words_what_a_value_may_be) {
    struct Case {
        Schema schema;
        const char* text;
    };
    const std::vector<Case> cases{
        {schema::text(), "string"},
        {schema::text(1), "string, not empty"},
        {schema::text(1, 255), "string, 1 to 255 characters"},
        {schema::integer(1, 50).defaults_to("10"), "integer, 1 to 50, default `10`"},
        {schema::number(0), "number"},
        {schema::integer(2), "integer, at least 2"},
        {schema::words({"a", "b"}), "one of `a`, `b`"},
        {schema::words({"a"}), "`a`"},
        {schema::flag().nullable(), "boolean or null"},
        {schema::id(), "id"},
        {schema::time(), "date-time"},
        {schema::list(schema::url(), {}, 3), "list of URL, at most 3 items"},
        {schema::map(schema::any_of({schema::text(), schema::null()})), "map of string or null"},
        {schema::named("PageInfo", schema::object({})), "[PageInfo](#pageinfo)"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(type_text(each.schema), each.text);
    }
}

TEST(SchemaText, a_table_shows_keys_of_objects_without_a_name) {
    const auto inner = schema::object({has("x", schema::flag(), "Inside.")});
    const auto schema =
        schema::object({has("one", inner, "One."), may_have("many", schema::list(inner), "Many."),
                        has("other", schema::named("N", inner), "Named.")});
    EXPECT_EQ(keys_table(schema),
              "| key | type | |\n| --- | --- | --- |\n"
              "| `one` | object | One. |\n"
              "| `one.x` | boolean | Inside. |\n"
              "| `many` *optional* | list of object | Many. |\n"
              "| `many[].x` | boolean | Inside. |\n"
              "| `other` | [N](#n) | Named. |\n");
}

TEST(SchemaText, samples_have_every_key_or_the_required_ones) {
    const auto schema = schema::object({has("a", schema::words({"x", "y"}), ""),
                                        may_have("b", schema::list(schema::integer(3)), ""),
                                        has("c", schema::text().like("\"films\""), "")});
    EXPECT_EQ(sample_json(schema, Keys::all), R"({"a":"x","b":[3],"c":"films"})");
    EXPECT_EQ(sample_json(schema, Keys::required), R"({"a":"x","c":"films"})");
}

TEST(SchemaText, json_is_laid_out_without_touching_texts) {
    EXPECT_EQ(
        laid_out(R"({"a":{},"b":[1,2],"c":"x,{\"y\":[1]}"})"),
        "{\n  \"a\": {},\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": \"x,{\\\"y\\\":[1]}\"\n}");
}

}  // namespace
}  // namespace kinodex::api
