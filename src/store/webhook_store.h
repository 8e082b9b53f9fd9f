// Deliveries of webhooks, kept until some days after they ended. Promises and errors are those of
// store.h.
#pragma once

#include <optional>
#include <vector>

#include "domain/webhook.h"
#include "runtime/task.h"

namespace kinodex::store {

class WebhookStore {
  public:
    virtual ~WebhookStore() = default;

    /// Adds deliveries, due at once, in one step. What was added before under the same subject,
    /// type and URL is left out, so whoever announces may do so twice.
    virtual runtime::Asked<void> insert_deliveries(std::vector<domain::Delivery> deliveries) = 0;
    /// Errors: resource_not_exist.
    virtual runtime::Asked<domain::Delivery> find_delivery(domain::DeliveryId id) = 0;
    /// Pending deliveries to `url` that are due by `now`, the longest due first, at most `limit`.
    virtual runtime::Asked<std::vector<domain::Delivery>> due_deliveries(std::string url,
                                                                         base::Timestamp now,
                                                                         std::int64_t limit) = 0;
    /// Keeps what came of `tried`, as it was read. False, and nothing changes, when the delivery is
    /// gone or was made anew since.
    virtual runtime::Asked<bool> record_outcome(domain::Delivery tried,
                                                domain::DeliveryOutcome outcome) = 0;
    /// Newest first, at most `limit`.
    virtual runtime::Asked<std::vector<domain::Delivery>> list_deliveries(
        std::optional<domain::DeliveryState> state, std::int64_t limit) = 0;
    /// Makes a delivery pending again and due at once, as if it were new. Errors:
    /// resource_not_exist.
    virtual runtime::Asked<void> redeliver(domain::DeliveryId id) = 0;
    /// Ends pending deliveries to any URL but these as failed, some thousand at most; how many.
    virtual runtime::Asked<std::int64_t> fail_deliveries_beside(std::vector<std::string> urls,
                                                                std::string error) = 0;
    /// Forgets deliveries that ended before then, some thousand at most; how many.
    virtual runtime::Asked<std::int64_t> forget_deliveries(base::Timestamp ended_before) = 0;
};

}  // namespace kinodex::store
