#include "http/query.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace kinodex::http {

namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

base::Result<std::string> decode_piece(std::string_view raw, std::string_view parameter) {
    auto text = percent_decode(raw, PlusSign::space);
    if (!text) {
        return base::fail(base::Errc::parameter_invalid, {{"parameter", std::string(parameter)},
                                                          {"reason", "malformed percent escape"}});
    }
    if (!base::is_utf8(*text)) {
        return base::fail(base::Errc::parameter_invalid,
                          {{"parameter", std::string(parameter)}, {"reason", "not UTF-8"}});
    }
    return std::move(*text);
}

std::unexpected<base::Error> bound_passed(std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", "query"}, {"reason", std::move(reason)}});
}

}  // namespace

base::Result<QueryPairs> parse_query(std::string_view raw) {
    if (raw.size() > kQueryBytesMax) {
        return bound_passed(fmt::format("the query is longer than {} bytes", kQueryBytesMax));
    }
    QueryPairs pairs;
    while (!raw.empty()) {
        const auto end = raw.find('&');
        const auto piece = raw.substr(0, end);
        raw = end == std::string_view::npos ? std::string_view{} : raw.substr(end + 1);
        if (piece.empty()) {
            continue;
        }
        if (pairs.size() == kQueryPairsMax) {
            return bound_passed(fmt::format("more than {} parameters", kQueryPairsMax));
        }
        const auto equals = piece.find('=');
        KN_TRY(name, decode_piece(piece.substr(0, equals), "query"));
        std::string value;
        if (equals != std::string_view::npos) {
            KN_TRY(decoded, decode_piece(piece.substr(equals + 1), name));
            value = std::move(decoded);
        }
        pairs.emplace_back(std::move(name), std::move(value));
    }
    return pairs;
}

std::optional<std::string> percent_decode(std::string_view raw, PlusSign plus) {
    std::string text;
    text.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '+' && plus == PlusSign::space) {
            text += ' ';
        } else if (raw[i] != '%') {
            text += raw[i];
        } else {
            const int high = i + 2 < raw.size() ? hex_value(raw[i + 1]) : -1;
            const int low = i + 2 < raw.size() ? hex_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return std::nullopt;
            }
            text += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return text;
}

}  // namespace kinodex::http
