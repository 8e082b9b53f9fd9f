// The rules of the media store, run against every adapter by the same tests.
//
// An adapter's test file instantiates `ObjectsSuite` with a factory that makes an empty store.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "objects/objects.h"
#include "runtime/test_await.h"

namespace kinodex::objects {

using runtime::await;

struct ObjectsUnderTest {
    virtual ~ObjectsUnderTest() = default;
    virtual Objects& objects() = 0;
    /// The same media after the process that wrote it died.
    virtual void reopen() = 0;
};
using MakeObjects = std::function<std::unique_ptr<ObjectsUnderTest>()>;

class ObjectsSuite : public testing::TestWithParam<MakeObjects> {
  protected:
    void SetUp() override { under_test_ = GetParam()(); }
    Objects& objects() { return under_test_->objects(); }
    void reopen() { under_test_->reopen(); }

    /// Of the one key that the tests use: two parts of 300,000 bytes and one of 5.
    void open_parts();
    base::Status append(Part& part, std::string bytes);
    /// Writes a whole part and returns its ETag.
    std::string write_part(PartSpan span, const std::string& bytes,
                           std::unique_ptr<Part> part = nullptr);

  private:
    std::unique_ptr<ObjectsUnderTest> under_test_;
};

}  // namespace kinodex::objects
