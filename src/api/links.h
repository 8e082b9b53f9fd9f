// The signed media URLs that answers carry, and what a signature is good for.
#pragma once

#include <string>

#include "base/concat.h"
#include "domain/ids.h"
#include "http/types.h"
#include "service/signer.h"

namespace kinodex::api {

/// One signature opens the whole of an asset's playback, or one picture.
inline std::string hls_scope(const std::string& asset_id) {
    return base::concat({"assets/", asset_id, "/hls"});
}
inline std::string thumbnail_scope(const std::string& asset_id) {
    return base::concat({"assets/", asset_id, "/thumbnail.jpg"});
}
inline std::string indexed_thumbnail_scope(const std::string& indexed_asset_id) {
    return base::concat({"indexed/", indexed_asset_id, "/thumbnail.jpg"});
}

/// The URL of what lies at the scope itself followed by `rest`.
inline std::string signed_url(const std::string& base_url, std::string_view scope,
                              std::string_view rest, const service::Signer& signer) {
    const auto query = signer.query_for(scope, base::now());
    return base::concat({base_url, "/media/", scope, rest, "?", query});
}

inline std::string manifest_url(const std::string& base_url, const service::Signer& signer,
                                domain::AssetId id) {
    return signed_url(base_url, hls_scope(id.text()), "/master.m3u8", signer);
}
inline std::string thumbnail_url(const std::string& base_url, const service::Signer& signer,
                                 domain::AssetId id) {
    return signed_url(base_url, thumbnail_scope(id.text()), "", signer);
}
inline std::string indexed_thumbnail_url(const std::string& base_url, const service::Signer& signer,
                                         domain::IndexedAssetId id) {
    return signed_url(base_url, indexed_thumbnail_scope(id.text()), "", signer);
}

/// The bytes of an asset as they were uploaded.
inline std::string source_scope(const std::string& asset_id) {
    return base::concat({"assets/", asset_id, "/source"});
}
inline std::string source_url(const std::string& base_url, const service::Signer& signer,
                              domain::AssetId id) {
    return signed_url(base_url, source_scope(id.text()), "", signer);
}

/// Where one chunk is to be put; its signer is the one of upload URLs.
inline std::string chunk_scope(const std::string& upload_id, const std::string& chunk_index) {
    return base::concat({"uploads/", upload_id, "/chunks/", chunk_index});
}
inline std::string chunk_url(const std::string& base_url, const service::Signer& signer,
                             domain::UploadId id, std::int64_t chunk_index) {
    return signed_url(base_url, chunk_scope(id.text(), std::to_string(chunk_index)), "", signer);
}

/// Errors: those of Signer::verify.
inline base::Status check_signed(const http::Request& request, const service::Signer& signer,
                                 const std::string& scope) {
    std::string expires;
    std::string signature;
    for (const auto& [key, value] : request.query) {
        if (key == "expires") {
            expires = value;
        } else if (key == "signature") {
            signature = value;
        }
    }
    return signer.verify(scope, expires, signature, base::now());
}

}  // namespace kinodex::api
