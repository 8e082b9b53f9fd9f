// User metadata: a small map from text to text, integer, float or boolean that keeps its types.
//
// 5 stays an integer, 9.3 a float and 2^53+1 exact, through storage and back onto the wire.
// The rules of merge and replace are here, pure, so that every store applies the same ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace kinodex::domain {

using MetadataValue = std::variant<std::string, std::int64_t, double, bool>;

/// Bounds of user metadata. They keep a row small enough to be read with every list. A change names
/// no more keys than there can be, those that it deletes among them.
inline constexpr std::size_t kMetadataKeysMax = 100;
inline constexpr std::size_t kMetadataKeyBytesMax = 256;
inline constexpr std::size_t kMetadataTextBytesMax = 8 * 1024;
inline constexpr std::size_t kMetadataBytesMax = 64 * 1024;

/// Keys in the order in which they were first set; each key once.
using Metadata = std::vector<std::pair<std::string, MetadataValue>>;

/// whole: like replace, but "" is kept. For entities.
enum class MetadataMode { merge, replace, whole };

/// What a request asks for. `nullopt` is the wire's null; an empty text is kept as such here, and
/// the rules below ignore it.
struct MetadataChange {
    MetadataMode mode = MetadataMode::merge;
    std::vector<std::pair<std::string, std::optional<MetadataValue>>> entries;
};

/// The metadata after `change`. Merge: null deletes, "" is ignored, other keys stay. Replace: null
/// and "" are left out, keys not named are gone. Whole: the same, but "" is a value. Errors:
/// parameter_invalid naming `parameter` when a bound above is passed.
base::Result<Metadata> apply_change(const Metadata& current, const MetadataChange& change,
                                    std::string_view parameter = "user_metadata");

/// Reads a JSON object of scalars. Errors: parameter_invalid naming `parameter` with a reason
/// (not JSON, not an object, nested value, a number out of range, a bound passed).
base::Result<MetadataChange> parse_metadata_change(std::string_view json, MetadataMode mode,
                                                   std::string_view parameter = "user_metadata");

/// Canonical JSON, types kept: floats always have a point or an exponent.
std::string metadata_json(const Metadata& metadata);
/// Reads what metadata_json wrote. Errors: internal.
base::Result<Metadata> parse_metadata(std::string_view json);

/// One condition of a metadata filter. `typed` comes from JSON and compares by type; `text` comes
/// from a query string and compares by the type of the stored value.
struct MetadataCondition {
    std::string key;
    std::variant<std::string, MetadataValue> wanted;  // 0: untyped text, 1: typed
};

/// Stored text equals wanted text; numbers equal numerically (5 is 5.0); booleans equal booleans.
/// An untyped text matches whichever reading fits the stored type.
bool matches(const MetadataValue& stored, const MetadataCondition& condition);

}  // namespace kinodex::domain
