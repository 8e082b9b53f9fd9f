// Uploads one file after the other to a server, each as its size wants, and says what came of it.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "fetch/api_client.h"

namespace kinodex::server {

struct IngestTarget {
    std::string base_url;  // with /v1.3
    std::string api_key;
    bool enable_hls = false;
    bool enable_thumbnail = false;
    std::string index_id;                // empty: not indexed
    std::uint64_t direct_bytes_max = 0;  // larger files go in parts
};

struct IngestFile {
    std::string path;  // on disk
    std::string name;  // below the folder: the asset's filename
    std::uint64_t size_bytes = 0;
    std::string metadata;  // JSON object; empty: none
};

/// What the server has already, by file name. Shared by the uploaders; thread-safe.
class KnownAssets {
  public:
    struct Known {
        std::string asset_id;
        std::optional<std::uint64_t> size_bytes;  // not while it is processed
    };
    /// Every asset of the account that did not fail. Errors: what the server answered.
    base::Status load(fetch::ApiClient& client);
    void add(const std::string& name, Known known);
    /// The asset with that name and, as far as is known, that size.
    [[nodiscard]] std::optional<std::string> find(const IngestFile& file) const;
    [[nodiscard]] std::size_t size() const;

  private:
    mutable std::mutex mutex_;
    std::multimap<std::string, Known> by_name_;
};

class IngestUploader {
  public:
    IngestUploader(const IngestTarget& target, KnownAssets& known,
                   std::atomic<std::uint64_t>& bytes_sent, const std::atomic<bool>& stopping);

    enum class Outcome { uploaded, there_already };
    /// Errors: with a detail for the operator. A passing failure was tried again several times.
    base::Result<Outcome> bring(const IngestFile& file);

  private:
    base::Result<std::string> upload(const IngestFile& file);
    base::Result<std::string> upload_whole(const IngestFile& file);
    base::Result<std::string> upload_in_parts(const IngestFile& file);
    base::Status index(const std::string& asset_id);
    base::Status wait_until_ready(const std::string& asset_id);
    /// Sends again while that may help. `status`: what a success is.
    template <class Send>
    base::Result<fetch::ApiAnswer> insist(unsigned status, Send send);

    const IngestTarget& target_;
    KnownAssets& known_;
    std::atomic<std::uint64_t>& bytes_sent_;
    const std::atomic<bool>& stopping_;
    fetch::ApiClient client_;
};

}  // namespace kinodex::server
