// Options come from flags, the environment and a file, and wrong ones end the start.
#include "config/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace kinodex::config {
namespace {

Parsed parse_words(std::vector<std::string> words) {
    words.insert(words.begin(), "kinodex");
    std::vector<char*> pointers;
    for (auto& word : words) {
        pointers.push_back(word.data());
    }
    return parse(static_cast<int>(pointers.size()), pointers.data());
}

TEST(Config, flag_wins_over_environment_wins_over_default) {
    EXPECT_EQ(parse_words({"serve"}).config->io_threads, 1);
    setenv("KINODEX_IO_THREADS", "3", 1);
    EXPECT_EQ(parse_words({"serve"}).config->io_threads, 3);
    EXPECT_EQ(parse_words({"serve", "--io-threads", "5"}).config->io_threads, 5);
    unsetenv("KINODEX_IO_THREADS");
}

TEST(Config, file_gives_options_and_refuses_unknown_ones) {
    const auto path = std::filesystem::temp_directory_path() / "kinodex-config-test.toml";
    std::ofstream(path) << "listen = \"127.0.0.1:9\"\nio-threads = 2\n";
    const auto parsed = parse_words({"serve", "--config", path});
    ASSERT_TRUE(parsed.config);
    EXPECT_EQ(parsed.config->listen, "127.0.0.1:9");
    EXPECT_EQ(parsed.config->io_threads, 2);
    std::ofstream(path) << "# a comment\nallow-url-hosts = media.lan, 10.1.0.0/16\n"
                        << "api-key = kx_abc#def\nlisten=[::1]:8080\n"
                        << "webhook-secret = \"two words\"\n";
    const auto lists = parse_words({"serve", "--config", path});
    ASSERT_TRUE(lists.config);
    EXPECT_EQ(lists.config->allow_url_hosts, "media.lan, 10.1.0.0/16");
    EXPECT_EQ(lists.config->api_key, "kx_abc#def");
    EXPECT_EQ(lists.config->listen, "[::1]:8080");
    EXPECT_EQ(lists.config->webhook_secret, "two words");
    std::ofstream(path) << "no-such-option = 1\n";
    EXPECT_NE(parse_words({"serve", "--config", path}).exit_code, 0);
    std::filesystem::remove(path);
}

TEST(Config, values_outside_their_bounds_end_the_start) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"serve", "--io-threads", "0"},
             {"serve", "--ingest", "sometimes"},
             {"serve", "--listen", "8080"},
             {"serve", "--public-url", "media.example.org"},
             {"serve", "--public-url", "https://media.example.org/"},
             {"serve", "--max-direct-bytes", "-1"},
             {"serve", "--unknown"},
             {"keys"},
             {"keys", "revoke"},
             {}}) {
        const auto parsed = parse_words(words);
        EXPECT_FALSE(parsed.config) << (words.empty() ? "nothing" : words.back());
        EXPECT_NE(parsed.exit_code, 0);
    }
}

TEST(Config, commands_are_told_apart) {
    EXPECT_EQ(parse_words({"keys", "create", "--quiet"}).config->command, Command::keys_create);
    EXPECT_EQ(parse_words({"keys", "revoke", "abc"}).config->key_id, "abc");
    EXPECT_EQ(parse_words({"media-zygote"}).config->command, Command::media_zygote);
    EXPECT_EQ(parse_words({"--version"}).exit_code, 0);
}

TEST(Config, readme_lists_every_option_as_it_is) {
    std::ifstream file(std::string(KN_SOURCE_DIR) + "/README.md");
    const std::string readme{std::istreambuf_iterator<char>(file), {}};
    ASSERT_FALSE(readme.empty());
    EXPECT_NE(readme.find(reference_rows()), std::string::npos)
        << "the table in README.md should read:\n"
        << reference_rows();
}

TEST(Config, address_needs_host_and_port) {
    EXPECT_EQ(parse_address("127.0.0.1:80")->port, 80);
    EXPECT_EQ(parse_address("[::1]:80")->host, "::1");
    for (const char* text : {"", ":80", "host", "host:", "host:65536", "::1:80", "host:x"}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

}  // namespace
}  // namespace kinodex::config
