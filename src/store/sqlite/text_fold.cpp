#include "store/sqlite/text_fold.h"

#include <algorithm>

namespace kinodex::store::sqlite {
namespace {

char fold_ascii(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Of code points that take two bytes. Source: Unicode CaseFolding.txt, simple foldings.
unsigned fold_point(unsigned point) {
    if ((point >= 0xC0 && point <= 0xDE && point != 0xD7) ||     // Latin-1
        (point >= 0x391 && point <= 0x3AB && point != 0x3A2) ||  // Greek
        (point >= 0x410 && point <= 0x42F)) {                    // Cyrillic
        return point + 32;
    }
    if (point >= 0x400 && point <= 0x40F) {
        return point + 80;
    }
    const bool even_upper = (point >= 0x100 && point <= 0x12F) ||
                            (point >= 0x132 && point <= 0x137) ||
                            (point >= 0x14A && point <= 0x177);
    const bool odd_upper = (point >= 0x139 && point <= 0x148) || (point >= 0x179 && point <= 0x17E);
    if ((even_upper && point % 2 == 0) || (odd_upper && point % 2 == 1)) {
        return point + 1;
    }
    return point == 0x178 ? 0xFF : point;
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

std::string fold(std::string_view text) {
    std::string folded(text);
    for (std::size_t i = 0; i < folded.size(); ++i) {
        const auto lead = static_cast<unsigned char>(folded[i]);
        if (lead < 0x80) {
            folded[i] = fold_ascii(folded[i]);
        } else if (lead >= 0xC3 && lead <= 0xDF && i + 1 < folded.size() &&
                   (static_cast<unsigned char>(folded[i + 1]) & 0xC0) == 0x80) {
            const auto trail = static_cast<unsigned char>(folded[i + 1]);
            const unsigned point = fold_point((lead & 0x1Fu) << 6 | (trail & 0x3Fu));
            folded[i] = static_cast<char>(0xC0 | point >> 6);
            folded[++i] = static_cast<char>(0x80 | (point & 0x3F));
        }
    }
    return folded;
}

bool contains_folded(std::string_view text, std::string_view folded_part) {
    if (!is_ascii(text)) {
        return fold(text).find(folded_part) != std::string::npos;
    }
    const auto same = [](char c, char wanted) { return fold_ascii(c) == wanted; };
    return folded_part.empty() || std::search(text.begin(), text.end(), folded_part.begin(),
                                              folded_part.end(), same) != text.end();
}

}  // namespace kinodex::store::sqlite
