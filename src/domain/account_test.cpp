// Scopes of keys: words to bits and back.
#include "domain/account.h"

#include <gtest/gtest.h>

namespace kinodex::domain {
namespace {

TEST(Scopes, are_all_unless_named) {
    EXPECT_EQ(Scopes().text(), "read,write,admin");
    EXPECT_TRUE(Scopes().has(Scope::admin));
}

TEST(Scopes, each_stands_alone) {
    const auto write = Scopes::parse("write");
    ASSERT_TRUE(write);
    EXPECT_TRUE(write->has(Scope::write));
    EXPECT_FALSE(write->has(Scope::read));
    EXPECT_FALSE(write->has(Scope::admin));
}

TEST(Scopes, order_and_repeats_do_not_matter) {
    EXPECT_EQ(Scopes::parse("admin,read,read"), Scopes::parse("read,admin"));
    EXPECT_EQ(Scopes::parse("admin,read")->text(), "read,admin");
}

TEST(Scopes, other_words_are_refused) {
    for (const auto* text : {"", ",", "read,", "Read", "read write", "read,delete"}) {
        EXPECT_FALSE(Scopes::parse(text)) << text;
    }
}

}  // namespace
}  // namespace kinodex::domain
