#include "domain/entity.h"

#include <algorithm>

namespace kinodex::domain {
namespace {

std::unexpected<base::Error> refuse(const Asset& asset, const std::string& why) {
    return base::fail(
        base::Errc::parameter_invalid,
        {{"parameter", "asset_ids"}, {"reason", "Asset `" + asset.id.text() + "` " + why}});
}

}  // namespace

base::Status check_reference(const Asset& asset) {
    if (asset.status == AssetStatus::failed) {
        return refuse(asset, "failed.");
    }
    if (asset.type != AssetType::image && asset.type != AssetType::unknown) {
        return refuse(asset, "is not an image.");
    }
    const bool has_size = asset.width && asset.height;
    if (has_size && std::min(*asset.width, *asset.height) < kReferenceSideMin) {
        return refuse(asset, "is smaller than 128x128 pixels.");
    }
    return {};
}

}  // namespace kinodex::domain
