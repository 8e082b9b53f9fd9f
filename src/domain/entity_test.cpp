// Which assets may be reference images.
#include "domain/entity.h"

#include <gtest/gtest.h>

namespace kinodex::domain {
namespace {

Reference seen(AssetStatus status, AssetType type, std::optional<int> width = {},
               std::optional<int> height = {}) {
    return {AssetId::next(), status, type, width, height};
}

TEST(CheckReference, images_and_what_may_become_one_pass) {
    EXPECT_TRUE(check_reference(seen(AssetStatus::ready, AssetType::image, 128, 128)));
    EXPECT_TRUE(check_reference(seen(AssetStatus::processing, AssetType::unknown)));
    EXPECT_TRUE(check_reference(seen(AssetStatus::processing, AssetType::image)));
}

TEST(CheckReference, while_an_asset_is_processing_its_announced_type_decides_nothing) {
    EXPECT_TRUE(check_reference(seen(AssetStatus::processing, AssetType::video)));
    EXPECT_TRUE(check_reference(seen(AssetStatus::processing, AssetType::audio)));
}

TEST(CheckReference, an_entity_is_known_by_ready_images_of_enough_pixels_alone) {
    EXPECT_TRUE(is_usable(seen(AssetStatus::ready, AssetType::image, 128, 128)));
    EXPECT_FALSE(is_usable(seen(AssetStatus::ready, AssetType::image, 128, 127)));
    EXPECT_FALSE(is_usable(seen(AssetStatus::ready, AssetType::image)));
    EXPECT_FALSE(is_usable(seen(AssetStatus::ready, AssetType::video, 640, 360)));
    EXPECT_FALSE(is_usable(seen(AssetStatus::processing, AssetType::image)));
    EXPECT_FALSE(is_usable(seen(AssetStatus::failed, AssetType::image, 128, 128)));
}

TEST(CheckReference, what_can_never_be_one_is_refused_by_name) {
    for (const auto& each : {seen(AssetStatus::failed, AssetType::unknown),
                             seen(AssetStatus::failed, AssetType::image),
                             seen(AssetStatus::ready, AssetType::video, 640, 360),
                             seen(AssetStatus::ready, AssetType::audio),
                             seen(AssetStatus::ready, AssetType::image, 127, 128),
                             seen(AssetStatus::ready, AssetType::image, 128, 127)}) {
        const auto status = check_reference(each);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, base::Errc::parameter_invalid);
        EXPECT_EQ(status.error().value("parameter"), "asset_ids");
        EXPECT_NE(status.error().value("reason").find(each.id.text()), std::string_view::npos);
    }
}

}  // namespace
}  // namespace kinodex::domain
