#include "domain/metadata_parser.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "domain/metadata_text.h"

namespace kinodex::domain {
namespace {

namespace json = boost::json;

// A text may say a key more than once, but not without end.
constexpr std::size_t kMembersMax = 4 * kMetadataKeysMax;

/// Receives parser events. Number text is kept and converted by std::from_chars, because the
/// parser's own conversion of floats may be off in the last digit.
struct Handler {
    static constexpr std::size_t max_object_size = kMembersMax;
    static constexpr std::size_t max_array_size = 0;
    static constexpr std::size_t max_key_size = kMetadataKeyBytesMax;
    static constexpr std::size_t max_string_size = kMetadataTextBytesMax;

    FlatObject entries;
    std::string key;
    std::string text;
    bool in_object = false;
    std::string refusal;

    bool refuse(std::string reason) {
        refusal = std::move(reason);
        return false;
    }
    bool add(std::optional<MetadataValue> value) {
        if (!in_object) {
            return refuse("It must be a JSON object.");
        }
        // Looking at each is quicker than a map for the few that there mostly are, and bounded.
        const auto same = std::ranges::find(entries, key, &FlatObject::value_type::first);
        if (same != entries.end()) {
            same->second = std::move(value);
        } else if (entries.size() < kMetadataKeysMax) {
            entries.emplace_back(key, std::move(value));
        } else {
            return refuse("It can name at most " + std::to_string(kMetadataKeysMax) + " keys.");
        }
        key.clear();
        text.clear();
        return true;
    }
    bool number(std::string_view last_part) {
        text += last_part;
        auto value = parse_metadata_number(text);
        if (!value) {
            return refuse("The number for key '" + key + "' is out of range.");
        }
        return add(std::move(value));
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) {
        if (in_object) {
            return refuse("The value for key '" + key +
                          "' is an object. Values must be a string, integer, float or boolean.");
        }
        in_object = true;
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) {
        return refuse(in_object ? "The value for key '" + key +
                                      "' is an array. Values must be a string, integer, float "
                                      "or boolean."
                                : "It must be a JSON object.");
    }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_key_part(json::string_view part, std::size_t total, json::error_code&) {
        if (total > kMetadataKeyBytesMax) {
            return refuse("A key is longer than " + std::to_string(kMetadataKeyBytesMax) +
                          " bytes.");
        }
        key.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t total, json::error_code& error) {
        if (!on_key_part(part, total, error)) {
            return false;
        }
        return !key.empty() || refuse("A key is empty.");
    }
    bool on_string_part(json::string_view part, std::size_t total, json::error_code&) {
        if (total > kMetadataTextBytesMax) {
            return refuse("The text for key '" + key + "' is longer than " +
                          std::to_string(kMetadataTextBytesMax) + " bytes.");
        }
        text.append(part.data(), part.size());
        return true;
    }
    bool on_string(json::string_view part, std::size_t total, json::error_code& error) {
        return on_string_part(part, total, error) && add(MetadataValue(std::move(text)));
    }
    bool on_number_part(json::string_view part, json::error_code&) {
        text.append(part.data(), part.size());
        return text.size() <= 1024 || refuse("A number is too long.");
    }
    bool on_int64(std::int64_t, json::string_view part, json::error_code&) {
        return number({part.data(), part.size()});
    }
    bool on_uint64(std::uint64_t, json::string_view part, json::error_code&) {
        return number({part.data(), part.size()});
    }
    bool on_double(double, json::string_view part, json::error_code&) {
        return number({part.data(), part.size()});
    }
    bool on_bool(bool value, json::error_code&) { return add(MetadataValue(value)); }
    bool on_null(json::error_code&) { return add(std::nullopt); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }
};

}  // namespace

std::expected<FlatObject, std::string> parse_flat_object(std::string_view text) {
    json::basic_parser<Handler> parser{json::parse_options()};
    json::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (!parser.handler().refusal.empty()) {
        return std::unexpected(std::move(parser.handler().refusal));
    }
    if (error == json::error::string_too_large || error == json::error::key_too_large ||
        error == json::error::object_too_large || error == json::error::array_too_large) {
        return std::unexpected("It is larger than this server accepts.");
    }
    if (error || used != text.size() || !parser.done()) {
        return std::unexpected("It must be a valid JSON object.");
    }
    return std::move(parser.handler().entries);
}

}  // namespace kinodex::domain
