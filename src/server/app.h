// The wiring of a serving process: every part, made in order and ended in reverse.
#pragma once

#include <memory>
#include <string>

#include "api/api.h"
#include "config/config.h"
#include "http/server.h"
#include "server/background.h"
#include "server/data_dir.h"
#include "server/request_metrics.h"
#include "service/deliverer.h"
#include "service/works.h"

namespace kinodex::server {

class App {
  public:
    /// Opens everything and serves. Errors: with a detail that says what to do.
    static base::Result<std::unique_ptr<App>> start(const config::Config& config);
    ~App();

    /// Stops taking requests, lets running ones end, hands jobs back. True when all of it ended
    /// within its time.
    bool stop();

    [[nodiscard]] std::string address() const;
    /// The key made at this start; empty when there was one already.
    [[nodiscard]] const std::string& new_key() const { return new_key_; }

  private:
    explicit App(config::Config config);
    base::Status open();
    base::Status open_keys();
    void wire_services();
    base::Status wire_webhooks();
    base::Status wire_fetching();
    void add_gauges();
    base::Status serve();
    http::ServerOptions server_options(const config::Address& address);

    config::Config config_;
    DataDir dir_;
    observe::Metrics metrics_;
    std::unique_ptr<runtime::Lane> disk_;
    std::unique_ptr<objects::Objects> objects_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<media::Media> media_;
    std::unique_ptr<Background> background_;
    std::unique_ptr<service::KeyRing> keys_;
    std::unique_ptr<service::Signer> signer_;
    std::unique_ptr<service::Signer> upload_signer_;
    std::unique_ptr<service::RateLimits> rate_limits_;
    std::unique_ptr<service::Quotas> quotas_;
    std::unique_ptr<service::Playback> playback_;
    std::unique_ptr<service::Ingest> ingest_;
    std::unique_ptr<service::Renditions> renditions_;
    std::unique_ptr<service::Indexing> indexing_;
    std::unique_ptr<service::EntityCheck> entity_check_;
    std::unique_ptr<jobs::Runner> runner_;
    std::unique_ptr<fetch::Fetcher> webhook_fetcher_;  // of its own: URLs do not use up its places
    std::unique_ptr<service::Webhooks> webhooks_;
    std::unique_ptr<service::Deliverer> deliverer_;
    std::unique_ptr<jobs::Runner> announcer_;
    std::unique_ptr<service::Assets> assets_;
    std::unique_ptr<fetch::Fetcher> fetcher_;
    std::unique_ptr<service::UrlAssets> url_assets_;
    std::unique_ptr<service::Tasks> tasks_;
    std::unique_ptr<jobs::Runner> fetch_runner_;
    std::unique_ptr<jobs::Runner> check_runner_;
    std::unique_ptr<service::Uploads> uploads_;
    std::unique_ptr<service::Indexes> indexes_;
    std::unique_ptr<service::Entities> entities_;
    std::unique_ptr<api::Services> services_;
    std::unique_ptr<RequestMetrics> request_metrics_;
    std::unique_ptr<http::Server> server_;
    std::string new_key_;
    std::string host_;
    std::atomic<bool> is_serving_ = false;
};

}  // namespace kinodex::server
