// Reading JSON bodies piece by piece, each piece as it stands in the text.
#include "api/json_body.h"

#include <gtest/gtest.h>

namespace kinodex::api {
namespace {

using Pieces = std::vector<std::string_view>;

TEST(JsonMembers, are_taken_as_they_stand_and_the_last_of_a_name_counts) {
    const auto members = parse_members(R"( {"a" : 1.50, "b":"x,}\"", "\u0061": [ 2 ], "c":{}} )");
    EXPECT_EQ(members.value(), (RawMembers{{"a", "[ 2 ]"}, {"b", R"("x,}\"")"}, {"c", "{}"}}));
    EXPECT_EQ(parse_members(" ").value(), RawMembers{}) << "the Python SDK drops empty bodies";
}

TEST(JsonMembers, of_anything_else_there_are_none) {
    for (const auto* body : {"5", "[]", "null", "{", "{\"a\":1", "{\"a\":1,}", "{} 2", "{a:1}"}) {
        EXPECT_EQ(parse_members(body).error().code, base::Errc::body_invalid_json) << body;
    }
}

TEST(JsonElements, are_taken_as_they_stand) {
    EXPECT_EQ(json_elements("[]"), Pieces{});
    EXPECT_EQ(json_elements(" [ ] "), Pieces{});
    EXPECT_EQ(json_elements("[1]"), Pieces{"1"});
    EXPECT_EQ(json_elements(R"([ 1.50 , "a,]\"" , {"b":[1,{}]},[2 ,3],null ])"),
              (Pieces{"1.50", R"("a,]\"")", R"({"b":[1,{}]})", "[2 ,3]", "null"}));
}

TEST(JsonElements, of_anything_else_there_are_none) {
    for (const auto* raw : {"", "5", "{}", "null", "\"[]\"", "[1", "[1,]", "[1] 2"}) {
        EXPECT_EQ(json_elements(raw), std::nullopt) << raw;
    }
}

}  // namespace
}  // namespace kinodex::api
