#include "api/indexed_asset_fields.h"

#include <algorithm>

#include "api/endpoint.h"
#include "domain/names.h"

namespace kinodex::api {
namespace {

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
        return not_one_of("sort_by", {"created_at", "updated_at"});
    }
    filter.sort_by = by.value_or("created_at") == "created_at" ? domain::SortBy::created_at
                                                               : domain::SortBy::updated_at;
    return {};
}

base::Status read_order(const Values& values, domain::IndexedAssetFilter& filter) {
    KN_TRY(order, single(values, In::query, "sort_option"));
    if (order && *order != "asc" && *order != "desc") {
        return not_one_of("sort_option", {"asc", "desc"});
    }
    filter.order =
        order.value_or("desc") == "asc" ? domain::SortOrder::asc : domain::SortOrder::desc;
    return {};
}

Field range_field(const std::string& name, domain::NumberRange domain::IndexedAssetFilter::* member,
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

Field time_field(const std::string& name,
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

std::vector<Field> filter_fields(View view) {
    using Filter = domain::IndexedAssetFilter;
    std::vector<Field> fields;
    const auto by = schema::words({"created_at", "updated_at"}).defaults_to("\"created_at\"");
    const auto order = schema::words({"asc", "desc"}).defaults_to("\"desc\"");
    const auto statuses = schema::list(schema::words(
        {"ready", "pending", "queued", "indexing", "failed", "validating", "uploading"}));
    fields.push_back(filter_field(query_field("sort_by", by, "What to sort by."), read_sort));
    fields.push_back(filter_field(query_field("sort_option", order, "The direction."), read_order));
    if (view == View::indexed_asset) {
        fields.push_back(filter_field(
            query_field(
                "status", statuses,
                "Only items in one of these states; no item is ever validating or uploading."),
            read_statuses));
    }
    fields.push_back(
        filter_field(query_field("filename", schema::text(), "Only items with this filename."),
                     [](const Values& values, Filter& filter) -> base::Status {
                         KN_TRY(value, single(values, In::query, "filename"));
                         if (value && !value->empty()) {
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

}  // namespace

std::vector<Field> list_item_fields(View view) {
    std::vector<Field> fields{path_id("index-id", &ListItems::index, kIndexIdText),
                              page_number(&ListItems::page), page_limit(&ListItems::page)};
    for (auto& field : filter_fields(view)) {
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
        [declared, view](const Values& values, domain::IndexedAssetFilter& filter) -> base::Status {
            if (view == View::video && !values.all(In::query, "status").empty()) {
                return base::fail(Errc::parameter_unknown, {{"parameter", "status"}});
            }
            const auto claimed = [&](std::string_view key) { return claims(*declared, key); };
            KN_TRY(conditions, parse_conditions(values, claimed));
            filter.metadata = std::move(conditions);
            return {};
        }));
    return fields;
}

std::vector<Field> item_part_fields() {
    return {embedding_option_field(), transcription_field()};
}

base::Status check_item_parts(const OneItem& in) {
    if (in.wants_embedding || in.wants_transcription) {
        return base::fail(base::Errc::feature_not_available,
                          {{"parameter", in.wants_embedding ? "embedding_option" : "transcription"},
                           {"reason", "This server has no model that makes it."}});
    }
    return {};
}

}  // namespace kinodex::api
