#include "api/indexed_asset_wire.h"

#include "api/links.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::IndexedAsset;
using domain::IndexedAssetId;

enum class Detail { list, whole };

/// The size of a video is told in lists alone.
bool tells_size(View view, Detail detail) {
    return view == View::indexed_asset || detail == Detail::list;
}

void append_system_metadata(JsonObject& object, const IndexedAsset& item, View view,
                            Detail detail) {
    const auto& known = item.system_metadata;
    JsonObject system(object.key("system_metadata"));
    system.text("filename", known.filename);
    if (known.duration_sec) {
        system.number("duration", *known.duration_sec);
    }
    // Before it is ready, only what the documentation's samples show.
    const bool is_ready = item.status == domain::IndexingStatus::ready;
    if (known.fps && is_ready) {
        system.number("fps", *known.fps);
    }
    if (known.width) {
        system.integer("width", *known.width);
    }
    if (known.height) {
        system.integer("height", *known.height);
    }
    if (known.size_bytes && is_ready && tells_size(view, detail)) {
        system.integer("size", *known.size_bytes);
    }
}

void append_item_fields(JsonObject& object, const IndexedAsset& item, View view, Detail detail) {
    object.text("_id", item.id.text());
    object.text("asset_id", item.asset_id.text());
    object.text("created_at", base::rfc3339_millis(item.created_at));
    object.text("updated_at", base::rfc3339_millis(item.updated_at));
    if (item.indexed_at) {
        object.text("indexed_at", base::rfc3339_millis(*item.indexed_at));
    }
    if (view == View::indexed_asset) {
        object.text("status", domain::name_of(item.status));
    }
    append_system_metadata(object, item, view, detail);
}

Schema system_metadata_schema(View view, Detail detail) {
    std::vector<Property> properties{
        has("filename", schema::text(1).like("\"film.mp4\""), "The asset's filename."),
        may_have("duration", schema::number(0), "Seconds."),
        may_have("fps", schema::number(0), "Frames a second."),
        may_have("width", schema::integer(1), "Pixels."),
        may_have("height", schema::integer(1), "Pixels.")};
    if (!tells_size(view, detail)) {
        return schema::object(std::move(properties));
    }
    properties.push_back(may_have("size", schema::integer(0), "Bytes."));
    return schema::named("SystemMetadata", schema::object(std::move(properties)));
}

std::vector<Property> item_properties(View view, Detail detail) {
    const bool is_video = view == View::video;
    std::vector<Property> properties{
        has("_id", schema::id(),
            is_video ? "The video's identifier." : "The indexed asset's identifier."),
        has("asset_id", schema::id(), "The asset's identifier."),
        has("created_at", schema::time(), "When indexing was asked for."),
        has("updated_at", schema::time(), "When it last changed."),
        may_have("indexed_at", schema::time(), "When indexing ended."),
        has("system_metadata", system_metadata_schema(view, detail),
            "What is known about the media.")};
    if (!is_video) {
        properties.push_back(
            has("status", schema::words({"pending", "queued", "indexing", "ready", "failed"}),
                "How far indexing is."));
    }
    return properties;
}

}  // namespace

void append_stream(JsonObject& object, const IndexedAsset& item, const std::string& base_url,
                   const service::Signer& signer) {
    if (item.stream == domain::StreamStatus::none) {
        return;
    }
    JsonObject hls(object.key("hls"));
    if (item.stream == domain::StreamStatus::complete) {
        hls.text("video_url", manifest_url(base_url, signer, item.asset_id));
        if (item.system_metadata.width) {
            append_array(hls.key("thumbnail_urls"), std::vector{item.id},
                         [&](std::string& out, IndexedAssetId id) {
                             domain::append_json_text(out,
                                                      indexed_thumbnail_url(base_url, signer, id));
                         });
        }
    }
    hls.text("status", domain::name_of(item.stream));
    hls.text("updated_at", base::rfc3339_millis(item.stream_updated_at.value_or(item.updated_at)));
}

void append_item(std::string& out, const IndexedAsset& item, View view) {
    JsonObject object(out);
    append_item_fields(object, item, view, Detail::list);
}

std::string item_detail_json(const IndexedAsset& item, View view, const std::string& base_url,
                             const service::Signer& signer) {
    std::string out;
    {
        JsonObject object(out);
        append_item_fields(object, item, view, Detail::whole);
        const bool tells_state = view == View::indexed_asset;
        if (tells_state && item.status == domain::IndexingStatus::indexing) {
            object.number("progress", item.progress);
        }
        if (!item.user_metadata.empty()) {
            object.raw("user_metadata", domain::metadata_json(item.user_metadata));
        }
        append_stream(object, item, base_url, signer);
        if (tells_state && item.status == domain::IndexingStatus::failed) {
            JsonObject error(object.key("error"));
            error.text("message", item.error_message);
        }
    }
    return out;
}

Schema item_schema(View view) {
    return schema::named(view == View::video ? "Video" : "IndexedAsset",
                         schema::object(item_properties(view, Detail::list)));
}

Schema stream_schema() {
    return schema::named(
        "IndexedAssetHls",
        schema::object(
            {may_have("video_url", schema::url(), "Of the playlist, signed; once complete."),
             may_have("thumbnail_urls", schema::list(schema::url()), "Of pictures, signed."),
             has("status", schema::words({"PROCESSING", "COMPLETE", "CANCELED", "ERROR"}),
                 "How far it is."),
             has("updated_at", schema::time(), "When that last changed.")}));
}

Schema item_detail_schema(View view) {
    auto properties = item_properties(view, Detail::whole);
    properties.push_back(may_have("user_metadata", metadata_schema(), "Absent when empty."));
    properties.push_back(may_have("hls", stream_schema(), "With `enable_video_stream`."));
    if (view == View::video) {
        return schema::named("VideoDetail", schema::object(std::move(properties)));
    }
    properties.push_back(may_have("progress", schema::number(0, 1), "Only while indexing."));
    properties.push_back(may_have("error", failure_schema(), "Why it failed."));
    return schema::named("IndexedAssetDetail", schema::object(std::move(properties)));
}

}  // namespace kinodex::api
