// JSON text for metadata values, used by storage and by the wire.
#pragma once

#include <string>
#include <string_view>

#include "domain/metadata.h"

namespace kinodex::domain {

/// Appends `text` as a quoted JSON string. Escapes quotes, backslashes and control characters.
void append_json_text(std::string& out, std::string_view text);
/// Appends a number so that it reads back as the same double, with a point or an exponent.
void append_json_number(std::string& out, double number);
void append_metadata_value(std::string& out, const MetadataValue& value);

/// An integer or a finite float as JSON writes it; nullopt for anything else or out of range.
std::optional<MetadataValue> parse_metadata_number(std::string_view text);

}  // namespace kinodex::domain
