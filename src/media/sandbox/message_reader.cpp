#include "media/sandbox/message_reader.h"

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace kinodex::media {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 8;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

}  // namespace

bool is_name(std::string_view text) {
    const auto fits = [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, fits);
}

bool is_mime(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) {
        return false;
    }
    const auto fits = [](char c) {
        return is_letter_or_digit(c) || std::string_view("!#$&-^_.+").contains(c);
    };
    return std::ranges::all_of(text.substr(0, slash), fits) &&
           std::ranges::all_of(text.substr(slash + 1), fits);
}

bool is_ascii_word_list(std::string_view text) {
    const auto fits = [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == ',' || c == '.' || c == '-';
    };
    return std::ranges::all_of(text, fits);
}

std::string printable_text(std::string_view text, std::size_t bytes_max) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = base::utf8_sequence(text);
        const bool keep = length > 0 && !is_control(text[0]);
        const std::string_view piece = keep ? text.substr(0, length) : std::string_view("?");
        if (out.size() + piece.size() > bytes_max) {
            break;
        }
        out += piece;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::optional<json::object> parse_object(std::string_view text) {
    json::parse_options options;
    options.max_depth = kDepthMax;
    boost::system::error_code error;
    json::value value = json::parse(text, error, {}, options);
    if (error || !value.is_object()) {
        return std::nullopt;
    }
    return std::move(value.as_object());
}

void Reader::check(bool holds, std::string_view what) {
    if (!holds && failure_->empty()) {
        *failure_ = what;
    }
}

const json::value& Reader::member(std::string_view key) {
    static const json::value none;
    const json::value* found = object_->if_contains(key);
    check(found != nullptr, key);
    return found == nullptr ? none : *found;
}

std::string Reader::text(std::string_view key, std::size_t bytes_max) {
    const json::value& value = member(key);
    const bool fits = value.is_string() && value.as_string().size() <= bytes_max;
    check(fits, key);
    return fits ? std::string(value.as_string()) : std::string();
}

std::string Reader::printable(std::string_view value, std::size_t bytes_max) {
    check(value.size() <= bytes_max && std::ranges::none_of(value, is_control), "text");
    return printable_text(value, bytes_max);
}

bool Reader::boolean(std::string_view key) {
    const json::value& value = member(key);
    check(value.is_bool(), key);
    return value.is_bool() && value.as_bool();
}

std::int64_t Reader::integer_value(const json::value& value, std::int64_t least,
                                   std::int64_t most) {
    const bool fits = value.is_int64() && value.as_int64() >= least && value.as_int64() <= most;
    check(fits, "integer out of bounds");
    return fits ? value.as_int64() : 0;
}

double Reader::number_value(const json::value& value, double least, double most) {
    boost::system::error_code error;
    const double number = value.is_number() ? value.to_number<double>(error) : std::nan("");
    const bool fits = !error && std::isfinite(number) && number >= least && number <= most;
    check(fits, "number out of bounds");
    return fits ? number : 0;
}

std::int64_t Reader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
    return integer_value(member(key), least, most);
}

std::uint64_t Reader::id(std::string_view key) {
    return static_cast<std::uint64_t>(integer(key, 1, std::int64_t{1} << 62));
}

double Reader::number(std::string_view key, double least, double most) {
    return number_value(member(key), least, most);
}

std::optional<double> Reader::optional_number(std::string_view key, double least, double most) {
    return has(key) ? std::optional(number(key, least, most)) : std::nullopt;
}

std::optional<std::int64_t> Reader::optional_integer(std::string_view key, std::int64_t least,
                                                     std::int64_t most) {
    return has(key) ? std::optional(integer(key, least, most)) : std::nullopt;
}

std::size_t Reader::one_of(std::string_view key, std::span<const std::string_view> names) {
    const auto name = text(key, 64);
    const auto found = std::ranges::find(names, name);
    check(found != names.end(), key);
    return found == names.end() ? 0 : static_cast<std::size_t>(found - names.begin());
}

const json::object& Reader::object(std::string_view key) {
    static const json::object none;
    const json::value& value = member(key);
    check(value.is_object(), key);
    return value.is_object() ? value.as_object() : none;
}

const json::array& Reader::array(std::string_view key, std::size_t count_max) {
    static const json::array none;
    const json::value& value = member(key);
    const bool fits = value.is_array() && value.as_array().size() <= count_max;
    check(fits, key);
    return fits ? value.as_array() : none;
}

const json::array& Reader::tuple(const json::value& value, std::size_t count) {
    static const json::array zeros{0, 0, 0, 0, 0, 0, 0, 0};
    const bool fits = value.is_array() && value.as_array().size() == count;
    check(fits, "tuple");
    return fits ? value.as_array() : zeros;
}

}  // namespace kinodex::media
