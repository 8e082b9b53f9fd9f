// What the server of `kinodex ingest` has already, by file name.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "server/ingest_answers.h"
#include "server/ingest_files.h"

namespace kinodex::server {

/// Shared by the uploaders: nothing changes once it is loaded.
class KnownAssets {
  public:
    /// Every asset of the account that did not fail. Errors: what the server answered.
    base::Status load(fetch::ApiClient& client);
    /// The asset with that name and size, or else one with that name which the server has not
    /// looked at yet.
    [[nodiscard]] std::optional<ShownAsset> find(const IngestFile& file) const;

  private:
    std::multimap<std::string, ShownAsset> by_name_;
};

}  // namespace kinodex::server
