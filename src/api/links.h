// The signed media URLs that answers carry, and what a signature is good for.
#pragma once

#include <string>

#include "base/concat.h"
#include "domain/ids.h"
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

}  // namespace kinodex::api
