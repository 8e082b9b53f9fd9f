#include "api/asset_wire.h"

#include "api/json.h"
#include "api/links.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::Asset;
using domain::AssetStatus;
using domain::DerivedStatus;

void append_common(JsonObject& object, const Asset& asset) {
    object.text("_id", asset.id.text());
    object.text("method", domain::name_of(asset.method));
    object.text("status", domain::name_of(asset.status));
    object.text("filename", asset.filename);
    if (!asset.file_type.empty()) {
        object.text("file_type", asset.file_type);
    }
    object.text("created_at", base::rfc3339_seconds(asset.created_at));
    if (!asset.user_metadata.empty()) {
        object.raw("user_metadata", domain::metadata_json(asset.user_metadata));
    }
}

}  // namespace

std::string asset_json(const Asset& asset) {
    std::string out;
    {
        JsonObject object(out);
        append_common(object, asset);
    }
    return out;
}

void append_asset_detail(std::string& out, const Asset& asset, const std::string& base_url,
                         const service::Signer& signer) {
    JsonObject object(out);
    append_common(object, asset);
    if (asset.status == AssetStatus::ready) {
        if (asset.size_bytes) {
            object.integer("size", *asset.size_bytes);
        }
        if (asset.duration_sec) {
            object.number("duration", *asset.duration_sec);
        }
    }
    if (asset.status != AssetStatus::processing && !asset.technical_metadata.empty()) {
        object.raw("technical_metadata", asset.technical_metadata);
    }
    if (asset.hls != DerivedStatus::none) {
        JsonObject hls(object.key("hls"));
        hls.text("status", domain::name_of(asset.hls));
        if (asset.hls == DerivedStatus::ready) {
            hls.text("manifest_url", manifest_url(base_url, signer, asset.id));
        }
    }
    if (asset.thumbnail != DerivedStatus::none) {
        JsonObject thumbnail(object.key("thumbnail"));
        thumbnail.text("status", domain::name_of(asset.thumbnail));
        if (asset.thumbnail == DerivedStatus::ready) {
            thumbnail.text("representative_url", thumbnail_url(base_url, signer, asset.id));
        }
    }
    if (asset.status == AssetStatus::failed) {
        JsonObject error(object.key("error"));
        error.text("message", asset.error_message);
    }
}

}  // namespace kinodex::api
