// Objects in parts as one sparse file of the final size: each part is written where it belongs, so
// that putting them together is a rename.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "objects/directory/draft.h"
#include "objects/objects.h"
#include "runtime/lane.h"

namespace kinodex::objects {

/// Where one part lies: whoever is its owner may write there. The mutex is held for each write, so
/// that a former owner's last write is over when it has a new one.
struct PartPlace {
    std::mutex mutex;
    const void* owner = nullptr;
};

/// The places of the parts that somebody writes now. Thread-safe.
class PartPlaces {
  public:
    std::shared_ptr<PartPlace> of(const std::string& path, std::int64_t index);

  private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<PartPlace>> places_;
};

// Blocking: on a lane. Semantics and errors are those of Objects.
base::Status make_parts_file(const std::string& root, Shards& shards, std::string_view key,
                             std::uint64_t size_bytes);
base::Result<std::unique_ptr<Part>> open_part(const std::string& root, std::string_view key,
                                              PartSpan span, PartPlaces& places,
                                              runtime::Lane& lane);
base::Status join_parts_file(const std::string& root, std::string_view key);

}  // namespace kinodex::objects
