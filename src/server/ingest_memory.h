// Uploads in parts that are under way, remembered from one run of `kinodex ingest` to the next: a
// small file for each, in the user's state directory, since the server does not say whose file a
// session is for and the folder may be read-only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/ingest_files.h"

namespace kinodex::server {

struct UploadSession {
    std::string upload_id;
    std::string asset_id;
    std::uint64_t chunk_bytes = 0;
    std::uint64_t chunks = 0;
};

/// Thread-safe, for the files of different uploads.
class UploadMemory {
  public:
    /// `wish`: what all uploads of this run have in common, such as the server. Errors: internal,
    /// with a detail, when there is no place to write to.
    static base::Result<UploadMemory> open(std::string wish);

    /// The session of the very same file: its path, size, time and metadata.
    [[nodiscard]] std::optional<UploadSession> find(const IngestFile& file) const;
    base::Status keep(const IngestFile& file, const UploadSession& session) const;
    void forget(const IngestFile& file) const;

  private:
    UploadMemory(std::string folder, std::string wish)
        : folder_(std::move(folder)), wish_(std::move(wish)) {}
    [[nodiscard]] std::string note_of(const IngestFile& file) const;

    std::string folder_;
    std::string wish_;
};

}  // namespace kinodex::server
