// A folder that gets its name when it is whole: what bears the name can be used.
#pragma once

#include <string>

#include "base/result.h"

namespace kinodex::server {

class NewFolder {
  public:
    /// Makes a draft beside `path`, under a name that nothing else has and for the owner alone;
    /// slashes at the end of `path` mean nothing. Errors: parameter_invalid with a reason when
    /// something is there already, or the draft cannot be made.
    static base::Result<NewFolder> begin(std::string path);
    NewFolder(NewFolder&& other) noexcept;
    NewFolder& operator=(NewFolder&&) = delete;
    /// Removes the draft unless it was finished, and nothing else.
    ~NewFolder();

    /// Where to write until then.
    [[nodiscard]] const std::string& draft() const { return draft_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// Gives the draft its name. Errors: parameter_invalid with a reason, also when something else
    /// has taken the name meanwhile, which stays as it is.
    base::Status finish();

  private:
    explicit NewFolder(std::string path) : path_(std::move(path)) {}

    std::string path_;
    std::string draft_;  // empty: none to remove
};

}  // namespace kinodex::server
