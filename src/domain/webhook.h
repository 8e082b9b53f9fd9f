// Webhooks: what other servers are told, and how far the telling is.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "domain/ids.h"

namespace kinodex::domain {

enum class DeliveryState { pending, delivered, failed };

/// One event on its way to one endpoint.
struct Delivery {
    DeliveryId id;
    std::string event_id;      // "whe_…", the same at every endpoint and in every attempt
    std::string type;          // "index.task.ready"
    std::string subject;       // what it is about; an event is told to an endpoint once a subject
    std::string account_name;  // whose event it is; empty: queued by a version that did not say
    std::string url;
    std::string body;  // the JSON that is sent
    DeliveryState state = DeliveryState::pending;
    int attempts = 0;
    std::string last_error;      // empty before the first attempt and after a success
    base::Timestamp created_at;  // or made anew, always later than before: tells the two apart
    std::optional<base::Timestamp> ended_at;
};

/// What came of a delivery that was looked at.
struct DeliveryOutcome {
    DeliveryState state = DeliveryState::pending;
    std::string error;
    std::optional<base::Timestamp> next_at;  // when a pending one is due again; unset: now
    bool was_tried = true;                   // an attempt that counts
};

}  // namespace kinodex::domain
