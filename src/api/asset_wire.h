// Assets as the wire shows them.
#pragma once

#include <string>

#include "domain/asset.h"
#include "service/signer.h"

namespace kinodex::api {

/// The short Asset that POST answers.
std::string asset_json(const domain::Asset& asset);
/// The AssetDetail of GET and of lists.
void append_asset_detail(std::string& out, const domain::Asset& asset, const std::string& base_url,
                         const service::Signer& signer);

}  // namespace kinodex::api
