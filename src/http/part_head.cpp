// Header lines of a part and the boundary parameter: the texts of multipart/form-data.
#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "http/multipart.h"
#include "http/query.h"

namespace kinodex::http {

namespace {

constexpr auto npos = std::string_view::npos;

std::unexpected<base::Error> invalid(std::string detail,
                                     std::source_location where = std::source_location::current()) {
    return base::fail(base::Errc::invalid_multipart, {}, std::move(detail), where);
}

std::string lowered(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes a quoted value off the front of `rest`, which starts with a quote.
base::Result<std::string> take_quoted(std::string_view& rest) {
    std::string value;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return value;
        }
        const bool escape =
            rest[i] == '\\' && i + 1 < rest.size() && (rest[i + 1] == '"' || rest[i + 1] == '\\');
        value += escape ? rest[++i] : rest[i];
    }
    return invalid("a quoted value without an end");
}

/// `token; name=value; name="value"`: the token and its parameters, names in lower case.
struct HeaderValue {
    std::string token;
    std::map<std::string, std::string, std::less<>> parameters;
};

base::Result<HeaderValue> parse_header_value(std::string_view text) {
    HeaderValue parsed;
    const auto first = text.find(';');
    parsed.token = lowered(trimmed(text.substr(0, first)));
    auto rest = first == npos ? std::string_view{} : text.substr(first + 1);
    while (!(rest = trimmed(rest)).empty()) {
        if (rest[0] == ';') {
            rest.remove_prefix(1);
            continue;
        }
        const auto equals = rest.find('=');
        if (equals == npos || rest.substr(0, equals).find_first_of("\";") != npos) {
            return invalid("a parameter without a value");
        }
        auto name = lowered(trimmed(rest.substr(0, equals)));
        rest = trimmed(rest.substr(equals + 1));
        std::string value;
        if (rest.starts_with('"')) {
            KN_TRY(quoted, take_quoted(rest));
            value = std::move(quoted);
        } else {
            const auto end = rest.find(';');
            value = trimmed(rest.substr(0, end));
            rest = end == npos ? std::string_view{} : rest.substr(end);
        }
        rest = trimmed(rest);
        if (!rest.empty() && rest[0] != ';') {
            return invalid("text after a parameter's value");
        }
        if (!parsed.parameters.emplace(std::move(name), std::move(value)).second) {
            return invalid("a parameter given twice");
        }
    }
    return parsed;
}

/// RFC 5987 value: charset'language'escaped text. Only UTF-8 is in use.
std::optional<std::string> extended_value(std::string_view text) {
    const auto charset_end = text.find('\'');
    const auto language_end = charset_end == npos ? npos : text.find('\'', charset_end + 1);
    if (language_end == npos || lowered(text.substr(0, charset_end)) != "utf-8") {
        return std::nullopt;
    }
    return percent_decode(text.substr(language_end + 1));
}

std::string browser_unescaped(std::string text) {
    for (auto at = text.find("%22"); at != std::string::npos; at = text.find("%22", at + 1)) {
        text.replace(at, 3, "\"");
    }
    return text;
}

base::Status read_disposition(std::string_view value, PartHead& head) {
    KN_TRY(parsed, parse_header_value(value));
    const auto name = parsed.parameters.find("name");
    if (parsed.token != "form-data" || name == parsed.parameters.end()) {
        return invalid("a part without a form-data name");
    }
    head.name = base::repaired_utf8(browser_unescaped(name->second));
    if (const auto it = parsed.parameters.find("filename"); it != parsed.parameters.end()) {
        head.filename = base::repaired_utf8(browser_unescaped(it->second));
    }
    if (const auto it = parsed.parameters.find("filename*"); it != parsed.parameters.end()) {
        auto text = extended_value(it->second);
        if (!text) {
            return invalid("a malformed filename*");
        }
        head.filename = base::repaired_utf8(*text);
    }
    return {};
}

bool is_boundary_text(std::string_view boundary) {
    // Wider than RFC 2046's alphabet, as clients are; line ends and other controls stay out.
    return !boundary.empty() && boundary.size() <= kBoundaryBytesMax &&
           std::ranges::all_of(boundary, [](char c) { return c >= ' ' && c != '\x7f'; });
}

}  // namespace

base::Result<std::string> multipart_boundary(std::string_view content_type) {
    const auto type = lowered(trimmed(content_type.substr(0, content_type.find(';'))));
    if (type != "multipart/form-data") {
        return base::fail(base::Errc::content_type_invalid,
                          {{"content_type", type.empty() ? "" : base::repaired_utf8(type)}});
    }
    KN_TRY(parsed, parse_header_value(content_type));
    const auto boundary = parsed.parameters.find("boundary");
    if (boundary == parsed.parameters.end() || boundary->second.empty()) {
        return base::fail(base::Errc::multipart_boundary_missing);
    }
    if (!is_boundary_text(boundary->second)) {
        return invalid("a boundary out of bounds");
    }
    return boundary->second;
}

base::Result<PartHead> parse_part_head(std::string_view lines) {
    PartHead head;
    bool disposed = false;
    while (!lines.empty()) {
        const auto end = lines.find("\r\n");
        const auto line = lines.substr(0, end);
        lines = end == npos ? std::string_view{} : lines.substr(end + 2);
        const auto colon = line.find(':');
        const bool has_control = std::ranges::any_of(
            line, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == '\x7f'; });
        if (colon == npos || colon == 0 || has_control) {
            return invalid("a malformed part header");
        }
        const auto name = lowered(trimmed(line.substr(0, colon)));
        const auto value = trimmed(line.substr(colon + 1));
        if (name == "content-disposition") {
            if (disposed) {
                return invalid("two Content-Disposition headers");
            }
            disposed = true;
            KN_PASS(read_disposition(value, head));
        } else if (name == "content-type") {
            head.content_type = base::repaired_utf8(value);
        } else if (name == "content-transfer-encoding") {
            // Deprecated; taken only where it changes nothing (RFC 7578, section 4.7).
            const auto coding = lowered(value);
            if (coding != "binary" && coding != "8bit" && coding != "7bit") {
                return invalid("a part with a transfer encoding");
            }
        }
    }
    if (!disposed) {
        return invalid("a part without Content-Disposition");
    }
    return head;
}

}  // namespace kinodex::http
