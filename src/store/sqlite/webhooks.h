// The deliveries of webhooks in SQLite.
#pragma once

#include "store/sqlite/access.h"
#include "store/webhook_store.h"

namespace kinodex::store::sqlite {

class SqliteWebhooks : public WebhookStore {
  public:
    explicit SqliteWebhooks(Access& access) : access_(access) {}

    runtime::Asked<void> insert_deliveries(std::vector<domain::Delivery> deliveries) override;
    runtime::Asked<domain::Delivery> find_delivery(domain::DeliveryId id) override;
    runtime::Asked<std::vector<domain::Delivery>> due_deliveries(std::string url,
                                                                 base::Timestamp now,
                                                                 std::int64_t limit) override;
    runtime::Asked<bool> record_outcome(domain::Delivery tried,
                                        domain::DeliveryOutcome outcome) override;
    runtime::Asked<std::vector<domain::Delivery>> list_deliveries(
        std::optional<domain::DeliveryState> state, std::int64_t limit) override;
    runtime::Asked<void> redeliver(domain::DeliveryId id) override;
    runtime::Asked<std::int64_t> fail_deliveries_beside(std::vector<std::string> urls,
                                                        std::string error) override;
    runtime::Asked<std::int64_t> forget_deliveries(base::Timestamp ended_before) override;

  private:
    Access& access_;
};

}  // namespace kinodex::store::sqlite
