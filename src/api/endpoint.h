// An endpoint, declared once. Routing, authentication, reading and checking of parameters, the
// refusal of unknown ones, and what the OpenAPI document and the reference say of it all follow
// from the declaration.
//
//     endpoint<ListAssets>({Method::get, "/v1.3/assets", "assets.list", "List assets"},
//                          answers(200, page_of(asset_detail_schema())), {},
//                          {page_number(&ListAssets::page), …},
//                          [&](Caller caller, ListAssets in) -> Asked<Reply> { … });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/fields.h"
#include "domain/account.h"
#include "domain/ids.h"
#include "http/types.h"
#include "service/rate_limits.h"

namespace kinodex::api {

using base::Errc;
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
    std::string operation;  // "assets.list"; what stands before the point is the resource
    std::string summary;
    std::string text;  // what else a reader should know; may be empty
};

/// What a success carries. Made by the functions below.
struct Answer {
    unsigned status = 200;
    std::string media_type;  // empty: no body
    Schema schema;
    std::string makes = {};   // the path parameter that takes its id; empty: it makes nothing
    std::string id_key = {};  // where that id stands in the body
    bool has_location = false;
    bool has_etag = false;   // 304 as If-None-Match asks
    bool in_ranges = false;  // 206 and 416 as Range asks

    /// What stands under `key` is what operations take as the path parameter `name`.
    [[nodiscard]] Answer making(std::string name, std::string key = "_id") const;
    [[nodiscard]] Answer with_location() const;
    [[nodiscard]] Answer with_etag() const;
};
Answer answers(unsigned status, Schema schema);
Answer answers_nothing();
Answer answers_text(std::string media_type);
/// Bytes that may be asked for in ranges and are not sent again when unchanged.
Answer answers_bytes(std::string media_type);

/// Who may ask: holders of an API key, of a signed URL, or anyone.
enum class Access { key, signature, anyone };

/// Largest JSON request body: metadata at its bound, with every character escaped, and some air.
inline constexpr std::size_t kJsonBodyBytesMax = 1024 * 1024;

struct Endpoint {
    Headline headline;
    Answer answer;
    // Conditions that it may end with, beside those that follow from its fields and from HTTP.
    std::vector<Errc> errors;
    std::vector<Field> fields;
    /// Reads the fields, and refuses, at once; the answer then needs the values no more.
    std::function<base::Result<Asked<Reply>>(Caller, const Values&)> begin;
    // Instead of `begin`: reads the request and makes the whole answer by itself.
    http::Handler raw;
    http::BodyMode raw_body = http::BodyMode::none;
    Access access = Access::key;
    // What the key must allow; unset: `read` to retrieve, `write` for all else.
    std::optional<domain::Scope> scope;
    // Which requests of an account it counts with, where that is limited.
    std::optional<service::RateCategory> counted;

    [[nodiscard]] bool takes_json() const;
};

/// Reads the fields into a P and hands it to the handler.
template <class P, class Handler>
Endpoint endpoint(Headline headline, Answer answer, std::vector<Errc> errors,
                  std::vector<Field> fields, Handler handler) {
    Endpoint result;
    result.headline = std::move(headline);
    result.answer = std::move(answer);
    result.errors = std::move(errors);
    result.fields = fields;
    // Shared: the declaration outlives the call that copied this function.
    auto shared = std::make_shared<const std::vector<Field>>(std::move(fields));
    auto shared_handler = std::make_shared<Handler>(std::move(handler));
    result.begin = [shared, shared_handler](Caller caller,
                                            const Values& values) -> base::Result<Asked<Reply>> {
        P params;
        for (const auto& field : *shared) {
            KN_PASS(field.read(values, &params));
        }
        return (*shared_handler)(std::move(caller), std::move(params));
    };
    return result;
}

/// An endpoint that reads the request by itself: streamed bodies, and what is not JSON. Its fields
/// are declared with `part`; reading them is the handler's.
Endpoint raw_endpoint(Headline headline, Answer answer, std::vector<Errc> errors,
                      std::vector<Field> fields, Access access, http::BodyMode body,
                      http::Handler handler);

/// The same endpoint, for keys with that scope only.
Endpoint needing(domain::Scope scope, Endpoint endpoint);
/// The same endpoint, counted with the others of that category.
Endpoint counted_as(service::RateCategory category, Endpoint endpoint);

/// Refuses what no field claims: parameter_unknown. Missing required values:
/// parameter_not_provided.
base::Status check_names(const std::vector<Field>& fields, const Values& values);

/// Whether a field claims this query key.
bool claims(const std::vector<Field>& fields, std::string_view query_key);

}  // namespace kinodex::api
