// An endpoint, declared once. Routing, authentication, reading and checking of parameters, and the
// refusal of unknown ones all follow from the declaration.
//
//     endpoint<ListAssets>({Method::get, "/v1.3/assets", "assets.list", "List assets", 200},
//                          {page_number(&ListAssets::page), …},
//                          [&](Caller caller, ListAssets in) -> Asked<Reply> { … });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/fields.h"
#include "domain/ids.h"
#include "http/types.h"

namespace kinodex::api {

using http::Method;
using runtime::Asked;

/// Who asks, and under which address the server is known to them.
struct Caller {
    domain::AccountId account;
    std::string base_url;  // "http://host:port", no slash at the end
};

/// A success: JSON, or nothing for 204.
struct Reply {
    std::string json;
    std::string location;  // of what was created; may be empty
};

struct Headline {
    Method method = Method::get;
    std::string pattern;
    std::string operation;  // "assets.list"
    std::string summary;
    unsigned success = 200;
};

/// Largest JSON request body: metadata at its bound, with every character escaped, and some air.
inline constexpr std::size_t kJsonBodyBytesMax = 1024 * 1024;

struct Endpoint {
    Headline headline;
    std::vector<Field> fields;
    std::function<Asked<Reply>(Caller, const Values&)> run;
    [[nodiscard]] bool takes_json() const;
};

/// Reads the fields into a P and hands it to the handler.
template <class P, class Handler>
Endpoint endpoint(Headline headline, std::vector<Field> fields, Handler handler) {
    Endpoint result{std::move(headline), fields, {}};
    // Shared: the declaration outlives the call that copied this function.
    auto shared = std::make_shared<const std::vector<Field>>(std::move(fields));
    auto shared_handler = std::make_shared<Handler>(std::move(handler));
    result.run = [shared, shared_handler](Caller caller, const Values& values) -> Asked<Reply> {
        P params;
        for (const auto& field : *shared) {
            KN_CO_PASS(field.read(values, &params));
        }
        co_return co_await (*shared_handler)(std::move(caller), std::move(params));
    };
    return result;
}

/// Refuses what no field claims: parameter_unknown. Missing required values:
/// parameter_not_provided.
base::Status check_names(const Endpoint& endpoint, const Values& values);

/// Whether a field claims this query key.
bool claims(const std::vector<Field>& fields, std::string_view query_key);

}  // namespace kinodex::api
