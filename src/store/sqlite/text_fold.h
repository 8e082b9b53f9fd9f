// Case-insensitive search in file names, without a locale: the same answer on every machine.
#pragma once

#include <string>
#include <string_view>

namespace kinodex::store::sqlite {

/// Lower case for ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic letters in UTF-8; other
/// bytes stay as they are, broken UTF-8 included.
std::string fold(std::string_view text);
/// Whether `text`, folded, contains `folded_part`. An empty part is in every text.
bool contains_folded(std::string_view text, std::string_view folded_part);

}  // namespace kinodex::store::sqlite
