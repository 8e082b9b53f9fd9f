#include "api/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/json_fields.h"
#include "domain/metadata_text.h"

namespace kinodex::api {
namespace {

using base::Errc;

constexpr std::size_t kConditionsMax = 20;

std::optional<double> finite_number(std::string_view text) {
    double number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && std::isfinite(number) ? std::optional(number)
                                                                        : std::nullopt;
}

/// "user_metadata[key]" → "key".
std::optional<std::string_view> bracket_key(std::string_view name, std::string_view key) {
    if (key.size() >= name.size() + 2 && key.starts_with(name) && key[name.size()] == '[' &&
        key.ends_with(']')) {
        return key.substr(name.size() + 1, key.size() - name.size() - 2);
    }
    return std::nullopt;
}

base::Status add_typed(std::vector<domain::MetadataCondition>& conditions, std::string_view json) {
    KN_TRY(wanted, domain::parse_metadata_change(json, domain::MetadataMode::merge));
    for (auto& [key, value] : wanted.entries) {
        if (!value) {
            return invalid("user_metadata",
                           "A filter compares with a string, integer, float or boolean.");
        }
        conditions.push_back({std::move(key), std::variant<std::string, domain::MetadataValue>(
                                                  std::in_place_index<1>, std::move(*value))});
    }
    return {};
}

/// Calls visit(value) → bool (go on?) for each value of the name.
template <class Visit>
void for_each_value(const Values& values, In in, std::string_view name, const Visit& visit) {
    const auto look = [&](const auto& pairs) {
        for (const auto& [key, value] : pairs) {
            if (key == name && !visit(value)) {
                return;
            }
        }
    };
    switch (in) {
        case In::path:
            return look(values.path);
        case In::query:
            return look(*values.query);
        case In::json:
            return look(values.json);
        case In::form:
            return look(values.form);
        case In::body:
            return;  // it has no name
    }
}

}  // namespace

std::vector<std::string_view> Values::all(In in, std::string_view name) const {
    std::vector<std::string_view> found;
    for_each_value(*this, in, name, [&found](std::string_view value) {
        found.push_back(value);
        return true;
    });
    return found;
}

std::optional<std::string_view> Values::first(In in, std::string_view name) const {
    std::optional<std::string_view> found;
    for_each_value(*this, in, name, [&found](std::string_view value) {
        found = value;
        return false;
    });
    return found;
}

std::unexpected<base::Error> not_one_of(std::string_view parameter,
                                        const std::vector<std::string_view>& words) {
    return invalid(parameter,
                   fmt::format("Use one of the following values: {}.", fmt::join(words, ", ")));
}

std::unexpected<base::Error> invalid(std::string_view parameter, std::string reason) {
    return base::fail(Errc::parameter_invalid,
                      {{"parameter", std::string(parameter)}, {"reason", std::move(reason)}});
}

std::unexpected<base::Error> missing(std::string_view parameter) {
    return base::fail(Errc::parameter_not_provided, {{"parameter", std::string(parameter)}});
}

base::Result<std::optional<std::string_view>> single(const Values& values, In in,
                                                     std::string_view name) {
    std::optional<std::string_view> found;
    std::size_t count = 0;
    for_each_value(values, in, name, [&](std::string_view value) {
        found = value;
        return ++count == 1;
    });
    if (count > 1) {
        return invalid(name, "It was given more than once.");
    }
    return found;
}

base::Result<std::int64_t> parse_integer(std::string_view name, std::string_view text,
                                         std::int64_t least, std::int64_t most) {
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || number < least || number > most) {
        return invalid(name, "It must be an integer from " + std::to_string(least) + " to " +
                                 std::to_string(most) + ".");
    }
    return number;
}

base::Result<bool> parse_flag(std::string_view name, std::string_view text) {
    if (text == "true" || text == "1") {
        return true;
    }
    if (text == "false" || text == "0") {
        return false;
    }
    return invalid(name, "It must be true or false.");
}

base::Result<base::Timestamp> parse_time(std::string_view name, std::string_view text) {
    const auto time = base::parse_rfc3339(text);
    return time ? base::Result<base::Timestamp>(*time)
                : invalid(name, "It must be an RFC 3339 date-time, e.g. 2024-08-16T16:53:59Z.");
}

base::Result<domain::NumberRange> parse_range(const Values& values, std::string_view name) {
    domain::NumberRange range;
    const auto read = [&](const std::string& key, std::optional<double>& bound) -> base::Status {
        KN_TRY(text, single(values, In::query, key));
        if (text) {
            bound = finite_number(*text);
            if (!bound) {
                return invalid(name, "It must be a number.");
            }
        }
        return {};
    };
    std::optional<double> exact;
    const std::string base(name);
    KN_PASS(read(base, exact));
    KN_PASS(read(base + "[gte]", range.gte));
    KN_PASS(read(base + "[lte]", range.lte));
    if (exact) {
        if (!range.empty()) {
            return invalid(name, "Give a number, or gte and lte.");
        }
        range.gte = exact;
        range.lte = exact;
    }
    for (const auto& [key, value] : *values.query) {
        const auto inner = bracket_key(name, key);
        if (inner && *inner != "gte" && *inner != "lte") {
            return invalid(name, "Use gte and lte.");
        }
    }
    return range;
}

Field described(Field field, Schema schema, std::string text) {
    field.schema = std::move(schema);
    field.text = std::move(text);
    return field;
}

Field part(std::string name, In in, Presence presence, Schema schema, std::string text) {
    Field field;
    field.name = std::move(name);
    field.in = in;
    field.required = presence == Presence::required;
    return described(std::move(field), std::move(schema), std::move(text));
}

Schema page_limit_schema() {
    return schema::integer(1, domain::kPageLimitMax)
        .defaults_to(std::to_string(domain::kPageLimitDefault));
}

Schema range_schema() {
    return schema::any_of(
        {schema::number(),
         schema::closed_object({may_have("gte", schema::number(), "At least this."),
                                may_have("lte", schema::number(), "At most this.")})});
}

Schema metadata_change_schema() {
    auto made = schema::map(schema::any_of({schema::text({}, domain::kMetadataTextBytesMax),
                                            schema::number(), schema::flag(), schema::null()}));
    made.most = domain::kMetadataKeysMax;
    return made.like(R"({"category":"trailer","rating":9.3})");
}

base::Result<std::vector<domain::MetadataCondition>> parse_conditions(
    const Values& values, const std::function<bool(std::string_view)>& claimed) {
    std::vector<domain::MetadataCondition> conditions;
    for (const auto& [key, value] : *values.query) {
        if (key == "user_metadata") {
            KN_PASS(add_typed(conditions, value));
            continue;
        }
        const auto inner = bracket_key("user_metadata", key);
        if (!inner && claimed(key)) {
            continue;
        }
        conditions.push_back({std::string(inner.value_or(key)), value});
    }
    if (conditions.size() > kConditionsMax) {
        return invalid("user_metadata",
                       "A filter can name at most " + std::to_string(kConditionsMax) + " keys.");
    }
    return conditions;
}

}  // namespace kinodex::api
