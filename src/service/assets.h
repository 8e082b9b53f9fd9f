// Assets: created from uploaded bytes, listed, tagged, deleted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "service/ingest.h"
#include "service/playback.h"
#include "service/quotas.h"

namespace kinodex::service {

enum class IngestMode {
    sync,   // answer when the file was examined: ready, or the refusal
    async,  // answer at once: processing
};

/// Adds an asset and its jobs, and with them whatever else belongs into the same commit.
using Insert = std::function<runtime::Asked<void>(domain::Asset, std::vector<domain::NewJob>)>;

struct NewUpload {
    domain::AssetId id = domain::AssetId::next();
    domain::AccountId account;
    domain::AssetMethod method = domain::AssetMethod::direct;
    std::string source_url;  // of method url
    std::string filename;
    IngestWishes wishes;
    std::optional<domain::MetadataChange> user_metadata;
    std::unique_ptr<objects::Draft> media;  // null when the bytes come later
    Purpose purpose = Purpose::asset;
    Insert insert;  // null: the asset alone
};

struct AssetOptions {
    IngestMode mode = IngestMode::sync;
    /// Larger files are never examined while the client waits.
    std::int64_t sync_bytes_max = 200LL * 1024 * 1024;
    /// Whether webhooks want to know of videos that fail because their asset is deleted.
    bool announces = false;
};

inline constexpr std::size_t kFilenameCharsMax = 255;

/// 1 to 255 characters of valid UTF-8 without control characters. Errors: parameter_invalid.
base::Status check_filename(std::string_view filename);

class Assets {
  public:
    Assets(store::Store& store, objects::Objects& objects, Ingest& ingest, Playback& playback,
           Quotas& quotas, AssetOptions options, std::function<void()> wake_workers)
        : store_(store),
          objects_(objects),
          ingest_(ingest),
          playback_(playback),
          quotas_(quotas),
          options_(options),
          wake_workers_(std::move(wake_workers)) {}

    /// Where an upload's bytes go while they arrive.
    runtime::Asked<std::unique_ptr<objects::Draft>> begin_upload();
    /// The error of an upload that passed a size limit; `received` holds its first bytes.
    runtime::Asked<void> refuse_too_large(const objects::Draft& received, std::int64_t limit_bytes,
                                          std::int64_t size_bytes);
    /// Errors: the catalogue's, by what the bytes are. Nothing stays behind on failure.
    runtime::Asked<domain::Asset> create(NewUpload upload);
    /// The same for bytes that a job will bring from the upload's URL: `processing` until then.
    runtime::Asked<domain::Asset> create_pending(NewUpload upload,
                                                 std::optional<std::uint64_t> size_bytes);
    /// Room in the account's quota for what an asset holds beyond the size that its row knows.
    runtime::Asked<Quotas::Reservation> reserve_more(const domain::Asset& asset,
                                                     std::int64_t size_bytes);

    /// Also what an upload session has reserved and not yet made.
    runtime::Asked<domain::Asset> find(domain::AccountId account, domain::AssetId id);
    /// For signed URLs, which name no account.
    runtime::Asked<domain::Asset> find(domain::AssetId id);
    runtime::Asked<domain::Paged<domain::Asset>> list(domain::AccountId account,
                                                      domain::AssetFilter filter,
                                                      domain::Page page);
    runtime::Asked<void> change_metadata(domain::AccountId account, domain::AssetId id,
                                         domain::MetadataChange change);
    runtime::Asked<void> remove(domain::AccountId account, domain::AssetId id,
                                store::DeleteMode mode);
    runtime::Asked<domain::Paged<domain::IndexedAssetReference>> references(
        domain::AccountId account, domain::AssetId id, domain::Page page);

    [[nodiscard]] std::int64_t upload_bytes_max() const;
    [[nodiscard]] std::int64_t task_bytes_max() const { return ingest_.limits().max_task_bytes; }

  private:
    static base::Result<domain::Asset> asset_of(const NewUpload& upload);
    runtime::Asked<void> insert(const domain::Asset& asset, std::vector<domain::NewJob> jobs,
                                const Insert& insert);
    runtime::Asked<std::vector<domain::NewJob>> settle(domain::Asset& asset, NewUpload& upload);

    store::Store& store_;
    objects::Objects& objects_;
    Ingest& ingest_;
    Playback& playback_;
    Quotas& quotas_;
    AssetOptions options_;
    std::function<void()> wake_workers_;
};

}  // namespace kinodex::service
