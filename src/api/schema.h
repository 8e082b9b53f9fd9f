// JSON Schemas of what goes over the wire, as values, written once beside the code that reads or
// writes the same JSON. The OpenAPI document and the reference pages are made from them.
//
//     return schema::named("Asset", schema::object({
//         has("_id", schema::id(), "The asset's identifier."),
//         may_have("size", schema::integer(0), "Bytes; once it is ready.")}));
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kinodex::api {

struct Property;

/// One schema. Make it with the functions below; a default one allows anything.
struct Schema {
    std::string name;    // of the shared component that it is; empty: written where it stands
    std::string type;    // "string", "integer", "object", …; empty: anything
    std::string format;  // "date-time", "binary", …
    std::string pattern;
    std::vector<std::string> words;  // a string's only values
    // Of a number's value, a string's characters, a list's items, a map's keys.
    std::optional<std::int64_t> least;
    std::optional<std::int64_t> most;
    std::string initial;  // JSON: what counts when it is absent
    std::string example;  // JSON
    bool or_null = false;
    bool closed = false;               // an object without other properties
    std::vector<Schema> items;         // of a list: one
    std::vector<Schema> values;        // of an object used as a map: one
    std::vector<Schema> alternatives;  // any of these
    std::vector<Property> properties;

    /// The same with a default, an example, or null allowed. `json` is JSON text.
    [[nodiscard]] Schema defaults_to(std::string json) const;
    [[nodiscard]] Schema like(std::string json) const;
    [[nodiscard]] Schema nullable() const;
};

struct Property {
    std::string name;
    Schema schema;
    bool required = false;
    std::string text;
};

Property has(std::string name, Schema schema, std::string text);
Property may_have(std::string name, Schema schema, std::string text);

namespace schema {

/// Of `least` to `most` characters.
Schema text(std::optional<std::int64_t> least = {}, std::optional<std::int64_t> most = {});
/// The same without control characters.
Schema line(std::optional<std::int64_t> least = {}, std::optional<std::int64_t> most = {});
Schema words(std::vector<std::string> words);
Schema integer(std::optional<std::int64_t> least = {}, std::optional<std::int64_t> most = {});
Schema number(std::optional<std::int64_t> least = {}, std::optional<std::int64_t> most = {});
Schema flag();
Schema id();    // 24 hexadecimal digits
Schema time();  // RFC 3339
Schema url();
Schema binary();
Schema null();
Schema anything();
Schema list(Schema item, std::optional<std::int64_t> least = {},
            std::optional<std::int64_t> most = {});
Schema object(std::vector<Property> properties);
/// An object that takes no other properties.
Schema closed_object(std::vector<Property> properties);
Schema map(Schema value);
Schema any_of(std::vector<Schema> alternatives);
/// A component that the document defines once. The same name always means the same schema.
Schema named(std::string name, Schema schema);

}  // namespace schema

/// Of lists in pages: {"data":[…],"page_info":{…}}.
Schema page_of(Schema item);
Schema page_info_schema();
/// User metadata as answers carry it.
Schema metadata_schema();
/// Why an asset or an indexed asset failed: {"message":…}
Schema failure_schema();
/// {"code":…,"message":…,"docs_url":…}
Schema error_schema();

/// The JSON Schema text; a named schema stands as a reference, save at the top.
std::string schema_json(const Schema& schema);

}  // namespace kinodex::api
