// Parameters of endpoints, declared once: where they stand, what they may be, where they go.
//
//     struct ListAssets { domain::Page page; … };
//     fields.push_back(page_number(&ListAssets::page));
//
// From a declaration come reading, bounds, the error for a bad or missing value, and the refusal of
// parameters that nobody declared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_body.h"
#include "api/schema.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/indexed_asset.h"
#include "domain/metadata.h"
#include "domain/page.h"
#include "http/types.h"

namespace kinodex::api {

/// `form`: a part of a multipart form. `body`: the whole body as it is.
enum class In { path, query, json, form, body };
enum class Presence { required, optional };

/// The values of one request, by place and name; those of the path stay with the request.
struct Values {
    std::vector<std::pair<std::string_view, std::string_view>> path;
    const http::QueryPairs* query = nullptr;
    RawMembers json;
    std::vector<std::pair<std::string, std::string>> form;

    [[nodiscard]] std::vector<std::string_view> all(In in, std::string_view name) const;
    [[nodiscard]] std::optional<std::string_view> first(In in, std::string_view name) const;
};

struct Field {
    std::string name;
    In in = In::query;
    bool required = false;
    std::string text;             // what it is, for the reference
    Schema schema;                // type, bounds, allowed values, default
    bool takes_brackets = false;  // name[gte] and the like belong to it
    bool takes_the_rest = false;  // query keys that no other field claims are its own
    bool is_refused = false;      // known only to say why it is refused; in no description
    /// Reads from the values into the params struct.
    std::function<base::Status(const Values&, void* params)> read;
};

std::unexpected<base::Error> invalid(std::string_view parameter, std::string reason = {});
/// For a value that is none of `words`.
std::unexpected<base::Error> not_one_of(std::string_view parameter,
                                        const std::vector<std::string_view>& words);
std::unexpected<base::Error> missing(std::string_view parameter);

/// At most one value: nullopt when absent. Errors: parameter_invalid when repeated.
base::Result<std::optional<std::string_view>> single(const Values& values, In in,
                                                     std::string_view name);

// Parsers of single values; the error names the parameter.
base::Result<std::int64_t> parse_integer(std::string_view name, std::string_view text,
                                         std::int64_t least, std::int64_t most);
base::Result<bool> parse_flag(std::string_view name, std::string_view text);
base::Result<base::Timestamp> parse_time(std::string_view name, std::string_view text);
base::Result<domain::NumberRange> parse_range(const Values& values, std::string_view name);

/// Binds `parse(values) -> Result<T>` to a member of P.
template <class P, class T, class Parse>
Field bind_field(std::string name, In in, T P::* member, const Parse& parse) {
    Field field;
    field.name = std::move(name);
    field.in = in;
    field.read = [member, parse](const Values& values, void* params) -> base::Status {
        KN_TRY(value, parse(values));
        static_cast<P*>(params)->*member = std::move(value);
        return {};
    };
    return field;
}

/// Every field passes here: what it may be, and what it is for.
Field described(Field field, Schema schema, std::string text);
/// A field that its endpoint reads by itself, e.g. a part of a form that streams.
Field part(std::string name, In in, Presence presence, Schema schema, std::string text);

/// {asset_id} and the like: 24 hex digits, else parameter_invalid.
template <class P, class Id>
Field path_id(const std::string& name, Id P::* member, std::string text) {
    auto parse = [name](const Values& values) -> base::Result<Id> {
        const auto id = Id::parse(values.first(In::path, name).value_or(""));
        return id ? base::Result<Id>(*id) : invalid(name);
    };
    auto field = bind_field(name, In::path, member, parse);
    field.required = true;
    return described(std::move(field), schema::id(), std::move(text));
}

template <class P>
Field page_number(domain::Page P::* member) {
    Field field;
    field.name = "page";
    field.read = [member](const Values& values, void* params) -> base::Status {
        KN_TRY(text, single(values, In::query, "page"));
        if (text) {
            KN_TRY(number, parse_integer("page", *text, 1, domain::kPageMax));
            (static_cast<P*>(params)->*member).number = number;
        }
        return {};
    };
    return described(std::move(field), schema::integer(1, domain::kPageMax).defaults_to("1"),
                     "The page to retrieve. One past the end is empty.");
}

Schema page_limit_schema();

template <class P>
Field page_limit(domain::Page P::* member) {
    Field field;
    field.name = "page_limit";
    field.read = [member](const Values& values, void* params) -> base::Status {
        KN_TRY(text, single(values, In::query, "page_limit"));
        if (text) {
            KN_TRY(limit, parse_integer("page_limit", *text, 1, domain::kPageLimitMax));
            (static_cast<P*>(params)->*member).limit = limit;
        }
        return {};
    };
    return described(std::move(field), page_limit_schema(), "Items on a page.");
}

/// A query text that may be absent; an empty one says nothing either.
template <class P>
Field query_text(std::string name, std::optional<std::string> P::* member, std::string text) {
    auto parse = [name](const Values& values) -> base::Result<std::optional<std::string>> {
        KN_TRY(value, single(values, In::query, name));
        return value && !value->empty() ? std::optional(std::string(*value)) : std::nullopt;
    };
    return described(bind_field(name, In::query, member, parse), schema::text(), std::move(text));
}

template <class P>
Field query_time(std::string name, std::optional<base::Timestamp> P::* member, std::string text) {
    auto parse = [name](const Values& values) -> base::Result<std::optional<base::Timestamp>> {
        KN_TRY(value, single(values, In::query, name));
        if (!value) {
            return std::nullopt;
        }
        KN_TRY(time, parse_time(name, *value));
        return time;
    };
    return described(bind_field(name, In::query, member, parse), schema::time(), std::move(text));
}

/// A number, or name[gte] and name[lte].
Schema range_schema();

template <class P>
Field query_range(std::string name, domain::NumberRange P::* member, std::string text) {
    auto parse = [name](const Values& values) { return parse_range(values, name); };
    auto field = bind_field(name, In::query, member, parse);
    field.takes_brackets = true;
    return described(std::move(field), range_schema(), std::move(text));
}

template <class P, class Enum>
Field query_choice(std::string name, Enum P::* member,
                   std::vector<std::pair<std::string_view, Enum>> choices, std::string text) {
    std::vector<std::string_view> words(choices.size());
    std::ranges::copy(choices | std::views::keys, words.begin());
    auto parse = [name, member, choices, words](const Values& values) -> base::Result<Enum> {
        KN_TRY(value, single(values, In::query, name));
        if (!value) {
            return P{}.*member;
        }
        for (const auto& [word, meaning] : choices) {
            if (word == *value) {
                return meaning;
            }
        }
        return not_one_of(name, words);
    };
    return described(bind_field(name, In::query, member, parse),
                     schema::words({words.begin(), words.end()}), std::move(text));
}

/// The metadata filter: {"k":v} in `user_metadata`, user_metadata[k]=v, and every query key that no
/// other field claims.
base::Result<std::vector<domain::MetadataCondition>> parse_conditions(
    const Values& values, const std::function<bool(std::string_view)>& claimed);

}  // namespace kinodex::api
