// Brings one file after another to a server for `kinodex ingest`: whole or in parts, until the
// server has looked at it, and maybe into an index.
#pragma once

#include <atomic>
#include <optional>
#include <set>
#include <string>

#include "server/ingest_known.h"
#include "server/ingest_memory.h"

namespace kinodex::server {

struct IngestTarget {
    std::string base_url;  // with /v1.3
    std::string api_key;
    bool enable_hls = false;
    bool enable_thumbnail = false;
    std::string index_id;                // empty: not indexed
    std::uint64_t direct_bytes_max = 0;  // larger files go in parts
};

/// What several uploaders share.
struct IngestShared {
    const IngestTarget& target;
    const KnownAssets& known;
    const UploadMemory* memory;  // null: an interrupted upload in parts begins anew
    const std::atomic<bool>& stopping;
    std::atomic<std::uint64_t>& bytes_sent;  // of files, also of those on their way
};

class IngestUploader {
  public:
    explicit IngestUploader(const IngestShared& shared);

    struct Brought {
        bool is_new = false;        // false: it was there already
        std::string index_problem;  // why it is not in the index; empty: it is, or need not be
    };
    /// Returns when the server has looked at the file. What it could not use is no asset any more.
    /// Errors: with a detail for the operator. A passing failure was tried again several times; a
    /// stop ends it within seconds.
    base::Result<Brought> bring(const IngestFile& file);
    /// How many of them went out for good in the last `bring`.
    [[nodiscard]] std::uint64_t file_bytes_sent() const { return file_bytes_sent_; }

  private:
    struct OpenSession : UploadSession {
        std::set<std::uint64_t> reported = {};
    };

    /// The asset that is there for a file, if it is one, and usable.
    base::Result<std::optional<ShownAsset>> find_there(const IngestFile& file);
    base::Result<ShownAsset> upload(const IngestFile& file);
    base::Result<ShownAsset> upload_whole(const IngestFile& file);
    base::Result<std::string> upload_in_parts(const IngestFile& file);
    base::Result<std::optional<OpenSession>> find_session(const IngestFile& file);
    base::Result<OpenSession> begin_session(const IngestFile& file);
    base::Status send_chunks(const IngestFile& file, const OpenSession& session,
                             std::uint64_t first, std::uint64_t count);
    base::Result<ShownAsset> settled(const std::string& asset_id);
    base::Status index(const std::string& asset_id);

    base::Result<fetch::ApiAnswer> get(const std::string& path);
    /// Sends again while that may help. `status`: what a success is; `file_bytes`: how many bytes
    /// of the file go with it.
    template <class Send>
    base::Result<fetch::ApiAnswer> insist(unsigned status, Send send, std::uint64_t file_bytes = 0);
    void note_progress(std::uint64_t sent);

    const IngestTarget& target_;
    const KnownAssets& known_;
    const UploadMemory* memory_;
    const std::atomic<bool>& stopping_;
    std::atomic<std::uint64_t>& bytes_sent_;
    std::uint64_t request_bytes_ = 0;  // of the file, in the request that runs
    std::uint64_t request_sent_ = 0;   // of them, as far as they are in bytes_sent_
    std::uint64_t file_bytes_sent_ = 0;
    fetch::ApiClient client_;
};

}  // namespace kinodex::server
