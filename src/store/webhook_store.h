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

    /// Adds deliveries with a `deliver` job each, in one step. What was added before under the same
    /// subject, type and URL is left out, so whoever announces may do so twice.
    virtual runtime::Asked<void> insert_deliveries(std::vector<domain::Delivery> deliveries) = 0;
    /// Errors: resource_not_exist.
    virtual runtime::Asked<domain::Delivery> find_delivery(domain::DeliveryId id) = 0;
    /// Counts an attempt and keeps what came of it. False when the delivery is gone.
    virtual runtime::Asked<bool> record_attempt(domain::DeliveryId id, domain::DeliveryState state,
                                                std::string error) = 0;
    /// Newest first, at most `limit`.
    virtual runtime::Asked<std::vector<domain::Delivery>> list_deliveries(
        std::optional<domain::DeliveryState> state, std::int64_t limit) = 0;
    /// Makes a delivery pending again, as if it were new, with a job. Errors: resource_not_exist.
    virtual runtime::Asked<void> redeliver(domain::DeliveryId id) = 0;
    /// Forgets deliveries that ended before then, some thousand at most; how many.
    virtual runtime::Asked<std::int64_t> forget_deliveries(base::Timestamp ended_before) = 0;
};

}  // namespace kinodex::store
