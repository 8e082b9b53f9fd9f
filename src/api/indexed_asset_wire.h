// Indexed assets as the wire shows them, under either of their two names.
#pragma once

#include <string>

#include "api/json.h"
#include "api/schema.h"
#include "domain/indexed_asset.h"
#include "service/signer.h"

namespace kinodex::api {

/// /indexed-assets, or /videos: what older clients call those that are ready. It shows less.
enum class View { indexed_asset, video };

/// An item of a list.
void append_item(std::string& out, const domain::IndexedAsset& item, View view);
std::string item_detail_json(const domain::IndexedAsset& item, View view,
                             const std::string& base_url, const service::Signer& signer);
/// The member `hls`, when it is to be playable.
void append_stream(JsonObject& object, const domain::IndexedAsset& item,
                   const std::string& base_url, const service::Signer& signer);

Schema item_schema(View view);
Schema item_detail_schema(View view);
Schema stream_schema();

}  // namespace kinodex::api
