// Giving memory back must leave every library working, relocated data above all.
#include "runtime/memory.h"

#include <gtest/gtest.h>

#include <clocale>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

namespace kinodex::runtime {
namespace {

struct Base {
    virtual ~Base() = default;
    virtual std::string name() const { return "base"; }
};
struct Derived : Base {
    std::string name() const override { return "derived"; }
};

TEST(Memory, code_and_relocated_data_survive_being_let_go) {
    const std::unique_ptr<Base> object = std::make_unique<Derived>();
    EXPECT_GT(return_unused_memory(), 0U);
    EXPECT_EQ(object->name(), "derived");
    EXPECT_NE(dynamic_cast<Derived*>(object.get()), nullptr);
    EXPECT_THROW(throw std::runtime_error("through unwinding tables"), std::runtime_error);
    EXPECT_NE(std::setlocale(LC_ALL, nullptr), nullptr);
}

}  // namespace
}  // namespace kinodex::runtime
