// Entity collections: create, list, retrieve, change, delete.
#include "api/api.h"
#include "api/entity_fields.h"
#include "api/page_endpoint.h"

namespace kinodex::api {
namespace {

using domain::EntityCollection;
using domain::EntityCollectionId;

constexpr const char* kCollections = "/v1.3/entity-collections";
constexpr const char* kCollection = "/v1.3/entity-collections/{entity_collection_id}";

struct CreateCollection {
    std::string name;
    std::optional<std::string> description;
};

struct ListCollections : NamedList {};

struct OneCollection {
    EntityCollectionId id;
};

struct ChangeCollection {
    EntityCollectionId id;
    std::optional<std::string> name;
    std::optional<std::string> description;
};

void append_collection(std::string& out, const EntityCollection& collection) {
    JsonObject object(out);
    object.text("_id", collection.id.text());
    object.text("name", collection.name);
    if (!collection.description.empty()) {
        object.text("description", collection.description);
    }
    object.text("created_at", base::rfc3339_seconds(collection.created_at));
    object.text("updated_at", base::rfc3339_seconds(collection.updated_at));
}

Reply reply_of(const EntityCollection& collection) {
    Reply reply;
    append_collection(reply.json, collection);
    return reply;
}

Schema collection_schema() {
    return schema::named(
        "EntityCollection",
        schema::object({has("_id", schema::id(), "The entity collection's identifier."),
                        has("name", entity_name_schema(), "Its name."),
                        may_have("description", schema::text(1), "Absent when empty."),
                        has("created_at", schema::time(), "When it was created."),
                        has("updated_at", schema::time(), "When it last changed.")}));
}

template <class P>
Field id_field(EntityCollectionId P::* member) {
    return path_id("entity_collection_id", member, kCollectionIdText);
}

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateCollection>(
        {Method::post,
         kCollections,
         "entity_collections.create",
         "Create an entity collection",
         {}},
        answers(201, collection_schema()).making("entity_collection_id"), {},
        {body_text("name", &CreateCollection::name, entity_name_schema(), "Its name."),
         body_text_if("description", &CreateCollection::description, entity_description_schema(),
                      "What it is for.")},
        [&services](Caller caller, CreateCollection in) -> Asked<Reply> {
            KN_CO_TRY(made, co_await services.entities.create_collection(
                                caller.account, std::move(in.name),
                                std::move(in.description).value_or("")));
            co_return reply_of(made);
        });
}

Endpoint list_endpoint(Services& services) {
    return page_endpoint<ListCollections>(
        {Method::get, kCollections, "entity_collections.list", "List entity collections", {}},
        collection_schema(), {}, named_list_fields<ListCollections>(), append_collection,
        [&services](domain::AccountId account, const ListCollections& in) {
            return services.entities.store().list_collections(account, filter_of(in), in.page);
        });
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneCollection>(
        {Method::get,
         kCollection,
         "entity_collections.retrieve",
         "Retrieve an entity collection",
         {}},
        answers(200, collection_schema()), {Errc::resource_not_exist},
        {id_field(&OneCollection::id)},
        [&services](Caller caller, OneCollection in) -> Asked<Reply> {
            KN_CO_TRY(found,
                      co_await services.entities.store().find_collection(caller.account, in.id));
            co_return reply_of(found);
        });
}

Endpoint change_endpoint(Services& services) {
    return endpoint<ChangeCollection>(
        {Method::patch, kCollection, "entity_collections.update", "Change an entity collection",
         "What is left out stays as it is."},
        answers(200, collection_schema()), {Errc::resource_not_exist},
        {id_field(&ChangeCollection::id),
         body_text_if("name", &ChangeCollection::name, entity_name_schema(), "The new name."),
         body_text_if("description", &ChangeCollection::description, entity_description_schema(),
                      "The new description; an empty one takes it away.")},
        [&services](Caller caller, ChangeCollection in) -> Asked<Reply> {
            domain::EntityCollectionChange change{std::move(in.name), std::move(in.description)};
            KN_CO_TRY(changed, co_await services.entities.change_collection(caller.account, in.id,
                                                                            std::move(change)));
            co_return reply_of(changed);
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<OneCollection>(
        {Method::delete_, kCollection, "entity_collections.delete", "Delete an entity collection",
         "Its entities go with it; assets stay."},
        answers_nothing(), {Errc::resource_not_exist}, {id_field(&OneCollection::id)},
        [&services](Caller caller, OneCollection in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.entities.store().delete_collection(caller.account, in.id));
            co_return Reply{};
        });
}

}  // namespace

std::vector<Endpoint> entity_collection_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(create_endpoint(services));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(change_endpoint(services));
    endpoints.push_back(delete_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
