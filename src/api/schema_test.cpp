// Schemas as JSON text: every keyword by the type that it belongs to, references, nullability.
#include "api/schema.h"

#include <gtest/gtest.h>

namespace kinodex::api {
namespace {

struct Case {
    Schema schema;
    const char* json;
};

TEST(Schema, writes_the_keywords_of_each_type) {
    const std::vector<Case> cases{
        {schema::anything(), "{}"},
        {schema::text(1, 9), R"({"type":"string","minLength":1,"maxLength":9})"},
        {schema::integer(1, 50).defaults_to("10"),
         R"({"type":"integer","minimum":1,"maximum":50,"default":10})"},
        {schema::number(0), R"({"type":"number","minimum":0})"},
        {schema::words({"asc", "desc"}), R"({"type":"string","enum":["asc","desc"]})"},
        {schema::flag().nullable(), R"({"type":["boolean","null"]})"},
        {schema::list(schema::flag(), 1, 2),
         R"({"type":"array","minItems":1,"maxItems":2,"items":{"type":"boolean"}})"},
        {schema::map(schema::number()),
         R"({"type":"object","additionalProperties":{"type":"number"}})"},
        {schema::any_of({schema::text(), schema::null()}),
         R"({"anyOf":[{"type":"string"},{"type":"null"}]})"},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(schema_json(each.schema), each.json);
    }
}

TEST(Schema, objects_say_what_is_always_there_and_what_each_key_is) {
    const auto schema = schema::closed_object(
        {has("a", schema::flag(), "First."), may_have("b", schema::anything(), "Second.")});
    EXPECT_EQ(schema_json(schema),
              R"({"type":"object","properties":{"a":{"type":"boolean","description":"First."},)"
              R"("b":{"description":"Second."}},"required":["a"],"additionalProperties":false})");
}

TEST(Schema, a_named_one_is_written_out_at_the_top_and_referred_to_inside) {
    const auto named = schema::named("Flag", schema::flag());
    EXPECT_EQ(schema_json(named), R"({"type":"boolean"})");
    EXPECT_EQ(schema_json(schema::list(named)),
              R"({"type":"array","items":{"$ref":"#/components/schemas/Flag"}})");
}

}  // namespace
}  // namespace kinodex::api
