// Schemas for people: a few words on a type, and a value such as it may be.
#pragma once

#include <string>

#include "api/schema.h"

namespace kinodex::api {

/// E.g. "integer, 1 to 50, default `10`". Named objects are links to their heading on the page.
std::string type_text(const Schema& schema);

/// A table of an object's keys; keys of objects without a name stand below as "outer.inner".
std::string keys_table(const Schema& schema);

/// A value that fits, as compact JSON. Of an object: every key, or those that are required.
enum class Keys { all, required };
std::string sample_json(const Schema& schema, Keys keys);

/// Compact JSON over several lines.
std::string laid_out(std::string_view json);

}  // namespace kinodex::api
