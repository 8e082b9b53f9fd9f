#include "api/endpoint.h"

#include <algorithm>

namespace kinodex::api {
namespace {

bool claims_key(const Field& field, std::string_view key) {
    return key == field.name ||
           (field.takes_brackets && key.starts_with(field.name + "[") && key.ends_with(']'));
}

}  // namespace

Answer Answer::making(std::string name, std::string key) const {
    auto copy = *this;
    copy.makes = std::move(name);
    copy.id_key = std::move(key);
    return copy;
}

Answer Answer::with_location() const {
    auto copy = *this;
    copy.has_location = true;
    return copy;
}

Answer Answer::with_etag() const {
    auto copy = *this;
    copy.has_etag = true;
    return copy;
}

Answer answers(unsigned status, Schema schema) {
    return {status, "application/json", std::move(schema)};
}

Answer answers_nothing() {
    return {204, {}, {}};
}

Answer answers_text(std::string media_type) {
    return {200, std::move(media_type), schema::text()};
}

Answer answers_bytes(std::string media_type) {
    Answer made{200, std::move(media_type), schema::binary()};
    made.has_etag = true;
    made.in_ranges = true;
    return made;
}

Endpoint raw_endpoint(Headline headline, Answer answer, std::vector<Errc> errors,
                      std::vector<Field> fields, Access access, http::BodyMode body,
                      http::Handler handler) {
    Endpoint result;
    result.headline = std::move(headline);
    result.answer = std::move(answer);
    result.errors = std::move(errors);
    result.fields = std::move(fields);
    result.raw = std::move(handler);
    result.raw_body = body;
    result.access = access;
    return result;
}

bool Endpoint::takes_json() const {
    return std::ranges::any_of(fields, [](const Field& field) { return field.in == In::json; });
}

bool claims(const std::vector<Field>& fields, std::string_view query_key) {
    return std::ranges::any_of(fields, [&](const Field& field) {
        return field.in == In::query && claims_key(field, query_key);
    });
}

Endpoint needing(domain::Scope scope, Endpoint endpoint) {
    endpoint.scope = scope;
    return endpoint;
}

Endpoint counted_as(service::RateCategory category, Endpoint endpoint) {
    endpoint.counted = category;
    return endpoint;
}

base::Status check_names(const std::vector<Field>& fields, const Values& values) {
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
        if (field.required && !values.first(field.in, field.name)) {
            return missing(field.name);
        }
    }
    return {};
}

}  // namespace kinodex::api
