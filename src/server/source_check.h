// Whether the file of every ready asset is there as its row says: what copies a store also tells
// when it is damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace kinodex::server {

/// What a row of a ready asset says of its file.
struct ExpectedSource {
    std::string key;  // "assets/<id>/source"
    std::optional<std::int64_t> size_bytes;
};

/// Of a line of assets.jsonl; nullopt when the asset is not ready. Errors: parameter_invalid with a
/// reason.
base::Result<std::optional<ExpectedSource>> expected_source(const std::string& line);

class SourceCheck {
  public:
    /// `found_bytes`: unset when there is none.
    void look(const ExpectedSource& expected, std::optional<std::uint64_t> found_bytes);
    /// Lists what is missing on standard error. The exit code: 0 when nothing is.
    [[nodiscard]] int report() const;

  private:
    std::vector<std::string> lines_;  // the first of them
    std::size_t count_ = 0;
};

}  // namespace kinodex::server
