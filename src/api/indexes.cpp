// Indexes: create, list, retrieve, rename, delete.
#include "api/api.h"
#include "api/json_fields.h"
#include "api/page_endpoint.h"

namespace kinodex::api {
namespace {

using domain::Index;
using domain::IndexId;

constexpr const char* kIndexIdText = "The index's identifier.";

struct CreateIndex {
    service::NewIndex index;
};

struct ListIndexes {
    domain::Page page;
    domain::IndexFilter filter;
};

struct OneIndex {
    IndexId id;
};

struct RenameIndex {
    IndexId id;
    std::string index_name;
};

void append_index(std::string& out, const Index& index) {
    JsonObject object(out);
    object.text("_id", index.id.text());
    object.text("index_name", index.index_name);
    const auto write_text = [](std::string& to, const std::string& text) {
        domain::append_json_text(to, text);
    };
    append_array(object.key("models"), index.models,
                 [&](std::string& to, const domain::IndexModel& model) {
                     JsonObject each(to);
                     each.text("model_name", model.model_name);
                     append_array(each.key("model_options"), model.model_options, write_text);
                 });
    append_array(object.key("addons"), index.addons, write_text);
    object.integer("video_count", index.video_count);
    object.number("total_duration", index.total_duration_sec);
    object.text("created_at", base::rfc3339_millis(index.created_at));
    object.text("updated_at", base::rfc3339_millis(index.updated_at));
    object.raw("expires_at", "null");  // indexes of this server do not expire
}

Schema name_schema() {
    return schema::line(1, service::kIndexNameCharsMax).like("\"films\"");
}

Schema addons_schema() {
    return schema::list(schema::words({"thumbnail"}));
}

Schema model_schema() {
    return schema::named(
        "IndexModel",
        schema::closed_object(
            {has("model_name",
                 schema::words({"marengo3.0", "marengo3.5", "pegasus1.2", "pegasus1.5"}),
                 "The model."),
             has("model_options", schema::list(schema::words({"visual", "audio"}), 1, 2),
                 "What it looks at.")}));
}

Schema index_schema() {
    return schema::named(
        "Index",
        schema::object(
            {has("_id", schema::id(), "The index's identifier."),
             has("index_name", schema::line(1, service::kIndexNameCharsMax), "Its name."),
             has("models", schema::list(model_schema(), 1, 2), "The models chosen for it."),
             has("addons", addons_schema(), "What else is on."),
             has("video_count", schema::integer(0), "Indexed assets that are ready."),
             has("total_duration", schema::number(0), "Their length in all, in seconds."),
             has("created_at", schema::time(), "When it was created."),
             has("updated_at", schema::time(), "When it last changed."),
             has("expires_at", schema::null(), "Indexes of this server do not expire.")}));
}

Schema model_options_schema() {
    return schema::words({"visual", "audio"});
}

Field models_field() {
    Field field;
    field.name = "models";
    field.in = In::json;
    field.required = true;
    field.read = [](const Values& values, void* params) -> base::Status {
        const auto raw = body_value(values, "models");
        if (!raw) {
            return missing("models");
        }
        auto models = json_models(*raw);
        if (!models) {
            return invalid("models", "It must be a list of {model_name, model_options}.");
        }
        static_cast<CreateIndex*>(params)->index.models = std::move(*models);
        return {};
    };
    return described(std::move(field), schema::list(model_schema(), 1, 2),
                     "One model of each family, Marengo and Pegasus, or one of them.");
}

Field addons_field() {
    Field field;
    field.name = "addons";
    field.in = In::json;
    field.read = [](const Values& values, void* params) -> base::Status {
        const auto raw = body_value(values, "addons");
        if (!raw) {
            return {};
        }
        auto addons = json_texts(*raw);
        if (!addons) {
            return invalid("addons", "It must be a list of strings.");
        }
        static_cast<CreateIndex*>(params)->index.addons = std::move(*addons);
        return {};
    };
    return described(std::move(field), addons_schema(),
                     "`thumbnail`, which needs a Marengo model.");
}

Field new_name_field() {
    Field field;
    field.name = "index_name";
    field.in = In::json;
    field.required = true;
    field.read = [](const Values& values, void* params) -> base::Status {
        const auto raw = body_value(values, "index_name");
        if (!raw) {
            return missing("index_name");
        }
        auto name = json_text(*raw);
        if (!name) {
            return invalid("index_name", "It must be a string.");
        }
        static_cast<CreateIndex*>(params)->index.index_name = std::move(*name);
        return {};
    };
    return described(std::move(field), name_schema(), "A name that no other index has.");
}

/// A member that a PUT must not carry, with the code that says why.
Field unchangeable(const std::string& name, base::Errc code) {
    Field field;
    field.name = name;
    field.in = In::json;
    field.read = [name, code](const Values& values, void*) -> base::Status {
        return values.first(In::json, name) ? base::fail(code) : base::Status{};
    };
    field.is_refused = true;
    return field;
}

template <class Set>
Field filter_field(const std::string& name, Schema schema, std::string text, Set set) {
    Field field;
    field.name = name;
    field.read = [name, set](const Values& values, void* params) -> base::Status {
        KN_TRY(value, single(values, In::query, name));
        return value ? set(static_cast<ListIndexes*>(params)->filter, *value) : base::Status{};
    };
    return described(std::move(field), std::move(schema), std::move(text));
}

base::Status set_model_options(domain::IndexFilter& filter, std::string_view text) {
    while (true) {
        const auto comma = text.find(',');
        const auto option = text.substr(0, comma);
        if (option != "visual" && option != "audio") {
            return invalid("model_options",
                           "Use one or both of the following values: visual, audio.");
        }
        filter.model_options.emplace_back(option);
        if (comma == std::string_view::npos) {
            return {};
        }
        text.remove_prefix(comma + 1);
    }
}

/// `model_options` may be repeated or comma-separated.
Field model_options_field() {
    Field field;
    field.name = "model_options";
    field.read = [](const Values& values, void* params) -> base::Status {
        for (const auto text : values.all(In::query, "model_options")) {
            KN_PASS(set_model_options(static_cast<ListIndexes*>(params)->filter, text));
        }
        return {};
    };
    return described(std::move(field), model_options_schema(),
                     "Indexes with all of these options: `visual`, `audio` or `visual,audio`.");
}

Field sort_by_field() {
    return filter_field(
        "sort_by", schema::words({"created_at", "updated_at"}).defaults_to("\"created_at\""),
        "What to sort by.", [](domain::IndexFilter& filter, std::string_view text) -> base::Status {
            if (text != "created_at" && text != "updated_at") {
                return not_one_of("sort_by", {"created_at", "updated_at"});
            }
            filter.sort_by =
                text == "created_at" ? domain::SortBy::created_at : domain::SortBy::updated_at;
            return {};
        });
}

Field sort_option_field() {
    return filter_field(
        "sort_option", schema::words({"asc", "desc"}).defaults_to("\"desc\""), "The direction.",
        [](domain::IndexFilter& filter, std::string_view text) -> base::Status {
            if (text != "asc" && text != "desc") {
                return not_one_of("sort_option", {"asc", "desc"});
            }
            filter.order = text == "asc" ? domain::SortOrder::asc : domain::SortOrder::desc;
            return {};
        });
}

std::vector<Field> list_fields() {
    using domain::IndexFilter;
    std::vector<Field> fields{page_number(&ListIndexes::page), page_limit(&ListIndexes::page)};
    fields.push_back(filter_field("index_name", schema::text(), "The index of this name.",
                                  [](IndexFilter& filter, std::string_view text) -> base::Status {
                                      if (!text.empty()) {
                                          filter.index_name = text;
                                      }
                                      return {};
                                  }));
    fields.push_back(model_options_field());
    fields.push_back(filter_field("model_family", schema::words({"marengo", "pegasus"}),
                                  "Indexes with a model of this family.",
                                  [](IndexFilter& filter, std::string_view text) -> base::Status {
                                      if (text != "marengo" && text != "pegasus") {
                                          return not_one_of("model_family", {"marengo", "pegasus"});
                                      }
                                      filter.model_family = text == "marengo"
                                                                ? domain::ModelFamily::marengo
                                                                : domain::ModelFamily::pegasus;
                                      return {};
                                  }));
    fields.push_back(filter_field("created_at", schema::time(), "Created at or after this time.",
                                  [](IndexFilter& filter, std::string_view text) -> base::Status {
                                      KN_TRY(time, parse_time("created_at", text));
                                      filter.created_from = time;
                                      return {};
                                  }));
    fields.push_back(filter_field("updated_at", schema::time(), "Updated at or after this time.",
                                  [](IndexFilter& filter, std::string_view text) -> base::Status {
                                      KN_TRY(time, parse_time("updated_at", text));
                                      filter.updated_from = time;
                                      return {};
                                  }));
    fields.push_back(sort_by_field());
    fields.push_back(sort_option_field());
    return fields;
}

Endpoint create_endpoint(Services& services) {
    return endpoint<CreateIndex>(
        {Method::post, "/v1.3/indexes", "indexes.create", "Create an index", {}},
        answers(201, schema::object({has("_id", schema::id(), "The index's identifier.")}))
            .making("index-id"),
        {Errc::index_name_already_exists}, {new_name_field(), models_field(), addons_field()},
        [&services](Caller caller, CreateIndex in) -> Asked<Reply> {
            KN_CO_TRY(id, co_await services.indexes.create(caller.account, std::move(in.index)));
            Reply reply;
            JsonObject(reply.json).text("_id", id.text());
            co_return reply;
        });
}

Endpoint list_endpoint(Services& services) {
    return page_endpoint<ListIndexes>(
        {Method::get, "/v1.3/indexes", "indexes.list", "List indexes", {}}, index_schema(), {},
        list_fields(), append_index, [&services](domain::AccountId account, ListIndexes in) {
            return services.indexes.store().list_indexes(account, std::move(in.filter), in.page);
        });
}

Endpoint retrieve_endpoint(Services& services) {
    return endpoint<OneIndex>(
        {Method::get, "/v1.3/indexes/{index-id}", "indexes.retrieve", "Retrieve an index", {}},
        answers(200, index_schema()), {Errc::resource_not_exist},
        {path_id("index-id", &OneIndex::id, kIndexIdText)},
        [&services](Caller caller, OneIndex in) -> Asked<Reply> {
            KN_CO_TRY(index, co_await services.indexes.store().find_index(caller.account, in.id));
            Reply reply;
            append_index(reply.json, index);
            co_return reply;
        });
}

Endpoint rename_endpoint(Services& services) {
    using base::Errc;
    return endpoint<RenameIndex>(
        {Method::put, "/v1.3/indexes/{index-id}", "indexes.update", "Rename an index",
         "Only the name of an index can change."},
        answers_nothing(),
        {Errc::resource_not_exist, Errc::index_name_already_exists,
         Errc::index_option_cannot_be_changed, Errc::index_engine_cannot_be_changed},
        {path_id("index-id", &RenameIndex::id, kIndexIdText),
         unchangeable("models", Errc::index_option_cannot_be_changed),
         unchangeable("model_options", Errc::index_option_cannot_be_changed),
         unchangeable("index_options", Errc::index_option_cannot_be_changed),
         unchangeable("addons", Errc::index_option_cannot_be_changed),
         unchangeable("engine_id", Errc::index_engine_cannot_be_changed),
         unchangeable("engines", Errc::index_engine_cannot_be_changed),
         unchangeable("model_name", Errc::index_engine_cannot_be_changed),
         body_text("index_name", &RenameIndex::index_name, name_schema(), "The new name.")},
        [&services](Caller caller, RenameIndex in) -> Asked<Reply> {
            KN_CO_PASS(
                co_await services.indexes.rename(caller.account, in.id, std::move(in.index_name)));
            co_return Reply{};
        });
}

Endpoint delete_endpoint(Services& services) {
    return endpoint<OneIndex>(
        {Method::delete_, "/v1.3/indexes/{index-id}", "indexes.delete", "Delete an index",
         "Its indexed assets go with it; the assets stay."},
        answers_nothing(), {Errc::resource_not_exist},
        {path_id("index-id", &OneIndex::id, kIndexIdText)},
        [&services](Caller caller, OneIndex in) -> Asked<Reply> {
            KN_CO_PASS(co_await services.indexes.remove(caller.account, in.id));
            co_return Reply{};
        });
}

}  // namespace

std::vector<Endpoint> index_endpoints(Services& services) {
    std::vector<Endpoint> endpoints;
    endpoints.push_back(create_endpoint(services));
    endpoints.push_back(list_endpoint(services));
    endpoints.push_back(retrieve_endpoint(services));
    endpoints.push_back(rename_endpoint(services));
    endpoints.push_back(delete_endpoint(services));
    return endpoints;
}

}  // namespace kinodex::api
