#include "domain/entity.h"

#include <algorithm>

namespace kinodex::domain {
namespace {

std::unexpected<base::Error> refuse(const Reference& reference, const std::string& why) {
    return base::fail(
        base::Errc::parameter_invalid,
        {{"parameter", "asset_ids"}, {"reason", "Asset `" + reference.id.text() + "` " + why}});
}

}  // namespace

Reference reference_of(const Asset& asset) {
    return {asset.id, asset.status, asset.type, asset.width, asset.height};
}

base::Status check_reference(const Reference& reference) {
    if (reference.status == AssetStatus::failed) {
        return refuse(reference, "failed.");
    }
    if (reference.status == AssetStatus::processing) {
        return {};
    }
    if (reference.type != AssetType::image) {
        return refuse(reference, "is not an image.");
    }
    if (std::min(reference.width.value_or(0), reference.height.value_or(0)) < kReferenceSideMin) {
        return refuse(reference, "is smaller than 128x128 pixels.");
    }
    return {};
}

bool is_usable(const Reference& reference) {
    return reference.status == AssetStatus::ready && check_reference(reference).has_value();
}

}  // namespace kinodex::domain
