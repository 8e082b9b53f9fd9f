#include "service/names.h"

#include <string>

#include "base/utf8.h"

namespace kinodex::service {
namespace {

std::unexpected<base::Error> refuse(std::string_view parameter, std::string reason) {
    return base::fail(base::Errc::parameter_invalid,
                      {{"parameter", std::string(parameter)}, {"reason", std::move(reason)}});
}

/// C0, DEL and C1, which terminals take for commands. `text` is valid UTF-8.
bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool is_c1 = byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || is_c1) {
            return true;
        }
    }
    return false;
}

}  // namespace

base::Status check_line(std::string_view parameter, std::string_view text, std::size_t chars_max) {
    const auto length = base::utf8_length(text);
    if (!length) {
        return refuse(parameter, "It must be valid UTF-8.");
    }
    if (*length < 1 || *length > chars_max) {
        return refuse(parameter, "It must have 1 to " + std::to_string(chars_max) + " characters.");
    }
    if (has_control(text)) {
        return refuse(parameter, "It must not contain line breaks or other control characters.");
    }
    return {};
}

base::Status check_text(std::string_view parameter, std::string_view text, std::size_t chars_max) {
    const auto length = base::utf8_length(text);
    if (!length) {
        return refuse(parameter, "It must be valid UTF-8.");
    }
    if (*length > chars_max) {
        return refuse(parameter,
                      "It must have at most " + std::to_string(chars_max) + " characters.");
    }
    if (text.contains('\0')) {
        return refuse(parameter, "It must not contain a null character.");
    }
    return {};
}

}  // namespace kinodex::service
