// For those who look after the server: what every account holds, under which limits.
#include "api/api.h"
#include "api/json.h"

namespace kinodex::api {
namespace {

constexpr double kHourUs = 3600e6;

struct Nothing {};

Schema account_schema() {
    return schema::named(
        "Account",
        schema::object(
            {has("_id", schema::id(), "The account's identifier."),
             has("account_name", schema::text(), "Its name, as given with its keys."),
             has("assets", schema::integer(0), "How many assets it has."),
             has("storage_bytes", schema::integer(0), "What they take, in bytes."),
             has("indexed_hours", schema::number(0), "Hours of media in its indexes.")}));
}

Schema accounts_schema() {
    return schema::object(
        {has("data", schema::list(account_schema()), "All accounts, by name."),
         may_have("quota_bytes", schema::integer(1), "What an account's assets may take."),
         may_have("quota_hours", schema::number(0), "What an account may have indexed.")});
}

void append_account(std::string& out, const domain::AccountUsage& account) {
    JsonObject object(out);
    object.text("_id", account.account_id.text());
    object.text("account_name", account.account_name);
    object.integer("assets", account.usage.assets);
    object.integer("storage_bytes", account.usage.storage_bytes);
    object.number("indexed_hours",
                  static_cast<double>(account.usage.indexed_duration_us) / kHourUs);
}

Asked<Reply> list_accounts(Services& services) {
    KN_CO_TRY(accounts, co_await services.indexes.store().list_usage());
    const auto& limits = services.quotas.limits();
    Reply reply;
    {
        JsonObject object(reply.json);
        append_array(object.key("data"), accounts, append_account);
        if (limits.storage_bytes > 0) {
            object.integer("quota_bytes", limits.storage_bytes);
        }
        if (limits.indexed_hours > 0) {
            object.number("quota_hours", limits.indexed_hours);
        }
    }
    co_return reply;
}

}  // namespace

std::vector<Endpoint> admin_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(needing(
        domain::Scope::admin,
        endpoint<Nothing>({Method::get, "/admin/accounts", "admin.list_accounts",
                           "What every account uses", "For keys with the scope `admin`."},
                          answers(200, accounts_schema()), {}, {},
                          [&services](Caller, Nothing) { return list_accounts(services); })));
    return endpoints;
}

}  // namespace kinodex::api
