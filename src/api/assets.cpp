// Assets: list, retrieve, delete, user metadata, and the indexed assets of an asset.
#include "api/api.h"
#include "api/asset_wire.h"
#include "api/json_fields.h"
#include "api/page_endpoint.h"
#include "base/utf8.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::Asset;
using domain::AssetId;
using domain::MetadataMode;

constexpr std::size_t kIdsMax = 1000;

struct ListAssets {
    domain::Page page;
    domain::AssetFilter filter;
    bool matches_nothing = false;  // only types that no asset of this server can have
};

struct OneAsset {
    AssetId id;
};

struct DeleteAsset {
    AssetId id;
    bool force = false;
};

struct ChangeAssetMetadata {
    AssetId id;
    std::optional<domain::MetadataChange> change;
};

struct ListReferences {
    AssetId id;
    domain::Page page;
};

constexpr const char* kAssetIdText = "The asset's identifier.";

Field asset_ids_field() {
    Field field;
    field.name = "asset_ids";
    field.read = [](const Values& values, void* params) -> base::Status {
        auto& ids = static_cast<ListAssets*>(params)->filter.ids;
        const auto texts = values.all(In::query, "asset_ids");
        if (texts.size() > kIdsMax) {
            return invalid("asset_ids", "It was given too often.");
        }
        for (const auto text : texts) {
            const auto id = AssetId::parse(text);
            if (!id) {
                return invalid("asset_ids");
            }
            ids.push_back(*id);
        }
        return {};
    };
    return described(std::move(field), schema::list(schema::id(), {}, kIdsMax),
                     "Only these assets; repeat the parameter for several.");
}

Field asset_types_field() {
    Field field;
    field.name = "asset_types";
    field.read = [](const Values& values, void* params) -> base::Status {
        auto& list = *static_cast<ListAssets*>(params);
        const auto words = values.all(In::query, "asset_types");
        for (const auto word : words) {
            if (word == "document") {
                continue;  // a value of newer clients; no asset of this server is one
            }
            const auto type = domain::from_name<domain::AssetType>(word);
            if (!type || *type == domain::AssetType::unknown) {
                return invalid("asset_types",
                               "Use one or more of the following values: image, video, audio.");
            }
            list.filter.types.push_back(*type);
        }
        list.matches_nothing = !words.empty() && list.filter.types.empty();
        return {};
    };
    return described(std::move(field),
                     schema::list(schema::words({"image", "video", "audio", "document"})),
                     "Only assets of these types. No asset of this server is a document.");
}

Field filename_part_field() {
    Field field;
    field.name = "filename";
    field.read = [](const Values& values, void* params) -> base::Status {
        KN_TRY(text, single(values, In::query, "filename"));
        if (text) {
            const auto length = base::utf8_length(*text);
            if (!length || *length > service::kFilenameCharsMax) {
                return invalid("filename", "It must have at most " +
                                               std::to_string(service::kFilenameCharsMax) +
                                               " characters.");
            }
            static_cast<ListAssets*>(params)->filter.filename_part = *text;
        }
        return {};
    };
    return described(std::move(field), schema::text({}, service::kFilenameCharsMax),
                     "Only assets whose filename contains this, whatever the case.");
}

Field force_field() {
    auto parse = [](const Values& values) -> base::Result<bool> {
        KN_TRY(text, single(values, In::query, "force"));
        return text ? parse_flag("force", *text) : base::Result<bool>(false);
    };
    return described(bind_field("force", In::query, &DeleteAsset::force, parse),
                     schema::flag().defaults_to("false"),
                     "Delete the asset even when indexed assets reference it.");
}

Schema reference_schema() {
    auto index = schema::object({has("_id", schema::id(), "The index's identifier."),
                                 has("name", schema::text(1), "Its name.")});
    return schema::named(
        "IndexedAssetReference",
        schema::object({has("_id", schema::id(), "The indexed asset's identifier."),
                        has("index", std::move(index), "The index that it is in.")}));
}

Endpoint change_metadata_endpoint(Services& services, Method method, std::string operation,
                                  MetadataMode mode) {
    const bool merges = mode == MetadataMode::merge;
    return endpoint<ChangeAssetMetadata>(
        {method, "/v1.3/assets/{asset_id}/user-metadata", std::move(operation),
         merges ? "Change the user metadata of an asset" : "Replace the user metadata of an asset",
         merges ? "Keys that are not named stay. `null` removes a key, `\"\"` leaves it as it is."
                : "Keys that are not named are removed."},
        answers_nothing(), {Errc::resource_not_exist},
        {path_id("asset_id", &ChangeAssetMetadata::id, kAssetIdText),
         body_metadata(&ChangeAssetMetadata::change, mode, Presence::required)},
        [&services](Caller caller, ChangeAssetMetadata in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.assets.change_metadata(caller.account, in.id,
                                                                std::move(*in.change)));
            co_return Reply{};
        });
}

Endpoint clear_metadata_endpoint(Services& services) {
    return endpoint<OneAsset>({Method::delete_,
                               "/v1.3/assets/{asset_id}/user-metadata",
                               "assets.delete_user_metadata",
                               "Delete the user metadata of an asset",
                               {}},
                              answers_nothing(), {Errc::resource_not_exist},
                              {path_id("asset_id", &OneAsset::id, kAssetIdText)},
                              [&services](Caller caller, OneAsset in) -> Asked<Reply> {
                                  domain::MetadataChange nothing{MetadataMode::replace, {}};
                                  KN_CO_PASS(co_await services.assets.change_metadata(
                                      caller.account, in.id, std::move(nothing)));
                                  co_return Reply{};
                              });
}

Endpoint list_endpoint(Services& services) {
    return endpoint<ListAssets>(
        {Method::get, "/v1.3/assets", "assets.list", "List assets", "Newest first."},
        answers(200, page_of(asset_detail_schema())), {},
        {page_number(&ListAssets::page), page_limit(&ListAssets::page), asset_ids_field(),
         asset_types_field(), filename_part_field()},
        [&services](Caller caller, ListAssets in) -> Asked<Reply> {
            if (in.matches_nothing) {
                const auto none = [](std::string&, const Asset&) {};
                co_return Reply{page_json(domain::Paged<Asset>{}, in.page, none), {}};
            }
            KN_CO_TRY(paged,
                      co_await services.assets.list(caller.account, std::move(in.filter), in.page));
            const auto write = [&](std::string& out, const Asset& asset) {
                append_asset_detail(out, asset, caller.base_url, services.signer);
            };
            co_return Reply{page_json(paged, in.page, write), {}};
        });
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneAsset>(
        {Method::get, "/v1.3/assets/{asset_id}", "assets.retrieve", "Retrieve an asset", {}},
        answers(200, asset_detail_schema()), {Errc::resource_not_exist},
        {path_id("asset_id", &OneAsset::id, kAssetIdText)},
        [&services](Caller caller, OneAsset in) -> Asked<Reply> {
            KN_CO_TRY(asset, co_await services.assets.find(caller.account, in.id));
            Reply reply;
            append_asset_detail(reply.json, asset, caller.base_url, services.signer);
            co_return reply;
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<DeleteAsset>(
        {Method::delete_, "/v1.3/assets/{asset_id}", "assets.delete", "Delete an asset",
         "Its file, playlists and thumbnails go with it. With `force`, indexed assets that "
         "reference "
         "it stay and keep their data."},
        answers_nothing(), {Errc::resource_not_exist, Errc::asset_in_use},
        {path_id("asset_id", &DeleteAsset::id, kAssetIdText), force_field()},
        [&services](Caller caller, DeleteAsset in) -> Asked<Reply> {
            const auto mode =
                in.force ? store::DeleteMode::force : store::DeleteMode::refuse_when_referenced;
            KN_CO_PASS(co_await services.assets.remove(caller.account, in.id, mode));
            co_return Reply{};
        });
}

void append_reference(std::string& out, const domain::IndexedAssetReference& item) {
    JsonObject object(out);
    object.text("_id", item.id.text());
    JsonObject index(object.key("index"));
    index.text("_id", item.index_id.text());
    index.text("name", item.index_name);
}

Endpoint references_endpoint(Services& services) {
    return page_endpoint<ListReferences>(
        {Method::get, "/v1.3/assets/{asset_id}/indexed-assets", "assets.list_indexed_assets",
         "List the indexed assets of an asset", "Every index that the asset is in."},
        reference_schema(), {Errc::resource_not_exist},
        {path_id("asset_id", &ListReferences::id, kAssetIdText), page_number(&ListReferences::page),
         page_limit(&ListReferences::page)},
        append_reference, [&services](domain::AccountId account, const ListReferences& in) {
            return services.assets.references(account, in.id, in.page);
        });
}

}  // namespace

std::vector<Endpoint> asset_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(delete_endpoint(services));
    endpoints.push_back(references_endpoint(services));
    endpoints.push_back(change_metadata_endpoint(
        services, Method::patch, "assets.update_user_metadata", MetadataMode::merge));
    endpoints.push_back(change_metadata_endpoint(
        services, Method::put, "assets.replace_user_metadata", MetadataMode::replace));
    endpoints.push_back(clear_metadata_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
