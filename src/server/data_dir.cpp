#include "server/data_dir.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <span>

#include "base/check.h"
#include "objects/directory/file_ops.h"

namespace kinodex::server {
namespace {

using base::Errc;

base::Status write_key(const std::string& path, const service::SigningKey& key) {
    const auto draft = path + ".new";
    const base::UniqueFd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) {
        return objects::io_fail("create", draft, errno);
    }
    KN_PASS(objects::write_all(fd.get(), std::as_bytes(std::span(key)), draft));
    KN_PASS(objects::sync_file(fd.get(), draft));
    if (std::rename(draft.c_str(), path.c_str()) != 0) {
        return objects::io_fail("rename", path, errno);
    }
    return objects::sync_directory(path.substr(0, path.rfind('/')));
}

/// SQLite would say no more than that it cannot open a file; it writes even to read, beside others.
base::Status check_writable(const std::string& path) {
    if (::access(path.c_str(), R_OK | W_OK | X_OK) == 0) {
        return {};
    }
    return base::fail(Errc::internal, {},
                      "the data directory " + path + " cannot be written: " +
                          std::error_code(errno, std::generic_category()).message());
}

}  // namespace

base::Result<DataDir> open_data_dir(const std::string& path, Use use) {
    std::error_code error;
    DataDir dir;
    dir.path = std::filesystem::absolute(path, error).lexically_normal().string();
    if (dir.path.size() > 1 && dir.path.ends_with('/')) {
        dir.path.pop_back();
    }
    if (use == Use::existing) {
        if (!std::filesystem::exists(dir.database(), error)) {
            return base::fail(Errc::internal, {},
                              "there is no Kinodex data in " + dir.path +
                                  " (no kinodex.db); give the server's --data-dir");
        }
        KN_PASS(check_writable(dir.path));
        return dir;
    }
    const bool is_new = std::filesystem::create_directories(dir.path, error);
    if (error) {
        return base::fail(Errc::internal, {},
                          "cannot make the data directory " + dir.path + ": " + error.message());
    }
    if (is_new) {  // who may see into a directory of somebody else's making is theirs to say
        ::chmod(dir.path.c_str(), 0700);
    }
    KN_PASS(check_writable(dir.path));
    if (use == Use::alone) {
        const auto lock = dir.path + "/lock";
        dir.lock.reset(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!dir.lock) {
            return objects::io_fail("open", lock, errno);
        }
        if (::flock(dir.lock.get(), LOCK_EX | LOCK_NB) != 0) {
            return base::fail(Errc::internal, {},
                              "another server uses the data directory " + dir.path +
                                  "; stop it or give another --data-dir");
        }
    }
    return dir;
}

base::Result<service::SigningKey> load_signing_key(const DataDir& dir) {
    const auto path = dir.path + "/media.key";
    service::SigningKey key{};
    const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) {
        KN_PASS(objects::read_exactly(fd.get(), 0, std::as_writable_bytes(std::span(key)), path));
        return key;
    }
    if (errno != ENOENT) {
        return objects::io_fail("open", path, errno);
    }
    KN_CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1,
             "the system has no randomness");
    KN_PASS(write_key(path, key));
    return key;
}

}  // namespace kinodex::server
