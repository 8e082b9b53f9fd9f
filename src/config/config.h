// Every option of the server, once: name, meaning, default and bounds. Flags, environment
// (KINODEX_… in capitals), the config file, `--help` and the start-up check come from the table in
// config.cpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kinodex::config {

enum class Command {
    serve,
    keys_create,
    keys_list,
    keys_revoke,
    keys_rotate,
    webhooks_list,
    webhooks_test,
    webhooks_redeliver,
    export_,
    import,
    backup,
    ingest,
    media_zygote
};

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
    std::int64_t max_task_bytes = 2LL * 1024 * 1024 * 1024;
    std::int64_t max_url_bytes = 4LL * 1024 * 1024 * 1024;
    std::string allow_url_hosts;
    int url_timeout_sec = 30;
    int url_answer_sec = 120;
    std::string ca_file;
    std::int64_t max_image_bytes = 5LL * 1024 * 1024;
    std::int64_t max_multipart_bytes = 10LL * 1024 * 1024 * 1024;
    int multipart_ttl_sec = 24 * 3600;
    double min_duration_sec = 4;
    double max_duration_sec = 4 * 3600;
    int min_video_side = 360;

    int io_threads = 1;
    int worker_threads = 2;
    int media_timeout_sec = 60;
    int media_stall_sec = 600;
    std::int64_t media_memory_bytes = 4LL * 1024 * 1024 * 1024;
    int media_url_ttl_sec = 12 * 3600;
    std::int64_t hls_cache_bytes = 64LL * 1024 * 1024;
    int max_connections = 10'000;
    int max_uploads = 512;
    int header_timeout_sec = 10;
    int idle_timeout_sec = 75;
    int body_timeout_sec = 30;

    // Limits of each account; 0: none.
    int upload_per_minute = 0;
    int upload_per_day = 0;
    int index_per_minute = 0;
    int index_per_day = 0;
    int index_minutes_per_hour = 0;
    int index_minutes_per_day = 0;
    std::int64_t quota_bytes = 0;
    double quota_hours = 0;

    std::string webhook_urls;
    std::string webhook_secret;  // secret
    std::string allow_webhook_hosts;

    // export, import, backup
    std::string folder;          // that is written, or read
    std::string index_id;        // of an export; empty: the whole account
    std::string import_account;  // empty: the one that was exported

    // ingest, with `folder` and `index_id` above
    std::string ingest_server = "http://127.0.0.1:8080/v1.3";
    std::string ingest_metadata;  // a CSV table
    int ingest_parallel = 8;
    bool ingest_hls = false;
    bool ingest_thumbnails = false;

    // webhooks list|test|redeliver
    std::string delivery_id;
    std::string delivery_state;  // empty: any
    int list_limit = 50;

    // keys create|list|revoke|rotate
    std::string account = "default";
    std::string key_name;
    std::string key_id;
    std::string key_expires;  // a date-time, a duration such as 90d, or never; empty: not given
    std::string key_scopes = "read,write,admin";
    std::string key_grace = "24h";
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

/// "90d", "24h", "15m", "30s": a count and its unit, up to ten years; nullopt for anything else.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// "127.0.0.1:8080" → host and port; nullopt when it is neither host:port nor [v6]:port.
struct Address {
    std::string host;
    std::uint16_t port = 0;
};
std::optional<Address> parse_address(const std::string& text);

}  // namespace kinodex::config
