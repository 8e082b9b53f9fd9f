// Reads a flat JSON object of scalars without losing a number's kind or precision.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/metadata.h"

namespace kinodex::domain {

using FlatObject = std::vector<std::pair<std::string, std::optional<MetadataValue>>>;

/// Keys in order of first appearance, at most kMetadataKeysMax; of a repeated key the last value
/// counts. The error is a sentence for the client.
std::expected<FlatObject, std::string> parse_flat_object(std::string_view text);

}  // namespace kinodex::domain
