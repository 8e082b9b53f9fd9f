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

std::vector<Property> common_properties() {
    return {has("_id", schema::id(), "The asset's identifier."),
            has("method", schema::words({"direct", "url", "multipart"}), "How it was uploaded."),
            has("status", schema::words({"processing", "ready", "failed"}), "Whether to use it."),
            has("filename", schema::text(1).like("\"film.mp4\""), "Its filename."),
            may_have("file_type", schema::text(1).like("\"video/mp4\""),
                     "The media type that was found in the bytes."),
            has("created_at", schema::time(), "When it was created."),
            may_have("user_metadata", metadata_schema(), "Absent when empty.")};
}

Schema derived_schema(std::string name, std::string url, std::string url_text) {
    return schema::named(
        std::move(name),
        schema::object({has("status", schema::words({"pending", "processing", "ready", "error"}),
                            "How far it is."),
                        may_have(std::move(url), schema::url(), std::move(url_text))}));
}

}  // namespace

Schema asset_schema() {
    return schema::named("Asset", schema::object(common_properties()));
}

Schema asset_detail_schema() {
    auto properties = common_properties();
    for (auto& each : std::vector<Property>{
             may_have("size", schema::integer(0).like("30720000"), "Bytes; once ready."),
             may_have("duration", schema::number(0).like("62.48"),
                      "Seconds, of video and audio; once ready."),
             may_have("technical_metadata", technical_metadata_schema(), "What the file says."),
             may_have("hls",
                      derived_schema("AssetHls", "manifest_url",
                                     "Of the master playlist, signed; once ready."),
                      "With `enable_hls`."),
             may_have("thumbnail",
                      derived_schema("AssetThumbnail", "representative_url",
                                     "Of the picture, signed; once ready."),
                      "With `enable_thumbnail`."),
             may_have("error", failure_schema(), "Why it failed.")}) {
        properties.push_back(std::move(each));
    }
    return schema::named("AssetDetail", schema::object(std::move(properties)));
}

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
    constexpr std::size_t kUsualBytes = 768;  // without what is measured
    out.reserve(out.size() + kUsualBytes + asset.technical_metadata.size());
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
