#include "server/new_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "server/export_folder.h"

namespace kinodex::server {
namespace {

namespace fs = std::filesystem;

std::unexpected<base::Error> refuse_taken(const std::string& path) {
    return refuse_export(path + " is there already; give a new name");
}

std::unexpected<base::Error> refuse_to_make(const std::string& path, int error) {
    return refuse_export("cannot make " + path + ": " +
                         std::error_code(error, std::generic_category()).message());
}

/// Renames to a name that nothing has. Returns an errno, 0 for none.
int rename_to_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return errno;
    }
    // A file system that cannot do both at once: an empty folder takes the name, and a rename
    // replaces no folder but an empty one.
    if (::mkdir(to.c_str(), 0700) != 0) {
        return errno;
    }
    if (std::rename(from.c_str(), to.c_str()) == 0) {
        return 0;
    }
    const int error = errno;
    ::rmdir(to.c_str());
    return error;
}

}  // namespace

base::Result<NewFolder> NewFolder::begin(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    NewFolder folder(std::move(path));
    std::error_code error;
    if (fs::exists(fs::symlink_status(folder.path_, error))) {
        return refuse_taken(folder.path_);
    }
    const auto parent = fs::path(folder.path_).parent_path();
    if (!parent.empty()) {
        fs::create_directories(parent, error);
    }
    auto draft = folder.path_ + ".partial-XXXXXX";
    if (error || ::mkdtemp(draft.data()) == nullptr) {
        return refuse_to_make(folder.path_, error ? error.value() : errno);
    }
    folder.draft_ = std::move(draft);
    return folder;
}

NewFolder::NewFolder(NewFolder&& other) noexcept
    : path_(std::move(other.path_)), draft_(std::exchange(other.draft_, {})) {}

NewFolder::~NewFolder() {
    if (!draft_.empty()) {
        std::error_code ignored;
        fs::remove_all(draft_, ignored);
    }
}

base::Status NewFolder::finish() {
    if (const int error = rename_to_new(draft_, path_); error == EEXIST || error == ENOTEMPTY) {
        return refuse_taken(path_);
    } else if (error != 0) {
        return refuse_to_make(path_, error);
    }
    draft_.clear();
    return {};
}

}  // namespace kinodex::server
