// Webhooks: tells configured endpoints when indexing has ended, for a day if need be.
//
// The end of indexing queues an `announce` job in the commit that makes it visible; that job stores
// a delivery for each endpoint, and what waits is sent by `deliverer.h`, so nothing is lost by a
// kill. A receiver can get an event twice and knows it by its id.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fetch/fetcher.h"
#include "jobs/runner.h"
#include "store/store.h"

namespace kinodex::service {

struct WebhookEndpoint {
    std::string account_name;  // whose events it gets; empty: everybody's
    std::string url;
};

struct WebhookOptions {
    std::vector<WebhookEndpoint> endpoints;
    std::string secret;  // signs what is sent
    std::shared_ptr<const fetch::AddressRules> rules;
};

inline constexpr std::size_t kWebhookEndpointsMax = 32;
inline constexpr std::size_t kWebhookSecretBytesMin = 16;
/// An endpoint may take all of the time before it says a word.
inline constexpr fetch::Patience kWebhookPatience{.connect = std::chrono::seconds(10),
                                                  .stall = std::chrono::seconds(30),
                                                  .total = std::chrono::seconds(30)};

/// "https://a.example/x,films=https://b.example/y": URLs, each maybe with the account whose events
/// it gets; blanks around each are left out. Errors: parameter_invalid with a reason.
base::Result<std::vector<WebhookEndpoint>> parse_webhook_endpoints(std::string_view text);

/// "t=<seconds>,v1=<hex>" of TL-Signature: HMAC-SHA-256 over "<seconds>.<body>".
std::string webhook_signature(std::string_view secret, base::Timestamp now, std::string_view body);

/// The JSON of an event about an indexed asset that is ready or failed; `task`: what made it, if a
/// task did.
std::string webhook_body(std::string_view event_id, base::Timestamp now,
                         const domain::IndexedAsset& item, const domain::Index& index,
                         const std::optional<domain::TaskId>& task);

/// Sends a body once, signed with the secret, which must be there. Errors: those of the fetcher;
/// media_url_not_accessible, whose detail says why, for an answer that is not 2xx.
runtime::Asked<void> send_webhook(fetch::Fetcher& fetcher, const WebhookOptions& options,
                                  std::string url, std::string body);
/// Why it was not delivered, for the operator.
std::string reason_of(const base::Error& error);

class Webhooks {
  public:
    Webhooks(store::Store& store, WebhookOptions options)
        : store_(store), options_(std::move(options)) {}

    /// Whether anybody wants to be told.
    [[nodiscard]] bool is_wanted() const { return !options_.endpoints.empty(); }
    /// Says in the log which endpoints wait for events of an account that is not there (yet).
    runtime::Asked<void> warn_of_unknown_accounts();
    /// The jobs that turn the end of indexing into deliveries.
    std::map<domain::JobKind, jobs::Work> works();

  private:
    runtime::Task<jobs::Outcome> announce(domain::Job job);
    runtime::Asked<std::string> account_name_of(domain::AccountId account);

    store::Store& store_;
    WebhookOptions options_;
};

}  // namespace kinodex::service
