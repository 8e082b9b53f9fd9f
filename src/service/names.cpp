#include "service/names.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"

namespace kinodex::service {
namespace {

std::unexpected<base::Error> refuse(std::string_view parameter, std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", std::string(parameter)}, {"reason", std::move(reason)}});
}

}  // namespace

base::Status check_line(std::string_view parameter, std::string_view text, std::size_t chars_max) {
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    };
    const auto length = base::utf8_length(text);
    if (!length || *length < 1 || *length > chars_max || std::ranges::any_of(text, is_control)) {
        return refuse(parameter, "It must have 1 to " + std::to_string(chars_max) + " characters.");
    }
    return {};
}

base::Status check_text(std::string_view parameter, std::string_view text, std::size_t chars_max) {
    const auto length = base::utf8_length(text);
    if (!length || *length > chars_max || text.contains('\0')) {
        return refuse(parameter,
                      "It must have at most " + std::to_string(chars_max) + " characters.");
    }
    return {};
}

}  // namespace kinodex::service
