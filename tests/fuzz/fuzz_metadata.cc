// Metadata JSON of any bytes, merged and replaced: no crash, bounds held, and what is written can
// be read back as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "domain/metadata.h"

namespace {

using namespace kinodex::domain;

void check_change(std::string_view json, MetadataMode mode) {
    const auto change = parse_metadata_change(json, mode);
    if (!change) {
        KN_CHECK(change.error().code == kinodex::base::Errc::parameter_invalid,
                 "bad metadata is the client's mistake");
        return;
    }
    const Metadata current = {{"a", std::int64_t{1}}, {"b", std::string("x")}, {"c", 1.5}};
    const auto after = apply_change(current, *change);
    if (!after) {
        return;
    }
    KN_CHECK(after->size() <= kMetadataKeysMax, "the number of keys is bounded");
    const auto text = metadata_json(*after);
    const auto again = parse_metadata(text);
    KN_CHECK(again.has_value() && *again == *after, "stored metadata reads back the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    check_change(json, MetadataMode::merge);
    check_change(json, MetadataMode::replace);
    return 0;
}
