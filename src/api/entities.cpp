// Entities: create one or many, list, retrieve, change, delete, their assets, and the entities of
// an asset.
#include "api/api.h"
#include "api/entity_fields.h"
#include "api/error_table.h"
#include "api/page_endpoint.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

using domain::AssetId;
using domain::Entity;
using domain::EntityCollectionId;
using domain::EntityId;
using domain::EntityStatus;

constexpr const char* kEntities = "/v1.3/entity-collections/{entity_collection_id}/entities";
constexpr const char* kBulk = "/v1.3/entity-collections/{entity_collection_id}/entities/bulk";
constexpr const char* kEntity =
    "/v1.3/entity-collections/{entity_collection_id}/entities/{entity_id}";
constexpr const char* kEntityAssets =
    "/v1.3/entity-collections/{entity_collection_id}/entities/{entity_id}/assets";
constexpr auto kAssetsMax = static_cast<std::int64_t>(domain::kEntityAssetsMax);

struct CreateEntity : service::NewEntity {
    EntityCollectionId collection;
};

/// What one element of a bulk request came to, and the name it gave.
struct BulkElement {
    std::string name;
    base::Result<service::NewEntity> wanted;
};

struct CreateMany {
    EntityCollectionId collection;
    std::vector<BulkElement> elements;
};

struct ListEntities : NamedList {
    EntityCollectionId collection;
    std::optional<EntityStatus> status;
};

struct OneEntity {
    EntityCollectionId collection;
    EntityId id;
};

struct ChangeEntity : OneEntity {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<domain::MetadataChange> metadata;
};

struct EntityAssets : OneEntity {
    std::vector<AssetId> asset_ids;
};

struct ListByAsset {
    AssetId asset;
    domain::Page page;
};

void append_entity(std::string& out, const Entity& entity) {
    JsonObject object(out);
    object.text("_id", entity.id.text());
    object.text("entity_collection_id", entity.entity_collection_id.text());
    object.text("name", entity.name);
    if (!entity.description.empty()) {
        object.text("description", entity.description);
    }
    if (!entity.metadata.empty()) {
        object.raw("metadata", domain::metadata_json(entity.metadata));
    }
    append_array(object.key("asset_ids"), entity.asset_ids, [](std::string& to, const AssetId& id) {
        domain::append_json_text(to, id.text());
    });
    object.text("status", domain::name_of(entity.status));
    if (!entity.error_message.empty()) {
        JsonObject error(object.key("error"));
        error.text("message", entity.error_message);
    }
    object.text("created_at", base::rfc3339_seconds(entity.created_at));
    object.text("updated_at", base::rfc3339_seconds(entity.updated_at));
}

Reply reply_of(const Entity& entity) {
    Reply reply;
    append_entity(reply.json, entity);
    return reply;
}

Schema status_schema() {
    return schema::words({"processing", "ready"});
}

Schema entity_schema() {
    return schema::named(
        "Entity",
        schema::object(
            {has("_id", schema::id(), "The entity's identifier."),
             has("entity_collection_id", schema::id(), "The collection it is in."),
             has("name", entity_name_schema(), "Its name."),
             may_have("description", schema::text(1), "Absent when empty."),
             may_have("metadata", metadata_schema(), "Absent when empty."),
             has("asset_ids", schema::list(schema::id(), {}, kAssetsMax),
                 "Its reference images; none when every one of them was deleted."),
             has("status", status_schema(), "Ready once its reference images were looked at."),
             may_have("error", failure_schema(), "Why it stays `processing`."),
             has("created_at", schema::time(), "When it was created."),
             has("updated_at", schema::time(), "When it last changed.")}));
}

/// What a request says about a new entity, alone or among many.
template <class P>
std::vector<Field> new_entity_fields() {
    return {
        body_text<P>("name", &P::name, entity_name_schema(), "Its name."),
        body_text_if<P>("description", &P::description, entity_description_schema(),
                        "What else to say of it."),
        body_metadata<P>(&P::metadata, domain::MetadataMode::whole, Presence::optional, "metadata"),
        body_ids<P, AssetId>("asset_ids", &P::asset_ids, kAssetsMax,
                             "Images of it; they may still be processing.")};
}

/// The same as one element of a list that is created: a closed object.
Schema new_entity_schema() {
    std::vector<Property> properties;
    for (auto& field : new_entity_fields<service::NewEntity>()) {
        properties.push_back({field.name, field.schema, field.required, field.text});
    }
    return schema::named("NewEntity", schema::closed_object(std::move(properties)));
}

base::Result<service::NewEntity> read_element(const std::vector<Field>& fields,
                                              const Values& values) {
    KN_PASS(check_names(fields, values));
    service::NewEntity wanted;
    for (const auto& field : fields) {
        KN_PASS(field.read(values, &wanted));
    }
    return wanted;
}

base::Result<std::vector<BulkElement>> read_elements(const Values& request) {
    constexpr const char* kName = "entities";
    const auto raw = body_value(request, kName);
    if (!raw) {
        return missing(kName);
    }
    const auto texts = json_elements(*raw);
    if (!texts || texts->empty() || texts->size() > service::kEntitiesAtOnceMax) {
        return invalid(kName, "It must be a list of 1 to " +
                                  std::to_string(service::kEntitiesAtOnceMax) + " entities.");
    }
    const auto fields = new_entity_fields<service::NewEntity>();
    const http::QueryPairs no_query;
    std::vector<BulkElement> elements;
    for (const auto text : *texts) {
        auto members = parse_members(text);
        if (!members) {
            elements.push_back({"", invalid(kName, "Each entity must be an object.")});
            continue;
        }
        Values values;
        values.query = &no_query;
        values.json = std::move(*members);
        const auto name = body_value(values, "name");
        elements.push_back(
            {name ? json_text(*name).value_or("") : "", read_element(fields, values)});
    }
    return elements;
}

Field elements_field() {
    auto field = bind_field("entities", In::json, &CreateMany::elements, &read_elements);
    field.required = true;
    // Anything is taken, for what is wrong with one entity fails that one and not the request.
    return described(
        std::move(field),
        schema::list(schema::any_of({new_entity_schema(), schema::anything()}), 1,
                     service::kEntitiesAtOnceMax),
        "Each is created, or not, by itself; one that is not as described fails alone.");
}

Schema bulk_schema() {
    const auto made = schema::object({has("_id", schema::id(), "The entity's identifier."),
                                      has("name", entity_name_schema(), "Its name."),
                                      has("status", status_schema(), "As of now.")});
    const auto refused =
        schema::object({has("entity_index", schema::integer(0), "Its place in the request."),
                        has("entity_name", schema::text(), "The name that was given."),
                        has("error_reason", schema::text(1), "Why it was not created.")});
    return schema::object({has("success_count", schema::integer(0), "Entities created."),
                           has("failed_count", schema::integer(0), "Entities not created."),
                           has("entities", schema::list(made), "Those created, in order."),
                           has("errors", schema::list(refused), "Those not created, in order.")});
}

template <class P>
Field collection_field(EntityCollectionId P::* member) {
    return path_id<P, EntityCollectionId>("entity_collection_id", member, kCollectionIdText);
}

/// Both ids of a path.
template <class P>
std::vector<Field> entity_fields() {
    return {collection_field<P>(&P::collection),
            path_id<P, EntityId>("entity_id", &P::id, "The entity's identifier.")};
}

std::vector<Field> with(std::vector<Field> fields, std::vector<Field> more) {
    for (auto& each : more) {
        fields.push_back(std::move(each));
    }
    return fields;
}

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateEntity>(
        {Method::post, kEntities, "entities.create", "Create an entity",
         "It is `processing` until its reference images were looked at."},
        answers(201, entity_schema()).making("entity_id"), {Errc::resource_not_exist},
        with({collection_field(&CreateEntity::collection)}, new_entity_fields<CreateEntity>()),
        [&services](Caller caller, CreateEntity in) -> Asked<Reply> {
            const auto collection = in.collection;
            service::NewEntity wanted = std::move(in);
            KN_CO_TRY(made, co_await services.entities.create(caller.account, collection,
                                                              std::move(wanted)));
            co_return reply_of(made);
        });
}

/// The answer of a bulk request.
std::string bulk_json(const std::vector<std::string>& names,
                      const std::vector<base::Result<Entity>>& outcomes) {
    std::string made;
    std::string refused;
    std::int64_t made_count = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto& outcome = outcomes[i];
        auto& list = outcome ? made : refused;
        list += list.empty() ? "" : ",";
        JsonObject object(list);
        if (outcome) {
            ++made_count;
            object.text("_id", outcome->id.text());
            object.text("name", outcome->name);
            object.text("status", domain::name_of(outcome->status));
        } else {
            object.integer("entity_index", static_cast<std::int64_t>(i));
            object.text("entity_name", names[i]);
            object.text("error_reason", message_of(outcome.error()));
        }
    }
    std::string out;
    {
        JsonObject object(out);
        object.integer("success_count", made_count);
        object.integer("failed_count", static_cast<std::int64_t>(outcomes.size()) - made_count);
        object.raw("entities", "[" + made + "]");
        object.raw("errors", "[" + refused + "]");
    }
    return out;
}

Endpoint bulk_endpoint(Services& services) {
    return endpoint<CreateMany>(
        {Method::post, kBulk, "entities.create_bulk", "Create entities in bulk",
         "Those that can be created are, whatever becomes of the others."},
        answers(201, bulk_schema()), {Errc::resource_not_exist},
        {collection_field(&CreateMany::collection), elements_field()},
        [&services](Caller caller, CreateMany in) -> Asked<Reply> {
            std::vector<std::string> names;
            std::vector<base::Result<service::NewEntity>> wanted;
            for (auto& each : in.elements) {
                names.push_back(std::move(each.name));
                wanted.push_back(std::move(each.wanted));
            }
            KN_CO_TRY(outcomes, co_await services.entities.create_many(
                                    caller.account, in.collection, std::move(wanted)));
            co_return Reply{bulk_json(names, outcomes), {}};
        });
}

Endpoint list_endpoint(Services& services) {
    using Status = std::optional<EntityStatus>;
    return page_endpoint<ListEntities>(
        {Method::get, kEntities, "entities.list", "List the entities of a collection", {}},
        entity_schema(), {Errc::resource_not_exist},
        with({collection_field(&ListEntities::collection),
              query_choice<ListEntities, Status>(
                  "status", &ListEntities::status,
                  {{"processing", EntityStatus::processing}, {"ready", EntityStatus::ready}},
                  "Only those with this status.")},
             named_list_fields<ListEntities>()),
        append_entity, [&services](domain::AccountId account, const ListEntities& in) {
            auto filter = filter_of(in);
            filter.status = in.status;
            return services.entities.store().list_entities(account, in.collection,
                                                           std::move(filter), in.page);
        });
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneEntity>(
        {Method::get, kEntity, "entities.retrieve", "Retrieve an entity", {}},
        answers(200, entity_schema()), {Errc::resource_not_exist}, entity_fields<OneEntity>(),
        [&services](Caller caller, OneEntity in) -> Asked<Reply> {
            KN_CO_TRY(found, co_await services.entities.store().find_entity(caller.account,
                                                                            in.collection, in.id));
            co_return reply_of(found);
        });
}

Endpoint change_endpoint(Services& services) {
    return endpoint<ChangeEntity>(
        {Method::patch, kEntity, "entities.update", "Change an entity",
         "What is left out stays as it is; metadata is replaced whole. Assets are not touched."},
        answers(200, entity_schema()), {Errc::resource_not_exist},
        with(entity_fields<ChangeEntity>(),
             {body_text_if("name", &ChangeEntity::name, entity_name_schema(), "The new name."),
              body_text_if("description", &ChangeEntity::description, entity_description_schema(),
                           "The new description; an empty one takes it away."),
              body_metadata(&ChangeEntity::metadata, domain::MetadataMode::whole,
                            Presence::optional, "metadata")}),
        [&services](Caller caller, ChangeEntity in) -> Asked<Reply> {
            domain::EntityChange change{std::move(in.name), std::move(in.description),
                                        std::move(in.metadata)};
            KN_CO_TRY(changed, co_await services.entities.change(caller.account, in.collection,
                                                                 in.id, std::move(change)));
            co_return reply_of(changed);
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<OneEntity>(
        {Method::delete_, kEntity, "entities.delete", "Delete an entity", "Its assets stay."},
        answers_nothing(), {Errc::resource_not_exist}, entity_fields<OneEntity>(),
        [&services](Caller caller, OneEntity in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.entities.store().delete_entity(caller.account,
                                                                        in.collection, in.id));
            co_return Reply{};
        });
}

Endpoint add_assets_endpoint(Services& services) {
    return endpoint<EntityAssets>(
        {Method::post, kEntityAssets, "entities.create_assets", "Add assets to an entity",
         "Those it has already are left out. It is `processing` until the new ones were looked "
         "at."},
        answers(200, entity_schema()), {Errc::resource_not_exist},
        with(entity_fields<EntityAssets>(),
             {body_ids("asset_ids", &EntityAssets::asset_ids, kAssetsMax, "Images of it.")}),
        [&services](Caller caller, EntityAssets in) -> Asked<Reply> {
            KN_CO_TRY(changed, co_await services.entities.add_assets(
                                   caller.account, in.collection, in.id, std::move(in.asset_ids)));
            co_return reply_of(changed);
        });
}

Endpoint remove_assets_endpoint(Services& services) {
    return endpoint<EntityAssets>(
        {Method::delete_, kEntityAssets, "entities.delete_assets", "Remove assets from an entity",
         "The assets stay. Those it does not have are ignored; one of its own must be left."},
        answers(200, entity_schema()), {Errc::resource_not_exist},
        with(entity_fields<EntityAssets>(),
             {body_ids("asset_ids", &EntityAssets::asset_ids, kAssetsMax, "What to remove.")}),
        [&services](Caller caller, EntityAssets in) -> Asked<Reply> {
            KN_CO_TRY(changed, co_await services.entities.remove_assets(
                                   caller.account, in.collection, in.id, std::move(in.asset_ids)));
            co_return reply_of(changed);
        });
}

Endpoint by_asset_endpoint(Services& services) {
    return page_endpoint<ListByAsset>(
        {Method::get, "/v1.3/assets/{asset_id}/entities", "entities.list_by_asset",
         "List the entities of an asset", "Newest first."},
        entity_schema(), {Errc::resource_not_exist},
        {path_id("asset_id", &ListByAsset::asset, "The asset's identifier."),
         page_number(&ListByAsset::page), page_limit(&ListByAsset::page)},
        append_entity, [&services](domain::AccountId account, const ListByAsset& in) {
            return services.entities.store().list_entities_of_asset(account, in.asset, in.page);
        });
}

}  // namespace

std::vector<Endpoint> entity_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(create_endpoint(services));
    endpoints.push_back(bulk_endpoint(services));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(change_endpoint(services));
    endpoints.push_back(delete_endpoint(services));
    endpoints.push_back(add_assets_endpoint(services));
    endpoints.push_back(remove_assets_endpoint(services));
    endpoints.push_back(by_asset_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
