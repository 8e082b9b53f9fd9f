// Every option of the server, once: name, meaning, default and bounds. Flags, environment
// (KINODEX_… in capitals), the config file, `--help` and the start-up check come from the table in
// config.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kinodex::config {

enum class Command { serve, keys_create, keys_list, keys_revoke, media_zygote };

struct Config {
    Command command = Command::serve;

    std::string config_file;
    std::string data_dir = "./data";
    std::string listen = "127.0.0.1:8080";
    std::string public_url;
    std::string api_key;  // secret
    std::string log_format = "text";
    std::string log_level = "info";
    std::string access_log = "all";

    std::string ingest = "sync";
    std::int64_t max_direct_bytes = 200LL * 1024 * 1024;
    std::int64_t max_image_bytes = 5LL * 1024 * 1024;
    double min_duration_sec = 4;
    double max_duration_sec = 4 * 3600;
    int min_video_side = 360;

    int io_threads = 1;
    int worker_threads = 2;
    int media_url_ttl_sec = 12 * 3600;
    std::int64_t hls_cache_bytes = 64LL * 1024 * 1024;
    int max_connections = 10'000;
    int max_uploads = 512;
    int header_timeout_sec = 10;
    int idle_timeout_sec = 75;
    int body_timeout_sec = 30;

    // keys create|list|revoke
    std::string account = "default";
    std::string key_name;
    std::string key_id;
    bool quiet = false;
};

/// What parsing came to: a Config to run, or an exit code after something was printed.
struct Parsed {
    std::optional<Config> config;
    int exit_code = 0;
};

/// Prints help, the version or what is wrong and how to mend it.
Parsed parse(int argc, char** argv);

/// One line per option of `serve`: flag, environment variable, default and text, as Markdown table
/// rows for the reference.
std::string reference_rows();

/// "127.0.0.1:8080" → host and port; nullopt when it is neither host:port nor [v6]:port.
struct Address {
    std::string host;
    std::uint16_t port = 0;
};
std::optional<Address> parse_address(const std::string& text);

}  // namespace kinodex::config
