// A file being written under drafts/, and its way into place.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_set>

#include "objects/objects.h"
#include "runtime/lane.h"

namespace kinodex::objects {

/// The folders <xx> that this process has seen synced, so that few commits sync what holds them.
class Shards {
  public:
    [[nodiscard]] bool is_synced(const std::string& path) {
        const std::lock_guard lock(mutex_);
        return synced_.contains(path);
    }
    void add_synced(const std::string& path) {
        const std::lock_guard lock(mutex_);
        synced_.insert(path);
    }

  private:
    std::mutex mutex_;
    std::unordered_set<std::string> synced_;  // at most 256 under each top
};

/// Creates the draft file. Blocking: on a lane.
base::Result<std::unique_ptr<Draft>> create_draft(const std::string& root,
                                                  std::shared_ptr<Shards> shards,
                                                  runtime::Lane& lane);

/// Makes the folder of an owner's file `target`, and adds to `changed` what has to be synced for it
/// to stay.
base::Status make_folders(Shards& shards, const std::string& target,
                          std::set<std::string>& changed);

/// Commits drafts that `create_draft` made. Errors: as Objects::commit_all.
Asked<void> commit_drafts(std::vector<Placing> placings, runtime::Lane& lane);

/// Where the object of a key lives, or nullopt when it is no key.
std::optional<std::string> object_path(const std::string& root, std::string_view key);
/// The folder of everything under a prefix such as "assets/<id>/".
std::optional<std::string> owner_path(const std::string& root, std::string_view prefix);

}  // namespace kinodex::objects
