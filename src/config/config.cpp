#include "config/config.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>

#include "base/time.h"

namespace kinodex::config {
namespace {

constexpr const char* kAbout =
    "Kinodex: self-hosted video assets and video understanding, speaking the TwelveLabs API v1.3.";

std::string environment_name(const std::string& flag) {
    std::string name = "KINODEX_";
    for (const char c : flag.substr(2)) {
        name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    return name;
}

template <class T>
CLI::Option* option(CLI::App& app, const std::string& flag, T& target, const std::string& text) {
    return app.add_option(flag, target, text)
        ->envname(environment_name(flag))
        ->capture_default_str();
}

std::string check_address(const std::string& text) {
    return parse_address(text) ? "" : "give HOST:PORT, e.g. 127.0.0.1:8080";
}

std::string check_public_url(const std::string& text) {
    const bool known = text.starts_with("http://") || text.starts_with("https://");
    return known && !text.ends_with('/') ? ""
                                         : "give http(s)://host[:port] without a slash at the end";
}

std::string check_grace(const std::string& text) {
    return parse_duration(text) ? "" : "give a duration such as 24h or 7d";
}

std::string check_expiry(const std::string& text) {
    return text == "never" || parse_duration(text) || base::parse_rfc3339(text)
               ? ""
               : "give a duration such as 90d, a date-time such as 2027-01-31T00:00:00Z, or never";
}

void add_data_dir(CLI::App& app, Config& config) {
    option(app, "--data-dir", config.data_dir, "Where everything is kept.");
}

/// Which `webhooks test` needs too, like those that follow.
void add_ca_file(CLI::App& app, Config& config) {
    option(app, "--ca-file", config.ca_file,
           "Certificates (PEM) that servers of https URLs and webhooks are checked with. Empty: "
           "the system's.")
        ->check(CLI::ExistingFile);
}

void add_webhook_options(CLI::App& app, Config& config) {
    option(
        app, "--webhook-urls", config.webhook_urls,
        "Where to tell that indexing has ended: a comma list of URLs, each maybe with the account "
        "whose events it gets in front, as in films=https://example.org/hook.");
    option(app, "--webhook-secret", config.webhook_secret,
           "Signs what webhooks are told, at least 16 characters. Secret.");
    option(app, "--allow-webhook-hosts", config.allow_webhook_hosts,
           "Hosts, addresses and networks, a comma list, that webhooks may reach although they are "
           "not on the public internet.");
}

/// The table of `serve`.
// NOLINTNEXTLINE(readability-function-size): a line or two an option
void add_serve_options(CLI::App& app, Config& config) {
    constexpr std::int64_t kTerabyte = 1LL << 40;
    constexpr int kCountMax = 1'000'000'000;
    add_data_dir(app, config);
    option(app, "--listen", config.listen, "HOST:PORT to serve on; port 0 takes a free one.")
        ->check(check_address);
    option(app, "--public-url", config.public_url,
           "The address that clients know, e.g. `https://media.example.org`; media URLs begin with "
           "it. Empty: the Host of each request.")
        ->check(check_public_url);
    option(app, "--api-key", config.api_key,
           "A known API key for the account `default`, made when it was never there. Secret.");
    option(app, "--ingest", config.ingest,
           "sync: uploads are examined before they are answered; async: answered `processing`.")
        ->check(CLI::IsMember({"sync", "async"}));
    option(app, "--max-direct-bytes", config.max_direct_bytes,
           "Largest video or audio upload, in bytes.")
        ->check(CLI::Range(std::int64_t{1}, kTerabyte));
    option(app, "--max-task-bytes", config.max_task_bytes,
           "Largest video of an upload task, in bytes.")
        ->check(CLI::Range(std::int64_t{1}, kTerabyte));
    option(app, "--max-url-bytes", config.max_url_bytes,
           "Largest video or audio fetched from a URL, in bytes.")
        ->check(CLI::Range(std::int64_t{1}, kTerabyte));
    option(app, "--allow-url-hosts", config.allow_url_hosts,
           "What URLs may reach besides the public internet: a comma list of host, host:port, "
           "address or network, e.g. media.lan,10.1.0.0/16.");
    option(app, "--url-timeout-sec", config.url_timeout_sec,
           "For a URL's server to answer, and for a transfer from it that hardly moves.")
        ->check(CLI::Range(1, 3600));
    option(app, "--url-answer-sec", config.url_answer_sec,
           "How long a client waits for a URL to be fetched before it is answered `processing`.")
        ->check(CLI::Range(1, 3600));
    add_ca_file(app, config);
    option(app, "--max-image-bytes", config.max_image_bytes, "Largest image upload, in bytes.")
        ->check(CLI::Range(std::int64_t{1}, kTerabyte));
    option(app, "--max-multipart-bytes", config.max_multipart_bytes,
           "Largest video or audio uploaded in parts, in bytes.")
        ->check(CLI::Range(std::int64_t{1}, kTerabyte));
    option(app, "--multipart-ttl-sec", config.multipart_ttl_sec,
           "How long an upload in parts may take; then its chunks are removed.")
        ->check(CLI::Range(1, 7 * 86400));
    option(app, "--min-duration-sec", config.min_duration_sec, "Shortest video or audio.")
        ->check(CLI::Range(0.0, 86400.0));
    option(app, "--max-duration-sec", config.max_duration_sec,
           "Longest video or audio; 0 for no bound.")
        ->check(CLI::Range(0.0, 864000.0));
    option(app, "--min-video-side", config.min_video_side,
           "Smallest width and height of a video, in pixels.")
        ->check(CLI::Range(1, 4096));
    option(app, "--media-timeout-sec", config.media_timeout_sec,
           "For examining an upload or making a thumbnail; its child is killed then.")
        ->check(CLI::Range(1, 3600));
    option(app, "--media-stall-sec", config.media_stall_sec,
           "For indexing or transcoding without any progress; its child is killed then.")
        ->check(CLI::Range(1, 86400));
    // FFmpeg itself and one small video need less than the least.
    option(app, "--media-memory-bytes", config.media_memory_bytes,
           "Most memory of a media child, in bytes; short work has at most 2 GiB.")
        ->check(CLI::Range(std::int64_t{64} << 20, kTerabyte));
    option(app, "--media-url-ttl-sec", config.media_url_ttl_sec, "How long media URLs are valid.")
        ->check(CLI::Range(1, 7 * 86400));
    option(app, "--hls-cache-bytes", config.hls_cache_bytes,
           "Memory for packaged segments, in bytes.")
        ->check(CLI::Range(std::int64_t{0}, kTerabyte));
    option(app, "--io-threads", config.io_threads, "Threads that serve connections.")
        ->check(CLI::Range(1, 64));
    option(app, "--worker-threads", config.worker_threads, "Background jobs at once.")
        ->check(CLI::Range(1, 64));
    option(app, "--max-connections", config.max_connections, "More are answered 503.")
        ->check(CLI::Range(1, 1'000'000));
    // A buffer of an upload is touched only as far as bytes came: 512 stalled ones hold 256 MB at
    // worst, which is also what keeps slow clients from using up the places of the others.
    option(app, "--max-uploads", config.max_uploads, "Uploads at once; more are answered 503.")
        ->check(CLI::Range(1, 100'000));
    option(app, "--header-timeout-sec", config.header_timeout_sec, "For a whole request head.")
        ->check(CLI::Range(1, 3600));
    option(app, "--idle-timeout-sec", config.idle_timeout_sec, "For a connection between requests.")
        ->check(CLI::Range(1, 3600));
    option(app, "--body-timeout-sec", config.body_timeout_sec,
           "For a request body or an answer that does not move.")
        ->check(CLI::Range(1, 3600));
    option(app, "--upload-per-minute", config.upload_per_minute,
           "Uploads that an account may begin in a minute; 0 for no limit.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--upload-per-day", config.upload_per_day, "The same for a day.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--index-per-minute", config.index_per_minute,
           "Assets that an account may index in a minute; 0 for no limit.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--index-per-day", config.index_per_day, "The same for a day.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--index-minutes-per-hour", config.index_minutes_per_hour,
           "Minutes of media that an account may index in an hour; 0 for no limit.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--index-minutes-per-day", config.index_minutes_per_day, "The same for a day.")
        ->check(CLI::Range(0, kCountMax));
    option(app, "--quota-bytes", config.quota_bytes,
           "Bytes of assets that an account may hold; 0 for no limit.")
        ->check(CLI::Range(std::int64_t{0}, 1024 * 1024 * kTerabyte));
    option(app, "--quota-hours", config.quota_hours,
           "Hours of media that an account may have indexed; 0 for no limit.")
        ->check(CLI::Range(0.0, 1e9));
    add_webhook_options(app, config);
    option(app, "--log-format", config.log_format, "text or json, on standard error.")
        ->check(CLI::IsMember({"text", "json"}));
    option(app, "--log-level", config.log_level, "debug, info, warn or error.")
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    option(app, "--access-log", config.access_log,
           "Which requests are logged: all, errors or none.")
        ->check(CLI::IsMember({"all", "errors", "none"}));
    option(app, "--config", config.config_file,
           "A file with any of these options, one `name = value` a line; a line that begins "
           "with `#` is a comment.");
}

/// What neither a flag nor the environment set comes from the file. (CLI11 reads config files for
/// its top-level program only, and these options belong to a subcommand.) `serve` knows every name;
/// another command takes those that it has too.
void apply_file(CLI::App& app, const CLI::App& serve, const Config& config) {
    if (config.config_file.empty()) {
        return;
    }
    CLI::ConfigBase reader;
    // All that follows the `=` is the value: lists have commas, keys and secrets may have a `#`.
    // No line has these characters.
    reader.comment('\n')->arrayBounds('\n', '\n')->arrayDelimiter('\n');
    for (const auto& item : reader.from_file(config.config_file)) {
        const auto flag = "--" + item.name;
        if (!item.parents.empty() || serve.get_option_no_throw(flag) == nullptr ||
            item.name == "config") {
            throw CLI::ConfigError(config.config_file + ": there is no option '" + item.fullname() +
                                   "'");
        }
        auto* target = app.get_option_no_throw(flag);
        if (target != nullptr && target->count() == 0) {
            target->add_result(item.inputs);
            target->run_callback();
        }
    }
}

void add_keys_commands(CLI::App& app, Config& config) {
    auto* keys = app.add_subcommand("keys", "API keys: create, list, rotate, revoke.");
    keys->require_subcommand(1);
    auto* create = keys->add_subcommand(
        "create", "Make a key and print it, once; also before a server's first start.");
    add_data_dir(*create, config);
    create->add_option("--account", config.account, "Whose it is; made when it is new.")
        ->capture_default_str();
    create->add_option("--name", config.key_name, "What it is for.");
    create
        ->add_option("--expires", config.key_expires,
                     "When it ends: 90d, 24h, an RFC 3339 date-time, or never. Not given: never.")
        ->check(check_expiry);
    create
        ->add_option("--scopes", config.key_scopes,
                     "What it may do: one or more of read, write, admin.")
        ->capture_default_str();
    create->add_flag("--quiet", config.quiet, "Print the key and nothing else.");
    create->callback([&config] { config.command = Command::keys_create; });
    auto* list = keys->add_subcommand("list", "Every key, without its text.");
    add_data_dir(*list, config);
    list->callback([&config] { config.command = Command::keys_list; });
    auto* rotate = keys->add_subcommand(
        "rotate", "Make a new key like an old one, which ends a little later.");
    add_data_dir(*rotate, config);
    rotate->add_option("id", config.key_id, "The old key's id, from `keys list`.")->required();
    rotate
        ->add_option("--grace", config.key_grace, "How long the old key still works: 24h, 7d, 0s.")
        ->check(check_grace)
        ->capture_default_str();
    rotate
        ->add_option("--expires", config.key_expires,
                     "When the new key ends, as for `keys create`. Not given: it lives as long as "
                     "the old one was to live when that was made.")
        ->check(check_expiry);
    rotate->add_flag("--quiet", config.quiet, "Print the new key and nothing else.");
    rotate->callback([&config] { config.command = Command::keys_rotate; });
    auto* revoke = keys->add_subcommand("revoke", "End a key; a running server notices.");
    add_data_dir(*revoke, config);
    revoke->add_option("id", config.key_id, "The key's id, from `keys list`.")->required();
    revoke->callback([&config] { config.command = Command::keys_revoke; });
}

void add_transfer_commands(CLI::App& app, Config& config) {
    auto* out = app.add_subcommand("export", "Write an account, or an index, as a folder.");
    add_data_dir(*out, config);
    out->add_option("folder", config.folder, "A new folder.")->required();
    out->add_option("--account", config.account, "Whose.")->capture_default_str();
    out->add_option("--index", config.index_id, "Only this index, and the assets in it.");
    out->callback([&config] { config.command = Command::export_; });
    auto* in = app.add_subcommand(
        "import", "Read such a folder into the data directory of a server that is stopped.");
    add_data_dir(*in, config);
    in->add_option("folder", config.folder, "What export wrote.")->required();
    in->add_option("--account", config.import_account,
                   "Whose it becomes. Not given: an account of the same name.");
    in->callback([&config] { config.command = Command::import; });
    auto* backup = app.add_subcommand(
        "backup", "Copy the data directory as of one moment, also while a server runs.");
    add_data_dir(*backup, config);
    backup->add_option("folder", config.folder, "A new folder.")->required();
    backup->callback([&config] { config.command = Command::backup; });
}

void add_ingest_command(CLI::App& app, Config& config) {
    auto* ingest = app.add_subcommand(
        "ingest", "Upload a folder to a server; what it has already is left alone.");
    ingest->add_option("folder", config.folder, "The folder; hidden files are left out.")
        ->required()
        ->check(CLI::ExistingDirectory);
    ingest->add_option("--server", config.ingest_server, "The server's API.")
        ->envname("TWELVELABS_BASE_URL")
        ->capture_default_str();
    ingest->add_option("--api-key", config.api_key, "A key that may read and write.")
        ->envname("KINODEX_API_KEY")
        ->required();
    ingest
        ->add_option("--metadata", config.ingest_metadata,
                     "A CSV table whose column `path` names the file; else <file>.json beside "
                     "each.")
        ->check(CLI::ExistingFile);
    ingest->add_option("--index", config.index_id,
                       "Index each video and audio here once it is ready.");
    ingest->add_option("--parallel", config.ingest_parallel, "Files at once.")
        ->check(CLI::Range(1, 256))
        ->capture_default_str();
    ingest
        ->add_option("--max-direct-bytes", config.max_direct_bytes,
                     "Larger files are uploaded in parts.")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
        ->capture_default_str();
    ingest->add_flag("--enable-hls", config.ingest_hls, "Make each asset playable over HLS.");
    ingest->add_flag("--enable-thumbnail", config.ingest_thumbnails, "Make thumbnails.");
    ingest->callback([&config] { config.command = Command::ingest; });
}

/// Returns the one that takes options of `serve`.
CLI::App* add_webhook_commands(CLI::App& app, Config& config) {
    auto* webhooks = app.add_subcommand("webhooks", "Webhooks: list, test, redeliver.");
    webhooks->require_subcommand(1);
    auto* list = webhooks->add_subcommand("list", "Deliveries, newest first.");
    add_data_dir(*list, config);
    list->add_option("--state", config.delivery_state, "Only these: pending, delivered or failed.")
        ->check(CLI::IsMember({"pending", "delivered", "failed"}));
    list->add_option("--limit", config.list_limit, "How many at most.")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    list->callback([&config] { config.command = Command::webhooks_list; });
    auto* test = webhooks->add_subcommand("test", "Send a test event to every endpoint now.");
    add_webhook_options(*test, config);
    add_ca_file(*test, config);
    option(*test, "--config", config.config_file, "The server's file of options.");
    test->callback([&config] { config.command = Command::webhooks_test; });
    auto* redeliver =
        webhooks->add_subcommand("redeliver", "Try a delivery anew; a running server does it.");
    add_data_dir(*redeliver, config);
    redeliver->add_option("id", config.delivery_id, "The delivery's id, from `webhooks list`.")
        ->required();
    redeliver->callback([&config] { config.command = Command::webhooks_redeliver; });
    return test;
}

}  // namespace

Parsed parse(int argc, char** argv) {
    Parsed parsed;
    Config config;
    CLI::App app(kAbout, "kinodex");
    app.set_version_flag("--version", "kinodex " KN_VERSION);
    app.require_subcommand(1);
    auto* serve = app.add_subcommand("serve", "Run the server.");
    add_serve_options(*serve, config);
    serve->callback([&config] { config.command = Command::serve; });
    add_keys_commands(app, config);
    auto* webhook_test = add_webhook_commands(app, config);
    add_transfer_commands(app, config);
    add_ingest_command(app, config);
    // The server starts its own binary so; nobody else needs to see it.
    auto* zygote = app.add_subcommand("media-zygote", "")->group("");
    zygote->callback([&config] { config.command = Command::media_zygote; });
    try {
        app.parse(argc, argv);
        apply_file(webhook_test->parsed() ? *webhook_test : *serve, *serve, config);
        parsed.config = std::move(config);
    } catch (const CLI::ParseError& problem) {
        parsed.exit_code = app.exit(problem);
    }
    return parsed;
}

std::string reference_rows() {
    Config config;
    CLI::App app;
    add_serve_options(app, config);
    std::string rows;
    for (const auto* each : app.get_options()) {
        const auto flag = each->get_name();
        if (flag == "--help" || flag == "-h,--help") {
            continue;
        }
        rows += "| `" + flag + "` | `" + environment_name(flag) + "` | " +
                (each->get_default_str().empty() ? "" : "`" + each->get_default_str() + "`") +
                " | " + each->get_description() + " |\n";
    }
    return rows;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    constexpr std::int64_t kSecondsMax = 10LL * 366 * 86'400;
    std::int64_t count = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || end - stop != 1 || count < 0 || count > kSecondsMax) {
        return std::nullopt;
    }
    const auto unit = std::string_view("smhd").find(*stop);
    constexpr std::array<std::int64_t, 4> kUnits{1, 60, 3'600, 86'400};
    if (unit == std::string_view::npos || count * kUnits.at(unit) > kSecondsMax) {
        return std::nullopt;
    }
    return std::chrono::seconds(count * kUnits.at(unit));
}

std::optional<Address> parse_address(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return std::nullopt;
    }
    Address address;
    address.host = text.substr(0, colon);
    if (address.host.starts_with('[') && address.host.ends_with(']')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    } else if (address.host.find(':') != std::string::npos) {
        return std::nullopt;
    }
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
    return error == std::errc() && stop == end ? std::optional(address) : std::nullopt;
}

}  // namespace kinodex::config
