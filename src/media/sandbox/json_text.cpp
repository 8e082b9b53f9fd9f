#include "media/sandbox/json_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace kinodex::media {
namespace {

namespace json = boost::json;

void append(std::string& out, const json::value& value);

void append(std::string& out, const json::object& object) {
    out += '{';
    bool is_first = true;
    for (const auto& [key, member] : object) {
        out += is_first ? "" : ",";
        is_first = false;
        out += json::serialize(json::string(key));
        out += ':';
        append(out, member);
    }
    out += '}';
}

void append(std::string& out, const json::array& array) {
    out += '[';
    bool is_first = true;
    for (const auto& each : array) {
        out += is_first ? "" : ",";
        is_first = false;
        append(out, each);
    }
    out += ']';
}

/// The depth is that of a parsed message, which the parser has bounded.
void append(std::string& out, const json::value& value) {
    if (value.is_object()) {
        append(out, value.get_object());
    } else if (value.is_array()) {
        append(out, value.get_array());
    } else if (value.is_double()) {
        out += fmt::format("{}", value.get_double());
    } else {
        out += json::serialize(value);
    }
}

}  // namespace

std::string json_text(const json::value& value) {
    std::string out;
    append(out, value);
    return out;
}

}  // namespace kinodex::media
