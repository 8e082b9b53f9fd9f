// Reading JSON bodies piece by piece, each piece as it stands in the text.
#include "api/json_body.h"

#include <gtest/gtest.h>

namespace kinodex::api {
namespace {

using Pieces = std::vector<std::string_view>;

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
