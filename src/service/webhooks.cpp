#include "service/webhooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <span>

#include "base/check.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "observe/log.h"

namespace kinodex::service {
namespace {

namespace json = boost::json;
using base::Errc;
using domain::Delivery;
using domain::IndexingStatus;
using domain::JobKind;
using jobs::Outcome;
using runtime::Asked;
using runtime::Task;

constexpr std::size_t kErrorCharsMax = 500;

json::array models_json(const domain::Index& index) {
    json::array models;
    for (const auto& model : index.models) {
        json::array options;
        for (const auto& option : model.model_options) {
            options.emplace_back(option);
        }
        models.push_back({{"name", model.model_name}, {"options", std::move(options)}});
    }
    return models;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string type_of(IndexingStatus status) {
    return status == IndexingStatus::ready ? "index.task.ready" : "index.task.failed";
}

}  // namespace

base::Result<std::vector<WebhookEndpoint>> parse_webhook_endpoints(std::string_view text) {
    const auto refuse = [](std::string reason) {
        return base::fail(Errc::parameter_invalid,
                          {{"parameter", "webhook-urls"}, {"reason", std::move(reason)}});
    };
    std::vector<WebhookEndpoint> endpoints;
    while (!text.empty()) {
        const auto comma = text.find(',');
        auto entry = trimmed(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        WebhookEndpoint endpoint;
        const auto equals = entry.find('=');
        const auto scheme = entry.find("://");
        if (equals != std::string_view::npos && equals < scheme) {
            endpoint.account_name = trimmed(entry.substr(0, equals));
            entry = trimmed(entry.substr(equals + 1));
            if (endpoint.account_name.empty()) {
                return refuse("An account's name stands before '='.");
            }
        }
        endpoint.url = entry;
        if (!fetch::parse_url(endpoint.url)) {
            return refuse(fmt::format("'{}' is no http or https URL.", endpoint.url));
        }
        endpoints.push_back(std::move(endpoint));
        if (endpoints.size() > kWebhookEndpointsMax) {
            return refuse(fmt::format("There can be {} at most.", kWebhookEndpointsMax));
        }
    }
    return endpoints;
}

std::string webhook_signature(std::string_view secret, base::Timestamp now, std::string_view body) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    const base::Hmac hmac(
        std::span(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()));
    const auto time = std::to_string(seconds);
    return fmt::format("t={},v1={}", time, base::hex_text(hmac.of({time, ".", body})));
}

std::string webhook_body(std::string_view event_id, base::Timestamp now,
                         const domain::IndexedAsset& item, const domain::Index& index,
                         const std::optional<domain::TaskId>& task) {
    json::object data{{"id", task ? task->text() : item.id.text()},
                      {"video_id", item.id.text()},
                      {"index_id", item.index_id.text()},
                      {"asset_id", item.asset_id.text()},
                      {"metadata", {{"duration", item.system_metadata.duration_sec.value_or(0)}}},
                      {"status", item.status == IndexingStatus::ready ? "ready" : "failed"},
                      {"models", models_json(index)},
                      {"tags", json::array()}};
    if (!item.error_message.empty()) {
        data["error"] = {{"message", item.error_message}};
    }
    return json::serialize(json::object{{"id", event_id},
                                        {"created_at", base::rfc3339_millis(now)},
                                        {"type", type_of(item.status)},
                                        {"data", std::move(data)}});
}

std::map<JobKind, jobs::Work> Webhooks::works() {
    std::map<JobKind, jobs::Work> works;
    works[JobKind::announce] = [this](jobs::JobContext context) {
        return announce(std::move(context.job));
    };
    return works;
}

Asked<std::string> Webhooks::account_name_of(domain::AccountId account) {
    KN_CO_TRY(accounts, co_await store_.list_usage());
    for (const auto& each : accounts) {
        if (each.account_id == account) {
            co_return each.account_name;
        }
    }
    co_return std::string();
}

Asked<void> Webhooks::warn_of_unknown_accounts() {
    KN_CO_TRY(accounts, co_await store_.list_usage());
    for (const auto& endpoint : options_.endpoints) {
        const auto& name = endpoint.account_name;
        if (!name.empty() &&
            std::ranges::find(accounts, name, &domain::AccountUsage::account_name) ==
                accounts.end()) {
            observe::log_warn("webhook_account_unknown", {{"account", name}});
        }
    }
    co_return base::Status{};
}

Task<Outcome> Webhooks::announce(domain::Job job) {
    const auto id = domain::IndexedAssetId::parse(job.subject);
    if (!id) {
        observe::log_error("job_subject_invalid", {{"kind", "announce"}, {"subject", job.subject}});
        co_return Outcome::done;
    }
    auto item = co_await store_.find_indexed_asset(*id);
    if (!item) {  // deleted since: there is nothing left to tell about
        co_return item.error().code == Errc::resource_not_exist ? Outcome::done : Outcome::retry;
    }
    auto index = co_await store_.find_index(item->account_id, item->index_id);
    if (!index) {
        co_return index.error().code == Errc::resource_not_exist ? Outcome::done : Outcome::retry;
    }
    auto account_name = co_await account_name_of(item->account_id);
    auto task = co_await store_.tasks().find_task_of(item->asset_id);
    if (!account_name || !task) {
        co_return Outcome::retry;
    }
    // Its asset may be indexed elsewhere too, which is no work of the task.
    std::optional<domain::TaskId> task_id;
    if (*task && (*task)->video_id == item->id) {
        task_id = (*task)->id;
    }
    const auto now = base::now();
    // 32 characters: two ids, of which one alone would be told apart from any other.
    const auto event_id =
        "whe_" + (base::id_text(base::next_id_bytes()) + item->id.text()).substr(0, 32);
    std::vector<Delivery> deliveries;
    for (const auto& endpoint : options_.endpoints) {
        if (!endpoint.account_name.empty() && endpoint.account_name != *account_name) {
            continue;
        }
        Delivery delivery;
        delivery.id = domain::DeliveryId::next();
        delivery.event_id = event_id;
        delivery.type = type_of(item->status);
        delivery.subject = item->id.text();
        delivery.account_name = *account_name;
        delivery.url = endpoint.url;
        delivery.body = webhook_body(event_id, now, *item, *index, task_id);
        delivery.created_at = now;
        deliveries.push_back(std::move(delivery));
    }
    if (deliveries.empty()) {
        co_return Outcome::done;
    }
    auto inserted = co_await store_.webhooks().insert_deliveries(std::move(deliveries));
    co_return inserted ? Outcome::done : Outcome::retry;
}

std::string reason_of(const base::Error& error) {
    auto reason = error.detail.empty() ? std::string("it could not be reached") : error.detail;
    reason.resize(std::min(reason.size(), kErrorCharsMax));
    return reason;
}

Asked<void> send_webhook(fetch::Fetcher& fetcher, const WebhookOptions& options, std::string url,
                         std::string body) {
    // Anybody could make what nobody's secret signs.
    KN_CHECK(!options.secret.empty(), "endpoints come with a secret");
    fetch::PostRequest request;
    request.url = url;
    request.rules = options.rules;
    request.patience = kWebhookPatience;
    request.headers = {"Content-Type: application/json", "User-Agent: kinodex/" KN_VERSION,
                       "TL-Signature: " + webhook_signature(options.secret, base::now(), body)};
    request.body = std::move(body);
    KN_CO_TRY(head, co_await fetcher.post(std::move(request)));
    if (head.status < 200 || head.status > 299) {
        co_return base::fail(Errc::media_url_not_accessible, {{"url", url}},
                             fmt::format("it answered HTTP {}", head.status));
    }
    co_return base::Status{};
}

}  // namespace kinodex::service
