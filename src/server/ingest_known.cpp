#include "server/ingest_known.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace kinodex::server {

base::Status KnownAssets::load(fetch::ApiClient& client) {
    for (int page = 1;; ++page) {
        KN_TRY(answer, client.get(fmt::format("/assets?page_limit=50&page={}", page)));
        if (answer.status != 200) {
            return ingest_failed(message_of(answer));
        }
        KN_TRY(body, object_of(answer));
        const auto* data = body.if_contains("data");
        if (data == nullptr || !data->is_array()) {
            return ingest_failed("the server's list of assets is none");
        }
        if (data->get_array().empty()) {
            return {};
        }
        for (const auto& each : data->get_array()) {
            if (!each.is_object()) {
                return ingest_failed("the server's list of assets is none");
            }
            KN_TRY(asset, asset_in(each.get_object()));
            if (asset.status != "failed") {
                const auto name = asset.filename;
                by_name_.emplace(name, std::move(asset));
            }
        }
    }
}

std::optional<ShownAsset> KnownAssets::find(const IngestFile& file) const {
    const auto [first, last] = by_name_.equal_range(file.name);
    std::optional<ShownAsset> unsettled;
    for (auto each = first; each != last; ++each) {
        if (each->second.size_bytes == file.size_bytes) {
            return each->second;
        }
        if (!each->second.size_bytes) {
            unsettled = each->second;
        }
    }
    return unsettled;
}

}  // namespace kinodex::server
