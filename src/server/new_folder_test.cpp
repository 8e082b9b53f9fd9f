// A folder that is written under a name of its own and gets its name at the end, beside others who
// want the same name.
#include "server/new_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;

class NewFolders : public ::testing::Test {
  protected:
    NewFolders() : root_(testing::TempDir() + "new_folder_" + std::to_string(::getpid())) {
        fs::create_directories(root_);
    }
    ~NewFolders() override { fs::remove_all(root_); }

    static void write(const std::string& folder, const std::string& text) {
        std::ofstream(folder + "/text") << text;
    }
    static std::string read(const std::string& folder) {
        std::ifstream file(folder + "/text");
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(root_), fs::directory_iterator()));
    }

    std::string root_;
};

TEST_F(NewFolders, has_its_name_once_it_is_whole) {
    {
        auto folder = NewFolder::begin(root_ + "/new///");
        ASSERT_TRUE(folder);
        EXPECT_EQ(folder->path(), root_ + "/new");
        write(folder->draft(), "whole");
        EXPECT_FALSE(fs::exists(root_ + "/new"));
        ASSERT_TRUE(folder->finish());
    }
    EXPECT_EQ(read(root_ + "/new"), "whole");
    EXPECT_EQ(fs::status(root_ + "/new").permissions(), fs::perms::owner_all);
    EXPECT_EQ(entries(), 1U);
}

TEST_F(NewFolders, a_draft_that_is_given_up_leaves_nothing) {
    {
        ASSERT_TRUE(NewFolder::begin(root_ + "/new"));
    }
    EXPECT_EQ(entries(), 0U);
}

TEST_F(NewFolders, of_two_with_one_name_the_first_to_end_has_it) {
    {
        auto one = NewFolder::begin(root_ + "/new");
        auto two = NewFolder::begin(root_ + "/new");
        ASSERT_TRUE(one && two);
        write(one->draft(), "one");
        write(two->draft(), "two");
        ASSERT_TRUE(two->finish());
        EXPECT_FALSE(one->finish());
    }
    EXPECT_EQ(read(root_ + "/new"), "two");
    EXPECT_EQ(entries(), 1U);
}

TEST_F(NewFolders, what_another_put_there_meanwhile_stays_even_when_it_is_empty) {
    auto folder = NewFolder::begin(root_ + "/new");
    ASSERT_TRUE(folder);
    fs::create_directory(root_ + "/new");
    const auto before = fs::last_write_time(root_ + "/new");
    EXPECT_FALSE(folder->finish());
    EXPECT_TRUE(fs::is_empty(root_ + "/new"));
    EXPECT_EQ(fs::last_write_time(root_ + "/new"), before);
}

TEST_F(NewFolders, is_refused_where_something_is_already) {
    fs::create_directory(root_ + "/there");
    EXPECT_FALSE(NewFolder::begin(root_ + "/there/"));
    fs::create_symlink(root_ + "/nowhere", root_ + "/dangling");
    EXPECT_FALSE(NewFolder::begin(root_ + "/dangling"));
    std::ofstream(root_ + "/file") << "text";
    EXPECT_FALSE(NewFolder::begin(root_ + "/file/new"));
    EXPECT_EQ(entries(), 3U);
}

}  // namespace
}  // namespace kinodex::server
