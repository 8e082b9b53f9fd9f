#include "api/schema_text.h"

#include "api/json.h"
#include "docs/markdown.h"

namespace kinodex::api {
namespace {

std::string code(std::string_view text) {
    return "`" + std::string(text) + "`";
}

std::string base_text(const Schema& schema) {
    if (!schema.name.empty() && schema.type == "object") {
        return "[" + schema.name + "](#" + docs::anchor_of(schema.name) + ")";
    }
    if (!schema.alternatives.empty()) {
        std::string text;
        for (const auto& each : schema.alternatives) {
            text += (text.empty() ? "" : " or ") + type_text(each);
        }
        return text;
    }
    if (!schema.items.empty()) {
        return "list of " + type_text(schema.items.front());
    }
    if (!schema.values.empty()) {
        return "map of " + type_text(schema.values.front());
    }
    if (schema.pattern == schema::id().pattern) {
        return "id";
    }
    if (schema.format == "date-time") {
        return "date-time";
    }
    if (schema.format == "uri") {
        return "URL";
    }
    if (schema.format == "binary") {
        return "bytes";
    }
    return schema.type.empty() ? "anything" : schema.type;
}

std::string_view unit_of(const Schema& schema) {
    return schema.type == "string"   ? " characters"
           : schema.type == "array"  ? " items"
           : schema.type == "object" ? " keys"
                                     : "";
}

std::string bounds_text(const Schema& schema) {
    const std::string unit(unit_of(schema));
    const auto least = schema.least ? std::to_string(*schema.least) : std::string();
    const auto most = schema.most ? std::to_string(*schema.most) : std::string();
    if (schema.least && schema.most) {
        return ", " + least + " to " + most + unit;
    }
    if (schema.most) {
        return ", at most " + most + unit;
    }
    // "At least none" says nothing, and a text of one character is one that is not empty.
    if (schema.least && *schema.least != 0 && schema.type != "string") {
        return ", at least " + least + unit;
    }
    return schema.least == 1 && schema.type == "string" ? ", not empty" : "";
}

std::string text_of_words(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) {
        text += (text.empty() ? "" : ", ") + code(word);
    }
    return words.size() == 1 ? text : "one of " + text;
}

void append_rows(std::string& out, const std::string& prefix, const Schema& schema) {
    for (const auto& property : schema.properties) {
        const auto name = prefix + property.name;
        out += "| " + code(name) + (property.required ? "" : " *optional*") + " | " +
               type_text(property.schema) + " | " + property.text + " |\n";
        const bool is_list = !property.schema.items.empty();
        const auto& inner = is_list ? property.schema.items.front() : property.schema;
        if (inner.name.empty() && !inner.properties.empty()) {
            append_rows(out, name + (is_list ? "[]." : "."), inner);
        }
    }
}

std::string sample_object(const Schema& schema, Keys keys) {
    std::string out;
    {
        JsonObject object(out);
        for (const auto& property : schema.properties) {
            if (keys == Keys::all || property.required) {
                object.raw(property.name, sample_json(property.schema, keys));
            }
        }
    }
    return out;
}

}  // namespace

std::string type_text(const Schema& schema) {
    auto text = schema.words.empty() ? base_text(schema) : text_of_words(schema.words);
    if (schema.name.empty() && schema.alternatives.empty()) {
        text += bounds_text(schema);
    }
    if (schema.or_null) {
        text += " or null";
    }
    if (!schema.initial.empty()) {
        text += ", default " + code(schema.initial);
    }
    return text;
}

std::string keys_table(const Schema& schema) {
    std::string out = "| key | type | |\n| --- | --- | --- |\n";
    append_rows(out, {}, schema);
    return out;
}

std::string sample_json(const Schema& schema, Keys keys) {
    if (!schema.example.empty()) {
        return schema.example;
    }
    if (!schema.initial.empty()) {
        return schema.initial;
    }
    if (!schema.alternatives.empty()) {
        return sample_json(schema.alternatives.front(), keys);
    }
    if (!schema.items.empty()) {
        return "[" + sample_json(schema.items.front(), keys) + "]";
    }
    if (schema.type == "object") {
        return sample_object(schema, keys);
    }
    if (schema.type == "string") {
        std::string text;
        domain::append_json_text(text, !schema.words.empty()    ? schema.words.front()
                                       : schema.format == "uri" ? "https://…"
                                                                : "…");
        return text;
    }
    if (schema.type == "integer" || schema.type == "number") {
        return std::to_string(schema.least.value_or(0));
    }
    return schema.type == "boolean" ? "true" : "null";
}

std::string laid_out(std::string_view json) {
    constexpr std::size_t kStep = 2;
    std::string out;
    std::size_t depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_text) {
            out += c;
            if (c == '\\') {
                out += json[++i];
            }
            in_text = c != '"';
            continue;
        }
        const bool is_empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
        if (c == '}' || c == ']') {
            --depth;
            const char before = json[i - 1];
            if (before != '{' && before != '[') {
                out += '\n' + std::string(depth * kStep, ' ');
            }
        }
        out += c;
        if (c == '{' || c == '[') {
            ++depth;
        }
        if (c == ',' || ((c == '{' || c == '[') && !is_empty)) {
            out += '\n' + std::string(depth * kStep, ' ');
        } else if (c == ':') {
            out += ' ';
        }
        in_text = c == '"';
    }
    return out;
}

}  // namespace kinodex::api
