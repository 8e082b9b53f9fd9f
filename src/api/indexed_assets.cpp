// Indexed assets: index an asset, list with every filter, retrieve, tag, delete. Videos are those
// that are ready, under their older name.
#include "api/api.h"
#include "api/indexed_asset_fields.h"
#include "api/json_fields.h"
#include "api/wire.h"

namespace kinodex::api {
namespace {

using domain::IndexedAsset;
using domain::IndexedAssetId;
using domain::IndexId;

struct CreateItem {
    IndexId index;
    std::string asset_id;
    bool enable_video_stream = false;
    std::optional<domain::MetadataChange> user_metadata;
};

struct ChangeItem {
    IndexId index;
    IndexedAssetId id;
    std::optional<domain::MetadataChange> change;
};

/// What the two names of the same resource differ in.
struct Words {
    View view;
    const char* items;  // the path of the list
    const char* item;   // of one
    const char* id;     // its placeholder
    const char* id_text;
    const char* collection;  // in errors
    std::string resource;    // in operation names
    std::string noun;
};

Words words_of(View view) {
    if (view == View::video) {
        return {view,
                "/v1.3/indexes/{index-id}/videos",
                "/v1.3/indexes/{index-id}/videos/{video-id}",
                "video-id",
                "The video's identifier.",
                "videos",
                "videos",
                "video"};
    }
    return {view,
            "/v1.3/indexes/{index-id}/indexed-assets",
            "/v1.3/indexes/{index-id}/indexed-assets/{indexed-asset-id}",
            "indexed-asset-id",
            "The indexed asset's identifier.",
            "indexed-assets",
            "indexed_assets",
            "indexed asset"};
}

/// Says what does not exist by the name under which it was asked for.
template <class T>
base::Result<T> named_by(const Words& words, base::Result<T> result) {
    if (!result && result.error().value("collection_name") == "indexed-assets") {
        for (auto& value : result.error().values) {
            if (value.name == "collection_name") {
                value.text = words.collection;
            }
        }
    }
    return result;
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
            Errc::quota_exceeded,
            Errc::media_beyond_rate_limit};
}

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateItem>(
        {Method::post, words_of(View::indexed_asset).items, "indexed_assets.create",
         "Index an asset",
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

Endpoint list_endpoint(Services& services, const Words& words) {
    const auto view = words.view;
    return endpoint<ListItems>(
        {Method::get, words.items, words.resource + ".list", "List " + words.noun + "s",
         view == View::video ? "Only those that are ready." : ""},
        answers(200, page_of(item_schema(view))), {Errc::resource_not_exist},
        list_item_fields(view), [&services, view](Caller caller, ListItems in) -> Asked<Reply> {
            if (view == View::video) {
                in.filter.statuses = {domain::IndexingStatus::ready};
            }
            KN_CO_TRY(paged, co_await services.indexes.store().list_indexed_assets(
                                 caller.account, in.index, std::move(in.filter), in.page));
            const auto write = [view](std::string& out, const IndexedAsset& item) {
                append_item(out, item, view);
            };
            co_return Reply{page_json(paged, in.page, write), {}};
        });
}

Endpoint retrieve_endpoint(Services& services, const Words& words) {
    std::vector<Field> fields{path_id("index-id", &OneItem::index, kIndexIdText),
                              path_id(words.id, &OneItem::id, words.id_text)};
    for (auto& field : item_part_fields()) {
        fields.push_back(std::move(field));
    }
    return endpoint<OneItem>(
        {Method::get, words.item, words.resource + ".retrieve", "Retrieve one " + words.noun, {}},
        answers(200, item_detail_schema(words.view)),
        {Errc::resource_not_exist, Errc::feature_not_available}, std::move(fields),
        [&services, words](Caller caller, OneItem in) -> Asked<Reply> {
            KN_CO_PASS(check_item_parts(in));
            auto& store = services.indexes.store();
            auto found = co_await store.find_indexed_asset(caller.account, in.index, in.id);
            KN_CO_TRY(item, named_by(words, std::move(found)));
            co_return Reply{item_detail_json(item, words.view, caller.base_url, services.signer),
                            {}};
        });
}

Endpoint change_endpoint(Services& services, const Words& words, Method method) {
    const bool by_put = method == Method::put;
    return endpoint<ChangeItem>(
        {method, words.item, words.resource + (by_put ? ".update_by_put" : ".update"),
         "Change the user metadata of one " + words.noun + (by_put ? " by PUT" : ""),
         "Keys that are not named stay. `null` removes a key, `\"\"` leaves it as it is."},
        answers_nothing(), {Errc::resource_not_exist},
        {path_id("index-id", &ChangeItem::index, kIndexIdText),
         path_id(words.id, &ChangeItem::id, words.id_text),
         body_metadata(&ChangeItem::change, domain::MetadataMode::merge, Presence::optional)},
        [&services, words](Caller caller, ChangeItem in) -> Asked<Reply> {
            auto& store = services.indexes.store();
            if (!in.change) {  // nothing to change, but the item must be there
                auto found = co_await store.find_indexed_asset(caller.account, in.index, in.id);
                KN_CO_PASS(named_by(words, std::move(found)));
                co_return Reply{};
            }
            auto changed = co_await store.change_indexed_asset_metadata(
                caller.account, in.index, in.id, std::move(*in.change));
            KN_CO_PASS(named_by(words, std::move(changed)));
            co_return Reply{};
        });
}

Endpoint delete_endpoint(Services& services, const Words& words) {
    return endpoint<ChangeItem>({Method::delete_, words.item, words.resource + ".delete",
                                 "Delete one " + words.noun, "The asset stays."},
                                answers_nothing(), {Errc::resource_not_exist},
                                {path_id("index-id", &ChangeItem::index, kIndexIdText),
                                 path_id(words.id, &ChangeItem::id, words.id_text)},
                                [&services, words](Caller caller, ChangeItem in) -> Asked<Reply> {
                                    auto removed = co_await services.indexes.remove_item(
                                        caller.account, in.index, in.id);
                                    KN_CO_PASS(named_by(words, std::move(removed)));
                                    co_return Reply{};
                                });
}

/// What both names have.
void add_shared(std::vector<Endpoint>& endpoints, Services& services, View view) {
    const auto words = words_of(view);
    endpoints.push_back(list_endpoint(services, words));
    endpoints.push_back(retrieve_endpoint(services, words));
    endpoints.push_back(change_endpoint(services, words, Method::patch));
    // The documentation calls the same change PUT in places.
    endpoints.push_back(change_endpoint(services, words, Method::put));
    endpoints.push_back(delete_endpoint(services, words));
}

}  // namespace

std::vector<Endpoint> indexed_asset_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(counted_as(service::RateCategory::index, create_endpoint(services)));
    add_shared(endpoints, services, View::indexed_asset);
    return endpoints;
}

std::vector<Endpoint> video_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    add_shared(endpoints, services, View::video);
    return endpoints;
}

}  // namespace kinodex::api
