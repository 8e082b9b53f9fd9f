#include "domain/metadata.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "domain/metadata_parser.h"
#include "domain/metadata_text.h"

namespace kinodex::domain {
namespace {

std::unexpected<base::Error> refuse(std::string_view parameter, std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", std::string(parameter)}, {"reason", std::move(reason)}});
}

void set(Metadata& metadata, const std::string& key, const MetadataValue& value) {
    const auto at = std::ranges::find(metadata, key, &Metadata::value_type::first);
    if (at == metadata.end()) {
        metadata.emplace_back(key, value);
    } else {
        at->second = value;
    }
}

base::Status check_bounds(const Metadata& metadata, std::string_view parameter) {
    if (metadata.size() > kMetadataKeysMax) {
        return refuse(parameter,
                      "It can hold at most " + std::to_string(kMetadataKeysMax) + " keys.");
    }
    std::size_t bytes = 0;
    for (const auto& [key, value] : metadata) {
        const auto* text = std::get_if<std::string>(&value);
        bytes += key.size() + (text != nullptr ? text->size() : sizeof(double));
    }
    if (bytes > kMetadataBytesMax) {
        return refuse(parameter,
                      "It can hold at most " + std::to_string(kMetadataBytesMax) + " bytes.");
    }
    return {};
}

bool equal_numbers(std::int64_t integer, double number) {
    // Beyond 2^53 a double stands for several integers; only its own exact value counts as equal.
    return number >= -0x1p63 && number < 0x1p63 && std::trunc(number) == number &&
           static_cast<std::int64_t>(number) == integer;
}

bool equal_values(const MetadataValue& a, const MetadataValue& b) {
    if (a.index() == b.index()) {
        return a == b;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&a)) {
        const auto* number = std::get_if<double>(&b);
        return number != nullptr && equal_numbers(*integer, *number);
    }
    if (const auto* number = std::get_if<double>(&a)) {
        const auto* integer = std::get_if<std::int64_t>(&b);
        return integer != nullptr && equal_numbers(*integer, *number);
    }
    return false;
}

}  // namespace

base::Result<Metadata> apply_change(const Metadata& current, const MetadataChange& change,
                                    std::string_view parameter) {
    Metadata result = change.mode == MetadataMode::merge ? current : Metadata{};
    for (const auto& [key, value] : change.entries) {
        if (!value) {
            std::erase_if(result, [&gone = key](const auto& entry) { return entry.first == gone; });
            continue;
        }
        const auto* text = std::get_if<std::string>(&*value);
        if (text != nullptr && text->empty() && change.mode != MetadataMode::whole) {
            continue;
        }
        set(result, key, *value);
    }
    KN_PASS(check_bounds(result, parameter));
    return result;
}

std::optional<MetadataValue> parse_metadata_number(std::string_view text) {
    const bool integral = text.find_first_of(".eE") == std::string_view::npos;
    const char* end = text.data() + text.size();
    if (integral) {
        std::int64_t integer = 0;
        const auto [stop, error] = std::from_chars(text.data(), end, integer);
        if (error != std::errc() || stop != end) {
            return std::nullopt;
        }
        return integer;
    }
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end || !std::isfinite(number)) {
        return std::nullopt;
    }
    return number;
}

base::Result<MetadataChange> parse_metadata_change(std::string_view json, MetadataMode mode,
                                                   std::string_view parameter) {
    auto entries = parse_flat_object(json);
    if (!entries) {
        return refuse(parameter, entries.error());
    }
    return MetadataChange{mode, std::move(*entries)};
}

base::Result<Metadata> parse_metadata(std::string_view json) {
    if (json.empty()) {
        return Metadata{};
    }
    auto entries = parse_flat_object(json);
    if (!entries) {
        return base::fail(base::Errc::internal, {}, "stored metadata: " + entries.error());
    }
    Metadata metadata;
    metadata.reserve(entries->size());
    for (auto& [key, value] : *entries) {
        if (value) {
            metadata.emplace_back(std::move(key), std::move(*value));
        }
    }
    return metadata;
}

std::string metadata_json(const Metadata& metadata) {
    std::string out = "{";
    for (const auto& [key, value] : metadata) {
        if (out.size() > 1) {
            out += ',';
        }
        append_json_text(out, key);
        out += ':';
        append_metadata_value(out, value);
    }
    out += '}';
    return out;
}

bool matches(const MetadataValue& stored, const MetadataCondition& condition) {
    if (const auto* typed = std::get_if<MetadataValue>(&condition.wanted)) {
        return equal_values(stored, *typed);
    }
    const auto& text = std::get<std::string>(condition.wanted);
    if (const auto* stored_text = std::get_if<std::string>(&stored)) {
        return *stored_text == text;
    }
    if (const auto* stored_flag = std::get_if<bool>(&stored)) {
        return text == (*stored_flag ? "true" : "false");
    }
    const auto number = parse_metadata_number(text);
    return number && equal_values(stored, *number);
}

}  // namespace kinodex::domain
