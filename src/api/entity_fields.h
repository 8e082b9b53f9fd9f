// Fields that entity collections and entities share: names, and how their lists are asked for.
#pragma once

#include "api/json_fields.h"
#include "domain/entity.h"
#include "service/entities.h"

namespace kinodex::api {

inline constexpr const char* kCollectionIdText = "The entity collection's identifier.";

inline Schema entity_name_schema() {
    return schema::line(1, service::kEntityNameCharsMax).like("\"Anna\"");
}
inline Schema entity_description_schema() {
    return schema::text({}, service::kEntityDescriptionCharsMax);
}

/// A page of named things.
struct NamedList {
    domain::Page page;
    std::optional<std::string> name;
    domain::EntitySortBy sort_by = domain::EntitySortBy::created_at;
    domain::SortOrder order = domain::SortOrder::desc;
};

inline domain::EntityFilter filter_of(const NamedList& list) {
    domain::EntityFilter filter;
    filter.name_part = list.name.value_or("");
    filter.sort_by = list.sort_by;
    filter.order = list.order;
    return filter;
}

/// The fields of a struct that is a NamedList.
template <class P>
std::vector<Field> named_list_fields() {
    using By = domain::EntitySortBy;
    using Order = domain::SortOrder;
    return {
        page_number<P>(&P::page), page_limit<P>(&P::page),
        query_text<P>("name", &P::name, "Only those whose name contains this, in any case."),
        query_choice<P, By>(
            "sort_by", &P::sort_by,
            {{"created_at", By::created_at}, {"updated_at", By::updated_at}, {"name", By::name}},
            "What to sort by; `created_at` unless given."),
        query_choice<P, Order>("sort_option", &P::order,
                               {{"asc", Order::asc}, {"desc", Order::desc}},
                               "The direction; `desc` unless given.")};
}

}  // namespace kinodex::api
