#include "api/json_body.h"

#include <boost/json.hpp>
#include <unordered_map>

namespace kinodex::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(kSpace);
    if (from == std::string_view::npos) {
        return {};
    }
    return text.substr(from, text.find_last_not_of(kSpace) - from + 1);
}

/// The length of the JSON string at the front, quotes included. `text` is valid JSON.
std::size_t string_length(std::string_view text) {
    std::size_t at = 1;
    while (text[at] != '"') {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at + 1;
}

/// The length of the JSON value at the front. `text` is valid JSON.
std::size_t value_length(std::string_view text) {
    std::size_t at = 0;
    int depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at += string_length(text.substr(at));
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
            break;
        }
        depth += c == '{' || c == '[' ? 1 : 0;
        depth -= c == '}' || c == ']' ? 1 : 0;
        ++at;
    }
    return at;
}

std::optional<json::value> parsed(std::string_view raw) {
    json::error_code error;
    auto value = json::parse(json::string_view(raw.data(), raw.size()), error);
    return error ? std::nullopt : std::optional(std::move(value));
}

std::optional<std::vector<std::string>> texts_of(const json::value& value) {
    const auto* array = value.if_array();
    if (array == nullptr) {
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const auto& item : *array) {
        const auto* text = item.if_string();
        if (text == nullptr) {
            return std::nullopt;
        }
        texts.emplace_back(text->data(), text->size());
    }
    return texts;
}

}  // namespace

base::Result<RawMembers> parse_members(std::string_view body) {
    RawMembers members;
    std::unordered_map<std::string, std::size_t> places;  // a body can have a hundred thousand keys
    std::string_view rest = trimmed(body);
    if (rest.empty()) {
        return members;
    }
    const auto whole = parsed(rest);
    if (!whole || !whole->is_object()) {
        return base::fail(base::Errc::body_invalid_json);
    }
    rest = trimmed(rest.substr(1));
    while (rest[0] == '"') {
        const auto key_length = string_length(rest);
        auto key = json_text(rest.substr(0, key_length)).value();
        rest = trimmed(rest.substr(key_length));
        rest = trimmed(rest.substr(1));  // the colon
        const auto length = value_length(rest);
        const auto value = trimmed(rest.substr(0, length));
        const auto [place, is_new] = places.emplace(key, members.size());
        if (is_new) {
            members.emplace_back(std::move(key), value);
        } else {
            members[place->second].second = value;
        }
        rest = rest.substr(length);
        rest = trimmed(rest[0] == ',' ? rest.substr(1) : rest);
    }
    return members;
}

std::optional<std::string> json_text(std::string_view raw) {
    const auto value = parsed(raw);
    if (!value || !value->is_string()) {
        return std::nullopt;
    }
    const auto& text = value->get_string();
    return std::string(text.data(), text.size());
}

std::optional<bool> json_boolean(std::string_view raw) {
    if (raw == "true" || raw == "false") {
        return raw == "true";
    }
    return std::nullopt;
}

std::optional<std::int64_t> json_integer(std::string_view raw) {
    const auto value = parsed(raw);
    return value && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

std::optional<std::vector<std::string>> json_texts(std::string_view raw) {
    const auto value = parsed(raw);
    return value ? texts_of(*value) : std::nullopt;
}

std::optional<std::vector<std::string_view>> json_elements(std::string_view raw) {
    std::string_view rest = trimmed(raw);
    if (!parsed(rest) || rest[0] != '[') {
        return std::nullopt;
    }
    std::vector<std::string_view> elements;
    rest = trimmed(rest.substr(1));
    while (rest[0] != ']') {
        const auto length = value_length(rest);
        elements.push_back(trimmed(rest.substr(0, length)));
        rest = rest.substr(length);
        rest = trimmed(rest[0] == ',' ? rest.substr(1) : rest);
    }
    return elements;
}

std::optional<std::vector<RawMembers>> json_objects(std::string_view raw) {
    const auto elements = json_elements(raw);
    if (!elements) {
        return std::nullopt;
    }
    std::vector<RawMembers> objects;
    for (const auto element : *elements) {
        auto members = parse_members(element);
        if (!members) {
            return std::nullopt;  // something else than an object
        }
        objects.push_back(std::move(*members));
    }
    return objects;
}

std::optional<std::vector<domain::IndexModel>> json_models(std::string_view raw) {
    const auto value = parsed(raw);
    const auto* array = value ? value->if_array() : nullptr;
    if (array == nullptr) {
        return std::nullopt;
    }
    std::vector<domain::IndexModel> models;
    for (const auto& item : *array) {
        const auto* object = item.if_object();
        const auto* name = object != nullptr ? object->if_contains("model_name") : nullptr;
        const auto* options = object != nullptr ? object->if_contains("model_options") : nullptr;
        if (name == nullptr || options == nullptr || object->size() != 2 || !name->is_string()) {
            return std::nullopt;
        }
        auto texts = texts_of(*options);
        if (!texts) {
            return std::nullopt;
        }
        models.push_back(
            {std::string(name->get_string().data(), name->get_string().size()), std::move(*texts)});
    }
    return models;
}

}  // namespace kinodex::api
