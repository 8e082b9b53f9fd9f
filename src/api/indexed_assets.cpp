// Indexed assets: index an asset, list with every filter, retrieve, tag, delete.
#include <algorithm>

#include "api/api.h"
#include "api/json_fields.h"
#include "api/links.h"
#include "api/wire.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::IndexedAsset;
using domain::IndexedAssetId;
using domain::IndexId;

constexpr const char* kIndexIdText = "The index's identifier.";
constexpr const char* kIdText = "The indexed asset's identifier.";
constexpr const char* kItemsPattern = "/v1.3/indexes/{index-id}/indexed-assets";
constexpr const char* kItemPattern = "/v1.3/indexes/{index-id}/indexed-assets/{indexed-asset-id}";

struct CreateItem {
    IndexId index;
    std::string asset_id;
    bool enable_video_stream = false;
    std::optional<domain::MetadataChange> user_metadata;
};

struct ListItems {
    IndexId index;
    domain::Page page;
    domain::IndexedAssetFilter filter;
};

struct OneItem {
    IndexId index;
    IndexedAssetId id;
    bool wants_embedding = false;
    bool wants_transcription = false;
};

struct ChangeItem {
    IndexId index;
    IndexedAssetId id;
    std::optional<domain::MetadataChange> change;
};

void append_system_metadata(JsonObject& object, const IndexedAsset& item) {
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
    if (known.size_bytes && is_ready) {
        system.integer("size", *known.size_bytes);
    }
}

void append_item_fields(JsonObject& object, const IndexedAsset& item) {
    object.text("_id", item.id.text());
    object.text("asset_id", item.asset_id.text());
    object.text("created_at", base::rfc3339_millis(item.created_at));
    object.text("updated_at", base::rfc3339_millis(item.updated_at));
    if (item.indexed_at) {
        object.text("indexed_at", base::rfc3339_millis(*item.indexed_at));
    }
    object.text("status", domain::name_of(item.status));
    append_system_metadata(object, item);
}

void append_stream(JsonObject& object, const IndexedAsset& item, const std::string& base_url,
                   const service::Signer& signer) {
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

std::string item_detail_json(const IndexedAsset& item, const std::string& base_url,
                             const service::Signer& signer) {
    std::string out;
    {
        JsonObject object(out);
        append_item_fields(object, item);
        if (item.status == domain::IndexingStatus::indexing) {
            object.number("progress", item.progress);
        }
        if (!item.user_metadata.empty()) {
            object.raw("user_metadata", domain::metadata_json(item.user_metadata));
        }
        if (item.stream != domain::StreamStatus::none) {
            append_stream(object, item, base_url, signer);
        }
        if (item.status == domain::IndexingStatus::failed) {
            JsonObject error(object.key("error"));
            error.text("message", item.error_message);
        }
    }
    return out;
}

Schema system_metadata_schema() {
    return schema::named("SystemMetadata",
                         schema::object({has("filename", schema::text(1).like("\"film.mp4\""),
                                             "The asset's filename."),
                                         may_have("duration", schema::number(0), "Seconds."),
                                         may_have("fps", schema::number(0), "Frames a second."),
                                         may_have("width", schema::integer(1), "Pixels."),
                                         may_have("height", schema::integer(1), "Pixels."),
                                         may_have("size", schema::integer(0), "Bytes.")}));
}

std::vector<Property> item_properties() {
    return {has("_id", schema::id(), "The indexed asset's identifier."),
            has("asset_id", schema::id(), "The asset's identifier."),
            has("created_at", schema::time(), "When indexing was asked for."),
            has("updated_at", schema::time(), "When it last changed."),
            may_have("indexed_at", schema::time(), "When indexing ended."),
            has("status", schema::words({"pending", "queued", "indexing", "ready", "failed"}),
                "How far indexing is."),
            has("system_metadata", system_metadata_schema(), "What is known about the media.")};
}

Schema item_schema() {
    return schema::named("IndexedAsset", schema::object(item_properties()));
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

Schema item_detail_schema() {
    auto properties = item_properties();
    properties.push_back(may_have("progress", schema::number(0, 1), "Only while indexing."));
    properties.push_back(may_have("user_metadata", metadata_schema(), "Absent when empty."));
    properties.push_back(may_have("hls", stream_schema(), "With `enable_video_stream`."));
    properties.push_back(may_have("error", failure_schema(), "Why it failed."));
    return schema::named("IndexedAssetDetail", schema::object(std::move(properties)));
}

/// What the media of an asset may be refused for.
std::vector<Errc> create_errors() {
    return {Errc::resource_not_exist,
            Errc::asset_not_ready,
            Errc::asset_type_unsupported,
            Errc::video_resolution_too_low,
            Errc::video_resolution_too_high,
            Errc::video_resolution_invalid_aspect_ratio,
            Errc::video_duration_too_short,
            Errc::video_duration_too_long,
            Errc::video_filesize_too_large,
            Errc::audio_duration_too_short,
            Errc::audio_duration_too_long,
            Errc::audio_filesize_too_large,
            Errc::quota_exceeded};
}

/// Binds a reader of query values to the filter of ListItems.
Field filter_field(Field field,
                   std::function<base::Status(const Values&, domain::IndexedAssetFilter&)> read) {
    field.read = [read = std::move(read)](const Values& values, void* params) {
        return read(values, static_cast<ListItems*>(params)->filter);
    };
    return field;
}

Field query_field(std::string name, Schema schema, std::string text) {
    return part(std::move(name), In::query, Presence::optional, std::move(schema), std::move(text));
}

/// `validating` and `uploading` are states of upload tasks; no indexed asset ever has them.
base::Status read_statuses(const Values& values, domain::IndexedAssetFilter& filter) {
    const auto words = values.all(In::query, "status");
    for (const auto word : words) {
        if (word == "validating" || word == "uploading") {
            continue;
        }
        const auto status = domain::from_name<domain::IndexingStatus>(word);
        if (!status) {
            return invalid("status",
                           "Use one or more of the following values: ready, pending, queued, "
                           "indexing, failed.");
        }
        if (std::ranges::find(filter.statuses, *status) == filter.statuses.end()) {
            filter.statuses.push_back(*status);
        }
    }
    filter.matches_nothing = !words.empty() && filter.statuses.empty();
    return {};
}

base::Status read_sort(const Values& values, domain::IndexedAssetFilter& filter) {
    KN_TRY(by, single(values, In::query, "sort_by"));
    if (by && *by != "created_at" && *by != "updated_at") {
        return invalid("sort_by", "Use created_at or updated_at.");
    }
    filter.sort_by = by.value_or("created_at") == "created_at" ? domain::SortBy::created_at
                                                               : domain::SortBy::updated_at;
    return {};
}

base::Status read_order(const Values& values, domain::IndexedAssetFilter& filter) {
    KN_TRY(order, single(values, In::query, "sort_option"));
    if (order && *order != "asc" && *order != "desc") {
        return invalid("sort_option", "Use asc or desc.");
    }
    filter.order =
        order.value_or("desc") == "asc" ? domain::SortOrder::asc : domain::SortOrder::desc;
    return {};
}

Field range_field(std::string name, domain::NumberRange domain::IndexedAssetFilter::* member,
                  std::string text) {
    auto field = query_field(name, range_schema(), std::move(text));
    field.takes_brackets = true;
    return filter_field(
        std::move(field),
        [name, member](const Values& values, domain::IndexedAssetFilter& filter) -> base::Status {
            KN_TRY(range, parse_range(values, name));
            filter.*member = range;
            return {};
        });
}

Field time_field(std::string name,
                 std::optional<base::Timestamp> domain::IndexedAssetFilter::* member,
                 std::string text) {
    return filter_field(
        query_field(name, schema::time(), std::move(text)),
        [name, member](const Values& values, domain::IndexedAssetFilter& filter) -> base::Status {
            KN_TRY(value, single(values, In::query, name));
            if (value) {
                KN_TRY(time, parse_time(name, *value));
                filter.*member = time;
            }
            return {};
        });
}

std::vector<Field> filter_fields() {
    using Filter = domain::IndexedAssetFilter;
    std::vector<Field> fields;
    const auto by = schema::words({"created_at", "updated_at"}).defaults_to("\"created_at\"");
    const auto order = schema::words({"asc", "desc"}).defaults_to("\"desc\"");
    const auto statuses = schema::list(schema::words(
        {"ready", "pending", "queued", "indexing", "failed", "validating", "uploading"}));
    fields.push_back(filter_field(query_field("sort_by", by, "What to sort by."), read_sort));
    fields.push_back(filter_field(query_field("sort_option", order, "The direction."), read_order));
    fields.push_back(filter_field(
        query_field("status", statuses,
                    "Only items in one of these states; no item is ever validating or uploading."),
        read_statuses));
    fields.push_back(
        filter_field(query_field("filename", schema::text(), "Only items with this filename."),
                     [](const Values& values, Filter& filter) -> base::Status {
                         KN_TRY(value, single(values, In::query, "filename"));
                         if (value) {
                             filter.filename = std::string(*value);
                         }
                         return {};
                     }));
    fields.push_back(range_field("duration", &Filter::duration_sec, "Seconds."));
    fields.push_back(range_field("fps", &Filter::fps, "Frames a second."));
    fields.push_back(range_field("width", &Filter::width, "Pixels."));
    fields.push_back(range_field("height", &Filter::height, "Pixels."));
    fields.push_back(range_field("size", &Filter::size_bytes, "Bytes."));
    fields.push_back(
        time_field("created_at", &Filter::created_from, "Created at or after this time."));
    fields.push_back(
        time_field("updated_at", &Filter::updated_from, "Updated at or after this time."));
    return fields;
}

std::vector<Field> list_fields() {
    std::vector<Field> fields{path_id("index-id", &ListItems::index, kIndexIdText),
                              page_number(&ListItems::page), page_limit(&ListItems::page)};
    for (auto& field : filter_fields()) {
        fields.push_back(std::move(field));
    }
    auto metadata =
        query_field("user_metadata",
                    schema::map(schema::any_of({schema::text(), schema::number(), schema::flag()})),
                    "Only items with this metadata: a JSON object, "
                    "user_metadata[key]=value, or key=value.");
    metadata.takes_brackets = true;
    metadata.takes_the_rest = true;
    auto declared = std::make_shared<const std::vector<Field>>(fields);
    fields.push_back(filter_field(
        std::move(metadata),
        [declared](const Values& values, domain::IndexedAssetFilter& filter) -> base::Status {
            const auto claimed = [&](std::string_view key) { return claims(*declared, key); };
            KN_TRY(conditions, parse_conditions(values, claimed));
            filter.metadata = std::move(conditions);
            return {};
        }));
    return fields;
}

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateItem>(
        {Method::post, kItemsPattern, "indexed_assets.create", "Index an asset",
         "Answers at once; retrieve the indexed asset until its status is `ready` or `failed`."},
        answers(202, schema::object({has("_id", schema::id(), "The indexed asset's identifier."),
                                     has("asset_id", schema::id(), "The asset's identifier.")}))
            .making("indexed-asset-id")
            .with_location(),
        create_errors(),
        {path_id("index-id", &CreateItem::index, kIndexIdText),
         body_text("asset_id", &CreateItem::asset_id, schema::id(), "An asset that is ready."),
         body_flag("enable_video_stream", &CreateItem::enable_video_stream,
                   "Whether to make it playable."),
         body_metadata(&CreateItem::user_metadata, domain::MetadataMode::merge,
                       Presence::optional)},
        [&services](Caller caller, CreateItem in) -> Asked<Reply> {
            const auto asset = domain::AssetId::parse(in.asset_id);
            if (!asset) {
                co_return invalid("asset_id");
            }
            service::NewIndexedAsset wanted{*asset, in.enable_video_stream,
                                            std::move(in.user_metadata)};
            KN_CO_TRY(id,
                      co_await services.indexes.add(caller.account, in.index, std::move(wanted)));
            Reply reply;
            {
                JsonObject object(reply.json);
                object.text("_id", id.text());
                object.text("asset_id", in.asset_id);
            }
            reply.location = "/indexes/" + in.index.text() + "/indexed-assets/" + id.text();
            co_return reply;
        });
}

Endpoint list_endpoint(Services& services) {
    return endpoint<ListItems>(
        {Method::get, kItemsPattern, "indexed_assets.list", "List indexed assets", {}},
        answers(200, page_of(item_schema())), {Errc::resource_not_exist}, list_fields(),
        [&services](Caller caller, ListItems in) -> Asked<Reply> {
            KN_CO_TRY(paged, co_await services.indexes.store().list_indexed_assets(
                                 caller.account, in.index, std::move(in.filter), in.page));
            const auto write = [](std::string& out, const IndexedAsset& item) {
                JsonObject object(out);
                append_item_fields(object, item);
            };
            co_return Reply{page_json(paged, in.page, write), {}};
        });
}

Field embedding_option_field() {
    auto parse = [](const Values& values) -> base::Result<bool> {
        const auto options = values.all(In::query, "embedding_option");
        for (const auto option : options) {
            if (option != "visual" && option != "audio" && option != "transcription" &&
                option != "visual-text") {
                return invalid("embedding_option",
                               "Use one or more of the following values: visual, audio, "
                               "transcription.");
            }
        }
        return !options.empty();
    };
    return described(
        bind_field("embedding_option", In::query, &OneItem::wants_embedding, parse),
        schema::list(schema::words({"visual", "audio", "transcription", "visual-text"})),
        "Which embeddings to include. This server has no model that makes them and "
        "says so.");
}

Field transcription_field() {
    auto parse = [](const Values& values) -> base::Result<bool> {
        KN_TRY(text, single(values, In::query, "transcription"));
        return text ? parse_flag("transcription", *text) : base::Result<bool>(false);
    };
    return described(bind_field("transcription", In::query, &OneItem::wants_transcription, parse),
                     schema::flag().defaults_to("false"),
                     "Whether to include the transcription. This server has no model that makes "
                     "one and says so.");
}

/// Embeddings and transcriptions need models that this server does not have: it says so.
base::Status check_parts(const OneItem& in) {
    if (in.wants_embedding || in.wants_transcription) {
        return base::fail(base::Errc::feature_not_available,
                          {{"parameter", in.wants_embedding ? "embedding_option" : "transcription"},
                           {"reason", "This server has no model that makes it."}});
    }
    return {};
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneItem>(
        {Method::get, kItemPattern, "indexed_assets.retrieve", "Retrieve an indexed asset", {}},
        answers(200, item_detail_schema()), {Errc::resource_not_exist, Errc::feature_not_available},
        {path_id("index-id", &OneItem::index, kIndexIdText),
         path_id("indexed-asset-id", &OneItem::id, kIdText), embedding_option_field(),
         transcription_field()},
        [&services](Caller caller, OneItem in) -> Asked<Reply> {
            KN_CO_PASS(check_parts(in));
            KN_CO_TRY(item, co_await services.indexes.store().find_indexed_asset(caller.account,
                                                                                 in.index, in.id));
            co_return Reply{item_detail_json(item, caller.base_url, services.signer), {}};
        });
}

Endpoint change_endpoint(Services& services, Method method, std::string operation) {
    return endpoint<ChangeItem>(
        {method, kItemPattern, std::move(operation),
         method == Method::patch ? "Change the user metadata of an indexed asset"
                                 : "Change the user metadata of an indexed asset by PUT",
         "Keys that are not named stay. `null` removes a key, `\"\"` leaves it as it is."},
        answers_nothing(), {Errc::resource_not_exist},
        {path_id("index-id", &ChangeItem::index, kIndexIdText),
         path_id("indexed-asset-id", &ChangeItem::id, kIdText),
         body_metadata(&ChangeItem::change, domain::MetadataMode::merge, Presence::optional)},
        [&services](Caller caller, ChangeItem in) -> Asked<Reply> {
            auto& store = services.indexes.store();
            if (!in.change) {  // nothing to change, but the item must be there
                KN_CO_TRY(item, co_await store.find_indexed_asset(caller.account, in.index, in.id));
                (void)item;
                co_return Reply{};
            }
            KN_CO_PASS(co_await store.change_indexed_asset_metadata(caller.account, in.index, in.id,
                                                                    std::move(*in.change)));
            co_return Reply{};
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<ChangeItem>(
        {Method::delete_, kItemPattern, "indexed_assets.delete", "Delete an indexed asset",
         "The asset stays."},
        answers_nothing(), {Errc::resource_not_exist},
        {path_id("index-id", &ChangeItem::index, kIndexIdText),
         path_id("indexed-asset-id", &ChangeItem::id, kIdText)},
        [&services](Caller caller, ChangeItem in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.indexes.remove_item(caller.account, in.index, in.id));
            co_return Reply{};
        });
}

}  // namespace

std::vector<Endpoint> indexed_asset_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(counted_as(service::RateCategory::index, create_endpoint(services)));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(change_endpoint(services, Method::patch, "indexed_assets.update"));
    // The documentation calls the same change PUT in places.
    endpoints.push_back(change_endpoint(services, Method::put, "indexed_assets.update_by_put"));
    endpoints.push_back(delete_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
