#include "server/app.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "api/error_table.h"
#include "media/sandbox/sandboxed_media.h"
#include "objects/directory/directory_objects.h"
#include "observe/log.h"
#include "runtime/memory.h"
#include "server/wait_for.h"
#include "server/webhook_options.h"
#include "store/sqlite/sqlite_store.h"

namespace kinodex::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

// Wide enough that a few fsyncs do not hold up reads of segments.
constexpr std::size_t kDiskThreads = 4;
constexpr std::size_t kDiskQueue = 4096;

// Twice what can be under way: a transfer that has ended gives its place back a moment later.
constexpr std::size_t kWebhookTransfersMax =
    2 * service::kWebhookEndpointsMax * service::Deliverer::kAtOnce;

// Jobs that bring files from URLs. They wait for other servers most of the time.
constexpr int kFetchesAtOnce = 4;

// Checks of entities: some rows each, and the store writes one thing at a time anyway.
constexpr int kChecksAtOnce = 2;

// The stop takes at most this long in all: requests first, then jobs that were told to stop.
constexpr seconds kStopLimit{8};
constexpr seconds kJobsGrace{2};
// A dropped connection or draft is only noticed now and then.
constexpr milliseconds kLook{5};

AccessLog access_log_of(const std::string& word) {
    if (word == "none") {
        return AccessLog::none;
    }
    return word == "errors" ? AccessLog::errors : AccessLog::all;
}

service::IngestMode ingest_mode(const config::Config& config) {
    return config.ingest == "async" ? service::IngestMode::async : service::IngestMode::sync;
}

service::UploadLimits upload_limits(const config::Config& config) {
    service::UploadLimits limits;
    limits.max_direct_bytes = config.max_direct_bytes;
    limits.max_image_bytes = config.max_image_bytes;
    limits.max_url_bytes = config.max_url_bytes;
    limits.max_multipart_bytes = config.max_multipart_bytes;
    limits.max_task_bytes = config.max_task_bytes;
    limits.media.min_duration_sec = config.min_duration_sec;
    limits.media.max_duration_sec = config.max_duration_sec;
    limits.media.min_side = config.min_video_side;
    return limits;
}

service::RateLimits::Limits rate_limits(const config::Config& config) {
    service::RateLimits::Limits limits;
    auto& upload = limits[service::RateCategory::upload];
    upload.requests_per_minute = config.upload_per_minute;
    upload.requests_per_day = config.upload_per_day;
    auto& index = limits[service::RateCategory::index];
    index.requests_per_minute = config.index_per_minute;
    index.requests_per_day = config.index_per_day;
    index.minutes_per_hour = config.index_minutes_per_hour;
    index.minutes_per_day = config.index_minutes_per_day;
    return limits;
}

media::SandboxOptions sandbox_options(const config::Config& config) {
    media::SandboxOptions options;
    for (int i = 0; i < media::kOperationCount; ++i) {
        auto& limits = options.limits[static_cast<std::size_t>(i)];
        limits.memory_bytes =
            std::min(limits.memory_bytes, static_cast<std::uint64_t>(config.media_memory_bytes));
        if (media::is_long(static_cast<media::Operation>(i))) {
            limits.stall = seconds(config.media_stall_sec);
        } else {
            limits.wall = seconds(config.media_timeout_sec);
        }
    }
    return options;
}

/// Every connection is a descriptor; the soft limit of a shell is often 1,024.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

const domain::ApiKey* find_key(const std::vector<domain::ApiKey>& keys,
                               const domain::KeyHash& hash) {
    const auto found = std::ranges::find(keys, hash, &domain::ApiKey::hash);
    return found == keys.end() ? nullptr : &*found;
}

/// The key of --api-key was revoked or has expired. Whoever ended it meant it, so it is not made
/// again; the other keys must not suffer from an option that was left behind, so the start goes on
/// while there is one that works.
base::Status go_on_without(const domain::ApiKey& ended, const std::vector<domain::ApiKey>& known) {
    const auto* how = ended.revoked_at ? "was revoked" : "has expired";
    const auto now = base::now();
    const bool is_any_live = std::ranges::any_of(known, [&now](const domain::ApiKey& each) {
        return !each.revoked_at && (!each.expires_at || *each.expires_at > now);
    });
    if (!is_any_live) {
        return base::fail(base::Errc::internal, {},
                          "the key of --api-key (" + ended.id.text() + ") " + how +
                              " and no other key works; make one with `kinodex keys create` and "
                              "give that one, or give none");
    }
    observe::log_warn("api_key_ended", {{"key_id", ended.id.text()},
                                        {"reason", how},
                                        {"hint", "give --api-key another key, or none"}});
    return {};
}

bool wait_until(Clock::time_point deadline, const std::function<bool()>& holds) {
    while (!holds()) {
        if (Clock::now() >= deadline) {
            return false;
        }
        std::this_thread::sleep_for(kLook);
    }
    return true;
}

}  // namespace

App::App(config::Config config) : config_(std::move(config)) {}

App::~App() = default;

base::Result<std::unique_ptr<App>> App::start(const config::Config& config) {
    std::unique_ptr<App> app(new App(config));
    KN_PASS(app->open());
    KN_PASS(app->open_keys());
    KN_PASS(app->wire_webhooks());
    app->wire_services();
    KN_PASS(app->wire_fetching());
    app->add_gauges();
    KN_PASS(app->serve());
    return app;
}

base::Status App::open() {
    raise_descriptor_limit();
    KN_TRY(dir, open_data_dir(config_.data_dir, Use::alone));
    dir_ = std::move(dir);
    disk_ = std::make_unique<runtime::Lane>("disk", kDiskThreads, kDiskQueue);
    KN_TRY(objects, objects::open_directory_objects(dir_.media(), *disk_));
    objects_ = std::move(objects);
    store::SqliteOptions options;
    options.path = dir_.database();
    KN_TRY(store, store::open_sqlite_store(std::move(options)));
    store_ = std::move(store);
    return wait_for(service::sweep_at_start(*store_, *objects_));
}

base::Status App::open_keys() {
    keys_ = std::make_unique<service::KeyRing>(*store_);
    KN_PASS(wait_for(keys_->refresh()));
    std::string key;
    if (!config_.api_key.empty()) {
        KN_PASS(service::check_key_text(config_.api_key));
        if (keys_->find(config_.api_key, base::now())) {
            return {};
        }
        KN_TRY(known, wait_for(store_->list_keys()));
        if (const auto* ended = find_key(known, service::hash_key(config_.api_key))) {
            return go_on_without(*ended, known);
        }
        key = config_.api_key;
    } else if (keys_->size() == 0) {
        key = service::new_key_text();
        new_key_ = key;
    } else {
        return {};
    }
    store::NewApiKey first;
    first.account_name = "default";
    first.name = "first";
    first.hint = service::key_hint(key);
    first.hash = service::hash_key(key);
    KN_PASS(wait_for(store_->create_key(std::move(first))));
    return wait_for(keys_->refresh());
}

base::Status App::wire_webhooks() {
    KN_TRY(options, webhook_options(config_));
    background_ = std::make_unique<Background>();
    fetch::FetcherOptions fetching;
    fetching.ca_file = config_.ca_file;
    fetching.transfers_max = kWebhookTransfersMax;
    webhook_fetcher_ = std::make_unique<fetch::Fetcher>(std::move(fetching));
    deliverer_ = std::make_unique<service::Deliverer>(background_->executor(), store_->webhooks(),
                                                      *webhook_fetcher_, options);
    webhooks_ = std::make_unique<service::Webhooks>(*store_, std::move(options));
    jobs::RunnerOptions runner;
    runner.owner = "announcer-" + base::id_text(base::next_id_bytes());
    runner.width = 1;
    announcer_ = std::make_unique<jobs::Runner>(background_->executor(), *store_, std::move(runner),
                                                webhooks_->works());
    return wait_for(webhooks_->warn_of_unknown_accounts());
}

void App::wire_services() {
    const auto limits = upload_limits(config_);
    const auto wake = [this] {
        runner_->wake();
        fetch_runner_->wake();
        check_runner_->wake();
    };
    media_ = media::make_sandboxed_media(sandbox_options(config_));
    rate_limits_ = std::make_unique<service::RateLimits>(rate_limits(config_));
    quotas_ = std::make_unique<service::Quotas>(
        *store_, service::QuotaLimits{config_.quota_bytes, config_.quota_hours});
    playback_ = std::make_unique<service::Playback>(
        *store_, *objects_, *disk_, static_cast<std::size_t>(config_.hls_cache_bytes));
    ingest_ =
        std::make_unique<service::Ingest>(*store_, *objects_, *media_, *quotas_, *rate_limits_,
                                          limits, api::message_of, webhooks_->is_wanted());
    renditions_ = std::make_unique<service::Renditions>(*store_, *objects_, *media_, *playback_);
    indexing_ = std::make_unique<service::Indexing>(*store_, *objects_, *media_, *renditions_,
                                                    api::message_of, webhooks_->is_wanted());
    entity_check_ = std::make_unique<service::EntityCheck>(*store_);
    jobs::RunnerOptions runner;
    runner.owner = "server-" + base::id_text(base::next_id_bytes());
    runner.width = config_.worker_threads;
    runner_ = std::make_unique<jobs::Runner>(
        background_->executor(), *store_, std::move(runner),
        service::works_of(*ingest_, *renditions_, *indexing_, *objects_));
    jobs::RunnerOptions checker;
    checker.owner = "checker-" + base::id_text(base::next_id_bytes());
    checker.width = kChecksAtOnce;
    check_runner_ =
        std::make_unique<jobs::Runner>(background_->executor(), *store_, std::move(checker),
                                       service::check_works_of(*entity_check_));
    service::AssetOptions options;
    options.mode = ingest_mode(config_);
    options.announces = webhooks_->is_wanted();
    assets_ = std::make_unique<service::Assets>(*store_, *objects_, *ingest_, *playback_, *quotas_,
                                                options, wake);
    uploads_ = std::make_unique<service::Uploads>(
        store_->uploads(), *objects_, *quotas_,
        service::UploadOptions{limits, seconds(config_.multipart_ttl_sec)}, wake);
    indexes_ =
        std::make_unique<service::Indexes>(*store_, limits.media, *quotas_, *rate_limits_, wake);
    entities_ = std::make_unique<service::Entities>(*store_, wake);
}

base::Status App::wire_fetching() {
    auto rules = fetch::AddressRules::parse(config_.allow_url_hosts);
    if (!rules) {
        auto error = rules.error();
        error.detail = "--allow-url-hosts: " + std::string(error.value("reason"));
        return std::unexpected(std::move(error));
    }
    fetch::FetcherOptions fetching;
    fetching.ca_file = config_.ca_file;
    fetcher_ = std::make_unique<fetch::Fetcher>(std::move(fetching));
    service::UrlOptions options;
    options.mode = ingest_mode(config_);
    options.answer_within = seconds(config_.url_answer_sec);
    options.patience.stall = seconds(config_.url_timeout_sec);
    options.patience.connect =
        std::min<milliseconds>(options.patience.connect, seconds(config_.url_timeout_sec));
    url_assets_ = std::make_unique<service::UrlAssets>(
        *store_, *objects_, *ingest_, *assets_, *fetcher_,
        std::make_shared<const fetch::AddressRules>(std::move(*rules)), options);
    tasks_ =
        std::make_unique<service::Tasks>(*store_, *assets_, *url_assets_, *quotas_, *rate_limits_);
    jobs::RunnerOptions runner;
    runner.owner = "fetcher-" + base::id_text(base::next_id_bytes());
    runner.width = kFetchesAtOnce;
    fetch_runner_ = std::make_unique<jobs::Runner>(
        background_->executor(), *store_, std::move(runner), service::fetch_works_of(*url_assets_));
    return {};
}

void App::add_gauges() {
    metrics_.gauge("kinodex_jobs", "Background jobs.", "state=\"waiting\"",
                   [this] { return static_cast<double>(background_->jobs().waiting); });
    metrics_.gauge("kinodex_jobs", "Background jobs.", "state=\"running\"", [this] {
        return static_cast<double>(runner_->running() + fetch_runner_->running() +
                                   check_runner_->running());
    });
    metrics_.gauge("kinodex_fetches", "Transfers from URLs.", "",
                   [this] { return static_cast<double>(fetcher_->transfers()); });
    metrics_.gauge("kinodex_indexing_progress", "Mean progress of what is being indexed, 0 to 1.",
                   "", [this] { return indexing_->mean_progress(); });
    metrics_.gauge("kinodex_connections", "Open connections.", "",
                   [this] { return server_ ? static_cast<double>(server_->connections()) : 0; });
    metrics_.gauge("kinodex_hls_cache_bytes", "Packaged segments in memory.", "",
                   [this] { return static_cast<double>(playback_->cached_bytes()); });
    metrics_.gauge("kinodex_lane_depth", "Works waiting for a lane.", "lane=\"disk\"",
                   [this] { return static_cast<double>(disk_->depth()); });
}

http::ServerOptions App::server_options(const config::Address& address) {
    http::ServerOptions options;
    options.host = address.host;
    options.port = address.port;
    options.threads = static_cast<std::size_t>(config_.io_threads);
    options.fixed_headers = {{"X-Api-Version", "v1.3"}, {"X-Content-Type-Options", "nosniff"}};
    options.render_error = api::render_error;
    options.on_access = [this](const http::Access& access) { request_metrics_->observe(access); };
    options.limits.connections = static_cast<std::size_t>(config_.max_connections);
    options.limits.streamed_bodies = static_cast<std::size_t>(config_.max_uploads);
    options.limits.header_timeout = seconds(config_.header_timeout_sec);
    options.limits.idle_timeout = seconds(config_.idle_timeout_sec);
    options.limits.body_timeout = seconds(config_.body_timeout_sec);
    options.limits.write_timeout = seconds(config_.body_timeout_sec);
    return options;
}

base::Status App::serve() {
    KN_TRY(key, load_signing_key(dir_));
    signer_ = std::make_unique<service::Signer>(key, seconds(config_.media_url_ttl_sec));
    upload_signer_ = std::make_unique<service::Signer>(key, service::kChunkUrlTtl);
    services_ = std::make_unique<api::Services>(
        api::Services{*assets_, *url_assets_, *indexes_, *tasks_, *entities_, *uploads_, *playback_,
                      *keys_, *signer_, *upload_signer_, *rate_limits_, *quotas_, *objects_,
                      metrics_, config_.public_url, [this] { return is_serving_.load(); }});
    request_metrics_ =
        std::make_unique<RequestMetrics>(metrics_, access_log_of(config_.access_log));
    const auto address = config::parse_address(config_.listen);
    http::Router router;
    for (auto& route : api::routes_of(*services_)) {
        router.add(std::move(route));
    }
    // The last that can fail: from here on only `stop` ends what runs.
    KN_TRY(server, http::Server::start(std::move(router), server_options(*address)));
    server_ = std::move(server);
    runner_->start();
    announcer_->start();
    deliverer_->start();
    fetch_runner_->start();
    check_runner_->start();
    is_serving_ = true;
    host_ =
        address->host.find(':') == std::string::npos ? address->host : "[" + address->host + "]";
    background_->start(*store_, *objects_, *keys_, *uploads_);
    runtime::return_unused_memory();
    return {};
}

std::string App::address() const {
    return host_ + ":" + std::to_string(server_->port());
}

bool App::stop() {
    const auto deadline = Clock::now() + kStopLimit;
    is_serving_ = false;
    server_->begin_stop();
    runner_->begin_stop();
    announcer_->begin_stop();
    deliverer_->begin_stop();
    fetch_runner_->begin_stop();
    check_runner_->begin_stop();
    webhook_fetcher_->stop();
    background_->begin_stop();
    // Short jobs may finish; what still runs then is killed and handed back.
    const auto jobs_stopped = [this] {
        return runner_->stopped() && announcer_->stopped() && deliverer_->stopped() &&
               fetch_runner_->stopped() && check_runner_->stopped();
    };
    const bool jobs_ended = wait_until(Clock::now() + kJobsGrace, jobs_stopped);
    // Other servers are not waited for, neither by jobs nor by requests.
    fetcher_->stop();
    bool all_ended = server_->wait(deadline);
    media_->stop();
    if (!jobs_ended) {
        all_ended = wait_until(deadline, jobs_stopped) && all_ended;
    }
    all_ended = wait_until(deadline, [this] { return background_->stopped(); }) && all_ended;
    disk_->stop();
    store_->close();
    if (all_ended) {
        server_.reset();
        background_->join();
    }
    return all_ended;
}

}  // namespace kinodex::server
