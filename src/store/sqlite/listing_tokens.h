// Tokens: a metadata key with its value, boiled down to 128 bits under a key of this process.
//
// Two entries have the same token exactly when domain::matches calls them equal: numbers by value
// whatever their type (5 is 5.0, 2^53+1 is not 2^53), texts and booleans by type. Equality of
// tokens stands for equality of entries: with a secret random key and 128 bits a collision cannot
// be made on purpose and does not happen by chance.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "domain/metadata.h"

namespace kinodex::store::sqlite {

struct Token {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const Token&) const = default;
};

Token token_of(std::string_view key, const domain::MetadataValue& value);
std::vector<Token> tokens_of(const domain::Metadata& metadata);
/// The tokens that fulfil `condition`: one when it is typed, one for each reading of a text.
std::vector<Token> tokens_of(const domain::MetadataCondition& condition);
/// Appends the tokens of what metadata_json wrote. The usual form is read in one pass without
/// building a Metadata; anything else goes through parse_metadata. Errors: internal.
base::Status append_tokens(std::string_view json, std::vector<Token>& tokens);

}  // namespace kinodex::store::sqlite
