#include "service/utf8.h"

#include <cstdint>

namespace kinodex::service {

std::optional<std::size_t> utf8_length(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size(); ++count) {
        const auto lead = static_cast<unsigned char>(text[i]);
        std::size_t tail = 0;
        std::uint32_t point = lead;
        std::uint32_t least = 0;
        if (lead >= 0xf0 && lead < 0xf8) {
            tail = 3, point = lead & 7U, least = 0x10000;
        } else if (lead >= 0xe0 && lead < 0xf0) {
            tail = 2, point = lead & 15U, least = 0x800;
        } else if (lead >= 0xc0 && lead < 0xe0) {
            tail = 1, point = lead & 31U, least = 0x80;
        } else if (lead >= 0x80) {
            return std::nullopt;
        }
        if (i + tail >= text.size()) {
            return std::nullopt;
        }
        for (std::size_t k = 1; k <= tail; ++k) {
            const auto next = static_cast<unsigned char>(text[i + k]);
            if ((next & 0xc0U) != 0x80) {
                return std::nullopt;
            }
            point = point << 6 | (next & 63U);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
            return std::nullopt;
        }
        i += tail + 1;
    }
    return count;
}

}  // namespace kinodex::service
