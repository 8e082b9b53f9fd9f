#include "api/endpoint.h"

#include <algorithm>

namespace kinodex::api {
namespace {

bool claims_key(const Field& field, std::string_view key) {
    return key == field.name ||
           (field.takes_brackets && key.starts_with(field.name + "[") && key.ends_with(']'));
}

}  // namespace

bool Endpoint::takes_json() const {
    return std::ranges::any_of(fields, [](const Field& field) { return field.in == In::json; });
}

bool claims(const std::vector<Field>& fields, std::string_view query_key) {
    return std::ranges::any_of(fields, [&](const Field& field) {
        return field.in == In::query && claims_key(field, query_key);
    });
}

base::Status check_names(const Endpoint& endpoint, const Values& values) {
    const auto& fields = endpoint.fields;
    const bool open = std::ranges::any_of(fields, &Field::takes_the_rest);
    for (const auto& [key, value] : *values.query) {
        if (!open && !claims(fields, key)) {
            return base::fail(base::Errc::parameter_unknown, {{"parameter", key}});
        }
    }
    for (const auto& [key, value] : values.json) {
        const auto known = [&key](const Field& field) {
            return field.in == In::json && field.name == key;
        };
        if (!std::ranges::any_of(fields, known)) {
            return base::fail(base::Errc::parameter_unknown, {{"parameter", key}});
        }
    }
    for (const auto& field : fields) {
        if (field.required && values.all(field.in, field.name).empty()) {
            return missing(field.name);
        }
    }
    return {};
}

}  // namespace kinodex::api
