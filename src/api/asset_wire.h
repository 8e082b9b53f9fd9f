// Assets as the wire shows them.
#pragma once

#include <string>

#include "api/schema.h"
#include "domain/asset.h"
#include "service/signer.h"

namespace kinodex::api {

/// The short Asset that POST answers.
std::string asset_json(const domain::Asset& asset);
Schema asset_schema();
/// The AssetDetail of GET and of lists.
void append_asset_detail(std::string& out, const domain::Asset& asset, const std::string& base_url,
                         const service::Signer& signer);
Schema asset_detail_schema();
/// Part of it, as the media folder writes it.
Schema technical_metadata_schema();

}  // namespace kinodex::api
