// Reading JSON requests: the members of the top-level object as raw JSON, so that user metadata
// keeps every digit, and small readers for single values.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/index.h"

namespace kinodex::api {

using RawMembers = std::vector<std::pair<std::string, std::string_view>>;

/// The members of a JSON object, values as they stand in `body`, which must outlive the result.
/// An empty body is an empty object (the Python SDK drops empty ones). Of a repeated key the last
/// value counts. Errors: body_invalid_json.
base::Result<RawMembers> parse_members(std::string_view body);

/// nullopt when `raw` is no JSON string, boolean, integer of 64 bits.
std::optional<std::string> json_text(std::string_view raw);
std::optional<bool> json_boolean(std::string_view raw);
std::optional<std::int64_t> json_integer(std::string_view raw);
std::optional<std::vector<std::string>> json_texts(std::string_view raw);
/// The elements of an array as they stand in `raw`.
std::optional<std::vector<std::string_view>> json_elements(std::string_view raw);
/// The members of each object of an array, as of parse_members.
std::optional<std::vector<RawMembers>> json_objects(std::string_view raw);
/// An array of {model_name, model_options}, nothing else in it.
std::optional<std::vector<domain::IndexModel>> json_models(std::string_view raw);

}  // namespace kinodex::api
