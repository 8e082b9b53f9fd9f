#include "domain/metadata_text.h"

#include <charconv>
#include <cstdint>
#include <cstring>

namespace kinodex::domain {

namespace {

bool needs_escape(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// Whether one of eight bytes needs an escape, in a few operations: most text has none, and much of
/// an answer is text. Subtracting carries into a byte's top bit where the byte was smaller.
bool any_needs_escape(std::uint64_t bytes) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const auto below = [](std::uint64_t word, std::uint64_t bound) {
        return (word - kOnes * bound) & ~word & (kOnes << 7);
    };
    return (below(bytes, 0x20) | below(bytes ^ kOnes * '"', 1) | below(bytes ^ kOnes * '\\', 1)) !=
           0;
}

/// How many characters from the front need no escape.
std::size_t plain_size(std::string_view text) {
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, 8);
        if (any_needs_escape(bytes)) {
            break;
        }
    }
    while (at < text.size() && !needs_escape(text[at])) {
        ++at;
    }
    return at;
}

void append_escaped(std::string& out, char c) {
    static constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"':
            out += "\\\"";
            break;
        case '\\':
            out += "\\\\";
            break;
        case '\n':
            out += "\\n";
            break;
        case '\r':
            out += "\\r";
            break;
        case '\t':
            out += "\\t";
            break;
        default:
            out += "\\u00";
            out += kHex[c >> 4];
            out += kHex[c & 15];
    }
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    while (true) {
        const auto plain = plain_size(text);
        out.append(text.substr(0, plain));
        if (plain == text.size()) {
            break;
        }
        append_escaped(out, text[plain]);
        text.remove_prefix(plain + 1);
    }
    out += '"';
}

void append_json_number(std::string& out, double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    const std::string_view digits(text, static_cast<std::size_t>(end - text));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) {
        out += ".0";  // or it would come back as an integer
    }
}

void append_metadata_value(std::string& out, const MetadataValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        append_json_text(out, *text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out += std::to_string(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
        append_json_number(out, *number);
    } else {
        out += std::get<bool>(value) ? "true" : "false";
    }
}

}  // namespace kinodex::domain
