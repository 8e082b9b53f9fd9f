// Wire shapes shared by resources.
#pragma once

#include <string>

#include "api/json.h"
#include "domain/page.h"

namespace kinodex::api {

/// "page_info" of page-based lists.
inline void append_page_info(JsonObject& object, domain::Page page, std::int64_t total) {
    JsonObject info(object.key("page_info"));
    info.integer("limit_per_page", page.limit);
    info.integer("page", page.number);
    info.integer("total_page", (total + page.limit - 1) / page.limit);
    info.integer("total_results", total);
}

/// {"data":[…],"page_info":{…}}; `write(out, item)` appends one item.
template <class Item, class Write>
std::string page_json(const domain::Paged<Item>& paged, domain::Page page, Write write) {
    constexpr std::size_t kUsualItemBytes = 512;
    std::string out;
    out.reserve((paged.items.size() + 1) * kUsualItemBytes);
    {
        JsonObject object(out);
        append_array(object.key("data"), paged.items, write);
        append_page_info(object, page, paged.total);
    }
    return out;
}

}  // namespace kinodex::api
