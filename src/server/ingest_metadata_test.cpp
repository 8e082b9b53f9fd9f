// The table of metadata for a folder of files, and JSON beside them.
#include "server/ingest_metadata.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kinodex::server {
namespace {

TEST(MetadataTable, cells_keep_their_types) {
    const auto table = parse_metadata_table(
        "path,title,year,rating,seen,code\r\n"
        "a/one.mp4,\"Two, \"\"three\"\"\",1999,9.5,true,007x\r\n"
        "./b.mp4,,2000,,false,\r\n");
    ASSERT_TRUE(table) << table.error().value("reason");
    EXPECT_EQ(table->at("a/one.mp4"),
              R"({"title":"Two, \"three\"","year":1999,"rating":9.5E0,"seen":true,"code":"007x"})");
    EXPECT_EQ(table->at("b.mp4"), R"({"year":2000,"seen":false})");
}

TEST(MetadataTable, only_what_is_written_like_a_number_is_one) {
    const std::pair<const char*, const char*> cases[] = {
        {"0", "0"},
        {"-7", "-7"},
        {"9223372036854775807", "9223372036854775807"},
        {"9.0", "9E0"},
        {"-0.25", "-2.5E-1"},
        {"00712", "\"00712\""},
        {"-0", "\"-0\""},
        {"-0.0", "\"-0.0\""},
        {"+1", "\"+1\""},
        {"1.10", "\"1.10\""},
        {".5", "\".5\""},
        {"1e5", "\"1e5\""},
        {"inf", "\"inf\""},
        {"nan", "\"nan\""},
        {"12345678901234567890", "\"12345678901234567890\""},
        {"0.1234567890123456789", "\"0.1234567890123456789\""},
    };
    for (const auto& [cell, json] : cases) {
        const auto table = parse_metadata_table(std::string("path,n\nx,") + cell + "\n");
        ASSERT_TRUE(table) << cell;
        EXPECT_EQ(table->at("x"), std::string("{\"n\":") + json + "}") << cell;
    }
}

TEST(MetadataTable, may_begin_with_a_byte_order_mark) {
    const auto table = parse_metadata_table("\xef\xbb\xbfpath,a\nx,1\n");
    ASSERT_TRUE(table) << table.error().value("reason");
    EXPECT_EQ(table->at("x"), R"({"a":1})");
}

TEST(MetadataTable, broken_ones_are_refused_with_the_row) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "empty"},
        {"name\na\n", "no column `path`"},
        {"path,a,a\nx,1,2\n", "two columns `a`"},
        {"path,a,path\nx,1,y\n", "two columns `path`"},
        {"path,a\nx,1,2\n", "row 2"},
        {"path,a\nx,1\nx,2\n", "row 3"},
        {"path,a\nx,\"1\n", "broken"},
    };
    for (const auto& [csv, word] : cases) {
        const auto table = parse_metadata_table(csv);
        ASSERT_FALSE(table) << csv;
        EXPECT_NE(table.error().value("reason").find(word), std::string::npos)
            << table.error().value("reason");
    }
}

TEST(MetadataTable, rows_beyond_the_bounds_of_metadata_are_refused) {
    const auto table = parse_metadata_table("path,a\nx," + std::string(9'000, 'y') + "\n");
    ASSERT_FALSE(table);
    EXPECT_NE(table.error().value("reason").find("row 2"), std::string::npos);
}

class Sidecar : public testing::Test {
  public:
    Sidecar() { std::filesystem::create_directories(folder_); }
    ~Sidecar() override { std::filesystem::remove_all(folder_); }

  protected:
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ + "/" + name) << text;
    }
    std::string folder_ = testing::TempDir() + "sidecar";
};

TEST_F(Sidecar, is_found_by_either_name_and_none_is_fine) {
    write("a.mp4.json", R"({"a":1})");
    write("b.json", "\xef\xbb\xbf{\"b\":2.0}");
    EXPECT_EQ(sidecar_metadata(folder_ + "/a.mp4"), R"({"a":1})");
    EXPECT_EQ(sidecar_metadata(folder_ + "/b.mp4"), R"({"b":2.0})");
    EXPECT_EQ(sidecar_metadata(folder_ + "/c.mp4"), "");
}

TEST_F(Sidecar, that_is_no_object_of_scalars_is_refused_by_name) {
    write("a.json", R"({"a":{"b":1}})");
    const auto read = sidecar_metadata(folder_ + "/a.mp4");
    ASSERT_FALSE(read);
    EXPECT_NE(read.error().value("reason").find("a.json"), std::string::npos);
}

}  // namespace
}  // namespace kinodex::server
