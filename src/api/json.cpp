#include "api/json.h"

#include <charconv>

namespace kinodex::api {

void append_number(std::string& out, double number) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    out.append(text, end);
}

}  // namespace kinodex::api
