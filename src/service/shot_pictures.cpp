#include "service/shot_pictures.h"

#include <boost/json.hpp>
#include <memory>

#include "service/object_keys.h"

namespace kinodex::service {
namespace {

namespace json = boost::json;

// A day of one-second shots stays below this.
constexpr std::uint64_t kShotsJsonBytesMax = 32 * 1024 * 1024;
constexpr std::uint64_t kPictureBytesMax = 8 * 1024 * 1024;

struct Place {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

std::unexpected<base::Error> no_picture(domain::IndexedAssetId id) {
    return base::fail(base::Errc::resource_not_exist,
                      {{"resource_id", id.text()}, {"collection_name", "thumbnails"}});
}

base::Result<Place> first_place(const std::string& text, domain::IndexedAssetId id) {
    json::error_code error;
    const auto root = json::parse(text, error);
    const auto* object = error ? nullptr : root.if_object();
    const auto* shots = object != nullptr ? object->if_contains("shots") : nullptr;
    if (shots == nullptr || !shots->is_array()) {
        return base::fail(base::Errc::internal, {}, "stored shots of " + id.text() + " are broken");
    }
    for (const auto& shot : shots->get_array()) {
        const auto offset = shot.at("picture_offset").to_number<std::uint64_t>();
        const auto bytes = shot.at("picture_bytes").to_number<std::uint64_t>();
        if (bytes > 0 && bytes <= kPictureBytesMax) {
            return Place{offset, bytes};
        }
    }
    return no_picture(id);
}

}  // namespace

runtime::Asked<std::string> first_shot_picture(objects::Objects& objects,
                                               domain::IndexedAssetId id) {
    auto shots = co_await objects.read_all(shots_key(id), kShotsJsonBytesMax);
    if (!shots) {
        co_return shots.error().code == base::Errc::resource_not_exist
            ? base::Result<std::string>(no_picture(id))
            : std::unexpected(std::move(shots).error());
    }
    KN_CO_TRY(place, first_place(*shots, id));
    KN_CO_TRY(pictures, co_await objects.open(shot_pictures_key(id)));
    std::string picture(place.bytes, '\0');
    KN_CO_PASS(co_await pictures->read(place.offset, std::as_writable_bytes(std::span(picture))));
    co_return picture;
}

}  // namespace kinodex::service
