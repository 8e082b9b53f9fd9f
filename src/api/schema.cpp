#include "api/schema.h"

#include "api/json.h"
#include "base/check.h"

namespace kinodex::api {
namespace {

Schema typed(std::string type) {
    Schema made;
    made.type = std::move(type);
    return made;
}

Schema bounded(std::string type, std::optional<std::int64_t> least,
               std::optional<std::int64_t> most) {
    auto made = typed(std::move(type));
    made.least = least;
    made.most = most;
    return made;
}

Schema formatted(std::string format, std::string example = {}) {
    auto made = typed("string");
    made.format = std::move(format);
    made.example = std::move(example);
    return made;
}

void append_text(std::string& out, const std::string& text) {
    domain::append_json_text(out, text);
}

void append_schema(std::string& out, const Schema& schema);

/// A named schema is referred to; a text beside it is the property's own.
void append_use(std::string& out, const Schema& schema, const std::string& text) {
    if (schema.name.empty()) {
        append_schema(out, schema);
    } else {
        JsonObject object(out);
        object.text("$ref", "#/components/schemas/" + schema.name);
    }
    if (!text.empty()) {
        out.pop_back();  // the brace
        out += out.back() == '{' ? "\"description\":" : ",\"description\":";
        append_text(out, text);
        out += '}';
    }
}

void append_type(JsonObject& object, const Schema& schema) {
    if (schema.type.empty()) {
        return;
    }
    if (schema.or_null) {
        object.raw("type", "[\"" + schema.type + "\",\"null\"]");
    } else {
        object.text("type", schema.type);
    }
}

void append_bounds(JsonObject& object, const Schema& schema) {
    const auto write = [&](std::string_view end, std::optional<std::int64_t> bound) {
        if (!bound) {
            return;
        }
        const std::string_view counted = schema.type == "string"   ? "Length"
                                         : schema.type == "array"  ? "Items"
                                         : schema.type == "object" ? "Properties"
                                                                   : "imum";
        object.integer(std::string(end).append(counted), *bound);
    };
    write("min", schema.least);
    write("max", schema.most);
}

void append_properties(JsonObject& object, const Schema& schema) {
    if (!schema.properties.empty()) {
        JsonObject properties(object.key("properties"));
        for (const auto& property : schema.properties) {
            append_use(properties.key(property.name), property.schema, property.text);
        }
    }
    std::vector<std::string> required;
    for (const auto& property : schema.properties) {
        if (property.required) {
            required.push_back(property.name);
        }
    }
    if (!required.empty()) {
        append_array(object.key("required"), required, append_text);
    }
    if (!schema.values.empty()) {
        append_use(object.key("additionalProperties"), schema.values.front(), {});
    } else if (schema.closed) {
        object.boolean("additionalProperties", false);
    }
}

void append_schema(std::string& out, const Schema& schema) {
    JsonObject object(out);
    append_type(object, schema);
    if (!schema.format.empty()) {
        object.text("format", schema.format);
    }
    if (!schema.pattern.empty()) {
        object.text("pattern", schema.pattern);
    }
    if (!schema.words.empty()) {
        append_array(object.key("enum"), schema.words, append_text);
    }
    append_bounds(object, schema);
    if (!schema.initial.empty()) {
        object.raw("default", schema.initial);
    }
    if (!schema.example.empty()) {
        object.raw("examples", "[" + schema.example + "]");
    }
    if (!schema.items.empty()) {
        append_use(object.key("items"), schema.items.front(), {});
    }
    if (!schema.alternatives.empty()) {
        append_array(object.key("anyOf"), schema.alternatives,
                     [](std::string& to, const Schema& each) { append_use(to, each, {}); });
    }
    append_properties(object, schema);
}

}  // namespace

Schema Schema::defaults_to(std::string json) const {
    auto copy = *this;
    copy.initial = std::move(json);
    return copy;
}

Schema Schema::like(std::string json) const {
    auto copy = *this;
    copy.example = std::move(json);
    return copy;
}

Schema Schema::nullable() const {
    KN_CHECK(name.empty() && words.empty() && !type.empty(), "only a plain schema can be null");
    auto copy = *this;
    copy.or_null = true;
    return copy;
}

Property has(std::string name, Schema schema, std::string text) {
    return {std::move(name), std::move(schema), true, std::move(text)};
}

Property may_have(std::string name, Schema schema, std::string text) {
    return {std::move(name), std::move(schema), false, std::move(text)};
}

namespace schema {

Schema text(std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
    return bounded("string", least, most);
}

Schema line(std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
    auto made = text(least, most);
    made.pattern = R"(^[^\x00-\x1f\x7f-\x9f]*$)";
    return made;
}

Schema words(std::vector<std::string> words) {
    auto made = typed("string");
    made.words = std::move(words);
    return made;
}

Schema integer(std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
    return bounded("integer", least, most);
}

Schema number(std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
    return bounded("number", least, most);
}

Schema flag() {
    return typed("boolean");
}

Schema id() {
    auto made = typed("string");
    made.pattern = "^[0-9a-f]{24}$";
    made.example = "\"68f0c2a4e1b7d3905a6c8f12\"";
    return made;
}

Schema time() {
    return formatted("date-time", "\"2026-02-11T09:30:00Z\"");
}

Schema url() {
    return formatted("uri");
}

Schema binary() {
    return formatted("binary");
}

Schema null() {
    return typed("null");
}

Schema anything() {
    return {};
}

Schema list(Schema item, std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
    auto made = bounded("array", least, most);
    made.items.push_back(std::move(item));
    return made;
}

Schema object(std::vector<Property> properties) {
    auto made = typed("object");
    made.properties = std::move(properties);
    return made;
}

Schema closed_object(std::vector<Property> properties) {
    auto made = object(std::move(properties));
    made.closed = true;
    return made;
}

Schema map(Schema value) {
    auto made = typed("object");
    made.values.push_back(std::move(value));
    return made;
}

Schema any_of(std::vector<Schema> alternatives) {
    Schema made;
    made.alternatives = std::move(alternatives);
    return made;
}

Schema named(std::string name, Schema schema) {
    schema.name = std::move(name);
    return schema;
}

}  // namespace schema

Schema page_info_schema() {
    return schema::named(
        "PageInfo",
        schema::object({has("limit_per_page", schema::integer(1), "Items on a page."),
                        has("page", schema::integer(1), "This page, from 1."),
                        has("total_page", schema::integer(0), "Pages in all; 0 when empty."),
                        has("total_results", schema::integer(0), "Items on all pages.")}));
}

Schema page_of(Schema item) {
    return schema::object({has("data", schema::list(std::move(item)), "The items of this page."),
                           has("page_info", page_info_schema(), "Where this page stands.")});
}

Schema metadata_schema() {
    return schema::named(
        "UserMetadata",
        schema::map(schema::any_of({schema::text(), schema::number(), schema::flag()}))
            .like(R"({"category":"trailer","rating":9.3})"));
}

Schema failure_schema() {
    return schema::named(
        "Failure", schema::object({has("message", schema::text(), "What is wrong with it.")}));
}

Schema error_schema() {
    return schema::named(
        "Error", schema::object({has("code", schema::text(1), "What went wrong, for programs."),
                                 has("message", schema::text(1), "What went wrong, for people."),
                                 has("docs_url", schema::url(), "Where the codes are listed.")}));
}

std::string schema_json(const Schema& schema) {
    std::string out;
    append_schema(out, schema);
    return out;
}

}  // namespace kinodex::api
