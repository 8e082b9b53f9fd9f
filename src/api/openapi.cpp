#include "api/openapi.h"

#include <algorithm>

#include "api/error_table.h"
#include "api/json.h"
#include "base/check.h"
#include "http/router.h"

namespace kinodex::api {
namespace {

std::vector<std::string> path_names(const Endpoint& endpoint) {
    std::vector<std::string> names;
    for (const auto& field : endpoint.fields) {
        if (field.in == In::path) {
            names.push_back(field.name);
        }
    }
    return names;
}

std::string_view place_of(In in) {
    return in == In::path ? "path" : "query";
}

std::map<std::string, Schema> components_of(const std::vector<Endpoint>& endpoints) {
    std::map<std::string, Schema> components;
    collect_named(error_schema(), components);
    for (const auto& endpoint : endpoints) {
        collect_named(endpoint.answer.schema, components);
        for (const auto& field : endpoint.fields) {
            collect_named(field.schema, components);
        }
    }
    return components;
}

/// Where a schema is used: a reference when it has a name.
std::string use_json(const Schema& schema) {
    return schema.name.empty() ? schema_json(schema)
                               : R"({"$ref":"#/components/schemas/)" + schema.name + "\"}";
}

void append_parameter(std::string& out, const Field& field) {
    JsonObject object(out);
    object.text("name", field.name);
    object.text("in", place_of(field.in));
    object.boolean("required", field.required);
    object.text("description", field.text);
    if (field.takes_brackets) {
        object.text("style", "deepObject");
        object.boolean("explode", true);
    }
    object.raw("schema", use_json(field.schema));
}

/// The fields of a body as one object.
Schema body_schema(const Endpoint& endpoint, In in) {
    std::vector<Property> properties;
    for (const auto& field : endpoint.fields) {
        if (field.in == in && !field.is_refused) {
            properties.push_back({field.name, field.schema, field.required, field.text});
        }
    }
    return schema::closed_object(std::move(properties));
}

void append_request_body(JsonObject& operation, const Endpoint& endpoint) {
    const auto has = [&](In in) {
        return std::ranges::any_of(endpoint.fields, [in](const Field& f) { return f.in == in; });
    };
    const auto write = [&](std::string_view type, const std::string& json, bool required) {
        JsonObject body(operation.key("requestBody"));
        body.boolean("required", required);
        JsonObject content(body.key("content"));
        JsonObject media(content.key(type));
        media.raw("schema", json);
    };
    for (const auto& [in, type] :
         {std::pair{In::json, "application/json"}, std::pair{In::form, "multipart/form-data"}}) {
        if (has(in)) {
            const auto body = body_schema(endpoint, in);
            const bool required = std::ranges::any_of(body.properties, &Property::required);
            write(type, schema_json(body), required);
        }
    }
    for (const auto& field : endpoint.fields) {
        if (field.in == In::body) {
            write("application/octet-stream", use_json(field.schema), field.required);
        }
    }
}

std::string_view reason_of(unsigned status) {
    switch (status) {
        case 200:
            return "Success.";
        case 201:
            return "Created.";
        case 202:
            return "Accepted; the work goes on.";
        case 204:
            return "Done. No body.";
        case 206:
            return "The range that was asked for.";
        case 304:
            return "Unchanged.";
        default:
            return "Success.";
    }
}

void append_content(JsonObject& response, std::string_view type, const std::string& schema) {
    JsonObject content(response.key("content"));
    JsonObject media(content.key(type));
    media.raw("schema", schema);
}

/// Operations that take what was made: its id in the path, the rest as in the request that made it.
void append_links(JsonObject& response, const Endpoint& endpoint,
                  const std::vector<Endpoint>& endpoints) {
    const auto names = path_names(endpoint);
    JsonObject links(response.key("links"));
    for (const auto& other : endpoints) {
        const auto wanted = path_names(other);
        const auto is_known = [&](const std::string& name) {
            return name == endpoint.answer.makes || std::ranges::find(names, name) != names.end();
        };
        if (std::ranges::find(wanted, endpoint.answer.makes) == wanted.end() ||
            !std::ranges::all_of(wanted, is_known) || other.access != Access::key) {
            continue;
        }
        JsonObject link(links.key(other.headline.operation));
        link.text("operationId", other.headline.operation);
        JsonObject parameters(link.key("parameters"));
        for (const auto& name : wanted) {
            parameters.text(name, name == endpoint.answer.makes
                                      ? "$response.body#/" + endpoint.answer.id_key
                                      : "$request.path." + name);
        }
    }
}

void append_success(JsonObject& responses, const Endpoint& endpoint,
                    const std::vector<Endpoint>& endpoints) {
    const auto& answer = endpoint.answer;
    const auto write = [&](unsigned status, bool has_body) {
        JsonObject response(responses.key(std::to_string(status)));
        response.text("description", reason_of(status));
        if (answer.has_location) {
            JsonObject headers(response.key("headers"));
            JsonObject location(headers.key("Location"));
            location.text("description", "Where it can be retrieved.");
            location.raw("schema", R"({"type":"string"})");
        }
        if (has_body) {
            append_content(response, answer.media_type, use_json(answer.schema));
        }
        if (!answer.makes.empty()) {
            append_links(response, endpoint, endpoints);
        }
    };
    write(answer.status, !answer.media_type.empty());
    if (answer.in_ranges) {
        write(206, true);
    }
    if (answer.has_etag) {
        write(304, false);
    }
}

void append_failure(JsonObject& responses, unsigned status, const Failure& failure) {
    JsonObject response(responses.key(std::to_string(status)));
    std::string description;
    std::string words;
    for (const auto& code : failure.codes) {
        description += (description.empty() ? "`" : ", `") + code + "`";
        words += (words.empty() ? "\"" : ",\"") + code + "\"";
    }
    response.text("description", description);
    if (failure.says_when_to_retry) {
        response.raw("headers", R"({"Retry-After":{"required":true,"schema":{"type":"integer"},)"
                                R"("description":"Seconds after which to try again."}})");
    }
    append_content(response, "application/json",
                   R"({"allOf":[{"$ref":"#/components/schemas/Error"},)"
                   R"({"properties":{"code":{"enum":[)" +
                       words + "]}}}]}");
}

void append_operation(JsonObject& path, const Endpoint& endpoint,
                      const std::vector<Endpoint>& endpoints) {
    const auto& headline = endpoint.headline;
    auto method = std::string(http::method_name(headline.method));
    std::ranges::transform(method, method.begin(),
                           [](char c) { return static_cast<char>(c - 'A' + 'a'); });
    JsonObject operation(path.key(method));
    operation.text("operationId", headline.operation);
    operation.text("summary", headline.summary);
    if (!headline.text.empty()) {
        operation.text("description", headline.text);
    }
    append_array(
        operation.key("tags"), std::vector{resource_of(endpoint)},
        [](std::string& out, const std::string& tag) { domain::append_json_text(out, tag); });
    if (endpoint.access != Access::key) {
        operation.raw("security", "[]");
    }
    std::vector<Field> parameters;
    std::ranges::copy_if(endpoint.fields, std::back_inserter(parameters), [](const Field& field) {
        return (field.in == In::path || field.in == In::query) && !field.is_refused;
    });
    if (!parameters.empty()) {
        append_array(operation.key("parameters"), parameters, append_parameter);
    }
    append_request_body(operation, endpoint);
    JsonObject responses(operation.key("responses"));
    append_success(responses, endpoint, endpoints);
    for (const auto& [status, failure] : failures_of(endpoint)) {
        append_failure(responses, status, failure);
    }
}

void append_paths(JsonObject& document, const std::vector<Endpoint>& endpoints) {
    std::vector<std::string> patterns;
    for (const auto& endpoint : endpoints) {
        if (std::ranges::find(patterns, endpoint.headline.pattern) == patterns.end()) {
            patterns.push_back(endpoint.headline.pattern);
        }
    }
    JsonObject paths(document.key("paths"));
    for (const auto& pattern : patterns) {
        JsonObject path(paths.key(pattern));
        for (const auto& endpoint : endpoints) {
            if (endpoint.headline.pattern == pattern) {
                append_operation(path, endpoint, endpoints);
            }
        }
    }
}

void append_tags(JsonObject& document, const std::vector<Endpoint>& endpoints) {
    const auto resources = resources_of(endpoints);
    append_array(document.key("tags"), resources, [](std::string& out, const std::string& name) {
        JsonObject tag(out);
        tag.text("name", name);
        tag.text("description", title_of(name));
    });
}

}  // namespace

void collect_named(const Schema& schema, std::map<std::string, Schema>& named) {
    if (!schema.name.empty()) {
        const auto [at, is_new] = named.try_emplace(schema.name, schema);
        KN_CHECK(is_new || schema_json(at->second) == schema_json(schema),
                 "a name means one schema");
        if (!is_new) {
            return;
        }
    }
    for (const auto* inner : {&schema.items, &schema.values, &schema.alternatives}) {
        for (const auto& each : *inner) {
            collect_named(each, named);
        }
    }
    for (const auto& property : schema.properties) {
        collect_named(property.schema, named);
    }
}

std::vector<Errc> http_conditions_of(const Endpoint& endpoint) {
    std::vector<Errc> errors{Errc::request_malformed, Errc::request_timed_out, Errc::uri_too_long,
                             Errc::header_too_large,  Errc::overloaded,        Errc::shutting_down,
                             Errc::internal};
    if (endpoint.headline.method != Method::get) {
        errors.push_back(Errc::body_too_large);
        errors.push_back(Errc::storage_full);
    }
    return errors;
}

std::vector<Errc> conditions_of(const Endpoint& endpoint) {
    auto errors = endpoint.errors;
    if (endpoint.access == Access::key) {
        errors.push_back(Errc::api_key_invalid);
        errors.push_back(Errc::api_not_allowed);
        errors.push_back(Errc::parameter_unknown);
    }
    const bool is_checked = endpoint.access == Access::key && !endpoint.fields.empty();
    if (is_checked) {
        errors.push_back(Errc::parameter_invalid);
    }
    const auto wanted = [](const Field& field) { return field.required && field.in != In::path; };
    if (is_checked && std::ranges::any_of(endpoint.fields, wanted)) {
        errors.push_back(Errc::parameter_not_provided);
    }
    if (endpoint.counted) {
        errors.push_back(Errc::too_many_requests);
    }
    if (endpoint.takes_json()) {
        errors.push_back(Errc::body_invalid_json);
        errors.push_back(Errc::content_type_not_json);
    }
    // A path value that is no segment, e.g. an empty one, leads to no endpoint.
    if (endpoint.headline.pattern.contains('{')) {
        errors.push_back(Errc::endpoint_not_exists);
    }
    if (endpoint.answer.in_ranges) {
        errors.push_back(Errc::range_not_satisfiable);
    }
    return errors;
}

std::vector<std::string> resources_of(const std::vector<Endpoint>& endpoints) {
    std::vector<std::string> resources;
    for (const auto& endpoint : endpoints) {
        const auto resource = resource_of(endpoint);
        if (std::ranges::find(resources, resource) == resources.end()) {
            resources.push_back(resource);
        }
    }
    return resources;
}

std::map<unsigned, Failure> failures_of(const Endpoint& endpoint) {
    std::map<unsigned, Failure> found;
    for (const auto& conditions : {conditions_of(endpoint), http_conditions_of(endpoint)}) {
        for (const auto condition : conditions) {
            const auto row = row_of(condition);
            auto& [codes, says_when] = found[row.status];
            says_when = says_when_to_retry(row);
            if (std::ranges::find(codes, row.code) == codes.end()) {
                codes.emplace_back(row.code);
            }
        }
    }
    return found;
}

std::string resource_of(const Endpoint& endpoint) {
    const auto& operation = endpoint.headline.operation;
    return operation.substr(0, operation.find('.'));
}

std::string title_of(std::string_view resource) {
    std::string title(resource);
    std::ranges::replace(title, '_', ' ');
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') {
        title[0] = static_cast<char>(title[0] - 'a' + 'A');
    }
    return title;
}

std::string openapi_json(const std::vector<Endpoint>& endpoints, const std::string& base_url) {
    std::string out;
    {
        JsonObject document(out);
        document.text("openapi", "3.1.0");
        {
            JsonObject info(document.key("info"));
            info.text("title", "Kinodex");
            info.text("version", KN_VERSION);
            info.text("description",
                      "A self-hosted server for video, audio and image assets that speaks the "
                      "TwelveLabs API v1.3.");
        }
        append_array(document.key("servers"), std::vector{base_url},
                     [](std::string& to, const std::string& url) {
                         JsonObject server(to);
                         server.text("url", url.empty() ? "/" : url);
                     });
        document.raw("security", R"([{"api_key":[]}])");
        append_tags(document, endpoints);
        append_paths(document, endpoints);
        JsonObject components(document.key("components"));
        components.raw("securitySchemes",
                       R"({"api_key":{"type":"apiKey","in":"header","name":"x-api-key"}})");
        JsonObject schemas(components.key("schemas"));
        for (const auto& [name, schema] : components_of(endpoints)) {
            schemas.raw(name, schema_json(schema));
        }
    }
    return out;
}

}  // namespace kinodex::api
