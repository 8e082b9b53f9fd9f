// One text from several pieces, with one allocation.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace kinodex::base {

inline std::string concat(std::initializer_list<std::string_view> pieces) {
    std::size_t size = 0;
    for (const auto piece : pieces) {
        size += piece.size();
    }
    std::string text;
    text.reserve(size);
    for (const auto piece : pieces) {
        text += piece;
    }
    return text;
}

}  // namespace kinodex::base
