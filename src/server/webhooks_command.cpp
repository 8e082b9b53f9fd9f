// kinodex webhooks list|test|redeliver: deliveries as the database has them, also while a server
// runs, and a try of every endpoint from here.
#include <fmt/format.h>

#include <cstdio>

#include "domain/names.h"
#include "server/command_store.h"
#include "server/commands.h"
#include "server/wait_for.h"
#include "server/webhook_options.h"

namespace kinodex::server {

base::Result<service::WebhookOptions> webhook_options(const config::Config& config) {
    service::WebhookOptions options;
    KN_TRY(endpoints, service::parse_webhook_endpoints(config.webhook_urls));
    options.endpoints = std::move(endpoints);
    options.secret = config.webhook_secret;
    if (!options.endpoints.empty() && options.secret.size() < service::kWebhookSecretBytesMin) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", "webhook-secret"},
                           {"reason",
                            "--webhook-urls needs a --webhook-secret of at least 16 "
                            "characters."}});
    }
    auto rules = fetch::AddressRules::parse(config.allow_webhook_hosts);
    if (!rules) {
        return base::fail(
            base::Errc::parameter_invalid,
            {{"parameter", "allow-webhook-hosts"},
             {"reason", "--allow-webhook-hosts: " + std::string(rules.error().value("reason"))}});
    }
    options.rules = std::make_shared<const fetch::AddressRules>(std::move(*rules));
    return options;
}

namespace {

int list(store::Store& store, const config::Config& config) {
    std::optional<domain::DeliveryState> state;
    if (!config.delivery_state.empty()) {
        state = domain::from_name<domain::DeliveryState>(config.delivery_state);
    }
    auto deliveries = wait_for(store.webhooks().list_deliveries(state, config.list_limit));
    if (!deliveries) {
        return complain(deliveries.error());
    }
    constexpr auto kRow = "{:<24}  {:<20}  {:<18}  {:<24}  {:<9}  {:>8}  {}  {}\n";
    fmt::print(kRow, "id", "created", "type", "about", "state", "attempts", "url", "last error");
    for (const auto& each : *deliveries) {
        fmt::print(kRow, each.id.text(), base::rfc3339_seconds(each.created_at), each.type,
                   each.subject, domain::name_of(each.state), each.attempts, each.url,
                   each.last_error.empty() ? "-" : each.last_error);
    }
    return 0;
}

int redeliver(store::Store& store, const config::Config& config) {
    const auto id = domain::DeliveryId::parse(config.delivery_id);
    if (!id) {
        fmt::print(stderr, "kinodex: '{}' is no delivery id; see `kinodex webhooks list`\n",
                   config.delivery_id);
        return 1;
    }
    auto done = wait_for(store.webhooks().redeliver(*id));
    if (!done) {
        if (done.error().code == base::Errc::resource_not_exist) {
            fmt::print(stderr, "kinodex: there is no delivery {}\n", config.delivery_id);
            return 1;
        }
        return complain(done.error());
    }
    fmt::print("{} is pending again\n", config.delivery_id);
    return 0;
}

int test(const config::Config& config) {
    auto options = webhook_options(config);
    if (!options) {
        return complain(options.error());
    }
    if (options->endpoints.empty()) {
        fmt::print(stderr, "kinodex: no endpoint is configured; give --webhook-urls\n");
        return 1;
    }
    fetch::FetcherOptions fetching;
    fetching.ca_file = config.ca_file;
    fetch::Fetcher fetcher(std::move(fetching));
    int code = 0;
    for (const auto& endpoint : options->endpoints) {
        const auto id = "whe_" + base::id_text(base::next_id_bytes());
        const auto body =
            fmt::format(R"({{"id":"{}","created_at":"{}","type":"webhook.test","data":{{}}}})", id,
                        base::rfc3339_millis(base::now()));
        auto sent = wait_for(service::send_webhook(fetcher, *options, endpoint.url, body));
        fmt::print("{}: {}\n", endpoint.url, sent ? "delivered" : service::reason_of(sent.error()));
        code = sent ? code : 1;
    }
    fetcher.stop();
    return code;
}

}  // namespace

int run_webhooks(const config::Config& config) {
    switch (config.command) {
        case config::Command::webhooks_list:
            return with_store(config, [&](store::Store& store) { return list(store, config); });
        case config::Command::webhooks_redeliver:
            return with_store(config,
                              [&](store::Store& store) { return redeliver(store, config); });
        case config::Command::webhooks_test:
            return test(config);
        default:
            return 2;
    }
}

}  // namespace kinodex::server
