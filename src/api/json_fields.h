// Fields of JSON bodies. null counts as absent, except where it has a meaning of its own.
#pragma once

#include "api/fields.h"

namespace kinodex::api {

/// The raw JSON of a member, or nullopt when absent or null.
inline std::optional<std::string_view> body_value(const Values& values, std::string_view name) {
    const auto found = values.first(In::json, name);
    return found == "null" ? std::nullopt : found;
}

/// "It must be an integer from 1 to 50."
inline std::string integer_rule(std::optional<std::int64_t> least,
                                std::optional<std::int64_t> most) {
    std::string rule = "It must be an integer";
    if (least) {
        rule += (most ? " from " : " of at least ") + std::to_string(*least);
    }
    if (most) {
        rule += (least ? " to " : " of at most ") + std::to_string(*most);
    }
    return rule + ".";
}

template <class P>
Field body_text(const std::string& name, std::string P::* member, Schema schema, std::string text) {
    auto parse = [name](const Values& values) -> base::Result<std::string> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return missing(name);
        }
        auto value = json_text(*raw);
        return value ? base::Result<std::string>(std::move(*value))
                     : invalid(name, "It must be a string.");
    };
    auto field = bind_field(name, In::json, member, parse);
    field.required = true;
    return described(std::move(field), std::move(schema), std::move(text));
}

/// A text that may be absent.
template <class P>
Field body_text_if(std::string name, std::optional<std::string> P::* member, Schema schema,
                   std::string text) {
    auto parse = [name](const Values& values) -> base::Result<std::optional<std::string>> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return std::nullopt;
        }
        auto value = json_text(*raw);
        return value ? base::Result<std::optional<std::string>>(std::move(value))
                     : invalid(name, "It must be a string.");
    };
    return described(bind_field(name, In::json, member, parse), schema.nullable(), std::move(text));
}

/// A list of ids; what it may hold beyond that is checked where it is used.
template <class P, class Id>
Field body_ids(std::string name, std::vector<Id> P::* member, std::int64_t most, std::string text) {
    auto parse = [name](const Values& values) -> base::Result<std::vector<Id>> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return missing(name);
        }
        const auto texts = json_texts(*raw);
        std::vector<Id> ids;
        for (const auto& each : texts.value_or(std::vector<std::string>{})) {
            if (const auto id = Id::parse(each)) {
                ids.push_back(*id);
            }
        }
        return texts && ids.size() == texts->size()
                   ? base::Result<std::vector<Id>>(std::move(ids))
                   : invalid(name, "It must be a list of identifiers.");
    };
    auto field = bind_field(name, In::json, member, parse);
    field.required = true;
    return described(std::move(field), schema::list(schema::id(), 1, most), std::move(text));
}

template <class P>
Field body_flag(const std::string& name, bool P::* member, std::string text) {
    auto parse = [name, member](const Values& values) -> base::Result<bool> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return P{}.*member;
        }
        const auto value = json_boolean(*raw);
        return value ? base::Result<bool>(*value) : invalid(name, "It must be true or false.");
    };
    return described(bind_field(name, In::json, member, parse),
                     schema::flag().nullable().defaults_to(P{}.*member ? "true" : "false"),
                     std::move(text));
}

template <class P>
Field body_integer(std::string name, std::int64_t P::* member, Schema schema, std::string text) {
    const auto least = schema.least;
    const auto most = schema.most;
    auto parse = [name, least, most](const Values& values) -> base::Result<std::int64_t> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return missing(name);
        }
        const auto value = json_integer(*raw);
        if (!value || (least && *value < *least) || (most && *value > *most)) {
            return invalid(name, integer_rule(least, most));
        }
        return *value;
    };
    auto field = bind_field(name, In::json, member, parse);
    field.required = true;
    return described(std::move(field), std::move(schema), std::move(text));
}

/// What a request may say about user metadata.
Schema metadata_change_schema();

/// Metadata as an object; a change of the given mode.
template <class P>
Field body_metadata(std::optional<domain::MetadataChange> P::* member, domain::MetadataMode mode,
                    Presence presence, std::string name = "user_metadata") {
    using Change = std::optional<domain::MetadataChange>;
    auto parse = [mode, presence, name](const Values& values) -> base::Result<Change> {
        const auto raw = body_value(values, name);
        if (!raw) {
            return presence == Presence::required ? base::Result<Change>(missing(name))
                                                  : std::nullopt;
        }
        KN_TRY(change, domain::parse_metadata_change(*raw, mode, name));
        return change;
    };
    auto field = bind_field(name, In::json, member, parse);
    field.required = presence == Presence::required;
    const auto schema = metadata_change_schema();
    return described(std::move(field), presence == Presence::required ? schema : schema.nullable(),
                     "Values are strings, integers, floats or booleans.");
}

}  // namespace kinodex::api
