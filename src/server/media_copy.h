// Copies objects out of the media store into plain files, and back, with their SHA-256.
#pragma once

#include <string>
#include <vector>

#include "base/sha256.h"
#include "objects/objects.h"
#include "runtime/lane.h"

namespace kinodex::server {

struct CopiedObject {
    std::uint64_t size_bytes = 0;
    base::Digest sha256{};
};

/// What takes long ends with the error of check_stop() once the command shall stop.
class MediaCopy {
  public:
    explicit MediaCopy(objects::Objects& objects);

    /// To a new file; its directory is made. Bytes are hashed while the kernel copies them.
    base::Result<CopiedObject> write_file(const std::string& key, const std::string& path);
    /// From a file into the store. Errors: parameter_invalid with a reason when the file's hash is
    /// another; then nothing is stored.
    base::Result<CopiedObject> read_file(const std::string& path, const std::string& key,
                                         const base::Digest& expected);
    /// The hash of an object as the store gives it back.
    base::Result<CopiedObject> hash(const std::string& key);

  private:
    objects::Objects& objects_;
    runtime::Lane copies_;
};

/// The keys of all objects of an owner whose rows are there; `prefix` ends in '/'. An upload in
/// parts that is complete but was not joined yet is joined now.
base::Result<std::vector<std::string>> list_whole(objects::Objects& objects,
                                                  const std::string& prefix);
/// All bytes of one descriptor to another, which is empty: by the kernel where it can.
base::Status copy_bytes(int from, int to, std::uint64_t size_bytes, const std::string& name);
/// SHA-256 of a whole file.
base::Result<base::Digest> hash_file(const std::string& path);

}  // namespace kinodex::server
