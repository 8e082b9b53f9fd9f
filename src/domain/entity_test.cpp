// Which assets may be reference images.
#include "domain/entity.h"

#include <gtest/gtest.h>

namespace kinodex::domain {
namespace {

Asset asset(AssetStatus status, AssetType type, std::optional<int> width = {},
            std::optional<int> height = {}) {
    Asset made;
    made.status = status;
    made.type = type;
    made.width = width;
    made.height = height;
    return made;
}

TEST(CheckReference, images_and_what_may_become_one_pass) {
    EXPECT_TRUE(check_reference(asset(AssetStatus::ready, AssetType::image, 128, 128)));
    EXPECT_TRUE(check_reference(asset(AssetStatus::processing, AssetType::unknown)));
    EXPECT_TRUE(check_reference(asset(AssetStatus::processing, AssetType::image)));
}

TEST(CheckReference, what_can_never_be_one_is_refused_by_name) {
    for (const auto& each : {asset(AssetStatus::failed, AssetType::unknown),
                             asset(AssetStatus::failed, AssetType::image),
                             asset(AssetStatus::ready, AssetType::video, 640, 360),
                             asset(AssetStatus::processing, AssetType::video),
                             asset(AssetStatus::ready, AssetType::audio),
                             asset(AssetStatus::ready, AssetType::image, 127, 128),
                             asset(AssetStatus::ready, AssetType::image, 128, 127)}) {
        const auto status = check_reference(each);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, base::Errc::parameter_invalid);
        EXPECT_EQ(status.error().value("parameter"), "asset_ids");
        EXPECT_NE(status.error().value("reason").find(each.id.text()), std::string_view::npos);
    }
}

}  // namespace
}  // namespace kinodex::domain
