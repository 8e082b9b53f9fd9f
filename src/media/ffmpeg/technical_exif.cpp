#include "media/ffmpeg/technical_exif.h"

#include <libexif/exif-data.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

namespace kinodex::media {
namespace {

constexpr std::size_t kExifBytesMax = 1024 * 1024;

struct FreeExif {
    void operator()(ExifData* data) const { exif_data_unref(data); }
};

std::optional<double> rational(const ExifEntry& entry, unsigned index, ExifByteOrder order) {
    if (entry.format != EXIF_FORMAT_RATIONAL || entry.size < 8 * (index + 1)) {
        return std::nullopt;
    }
    const ExifRational value = exif_get_rational(entry.data + std::ptrdiff_t{8} * index, order);
    if (value.denominator == 0) {
        return std::nullopt;
    }
    return static_cast<double>(value.numerator) / value.denominator;
}

/// Degrees, minutes and seconds, with the sign from the hemisphere.
std::optional<double> angle(ExifContent* gps, ExifByteOrder order, int tag, int reference_tag,
                            char negative) {
    const ExifEntry* entry = exif_content_get_entry(gps, static_cast<ExifTag>(tag));
    if (entry == nullptr) {
        return std::nullopt;
    }
    const auto degrees = rational(*entry, 0, order);
    if (!degrees) {
        return std::nullopt;
    }
    const double value = *degrees + rational(*entry, 1, order).value_or(0) / 60 +
                         rational(*entry, 2, order).value_or(0) / 3600;
    const ExifEntry* reference = exif_content_get_entry(gps, static_cast<ExifTag>(reference_tag));
    const bool is_negative = reference != nullptr && reference->size > 0 &&
                             static_cast<char>(reference->data[0]) == negative;
    return is_negative ? -value : value;
}

std::optional<Place> read_place(ExifContent* gps, ExifByteOrder order) {
    const auto latitude = angle(gps, order, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, 'S');
    const auto longitude =
        angle(gps, order, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, 'W');
    if (!latitude || !longitude || std::abs(*latitude) > 90 || std::abs(*longitude) > 180) {
        return std::nullopt;
    }
    Place place{*latitude, *longitude, std::nullopt};
    if (const ExifEntry* entry =
            exif_content_get_entry(gps, static_cast<ExifTag>(EXIF_TAG_GPS_ALTITUDE))) {
        place.altitude_meters = rational(*entry, 0, order);
        const ExifEntry* reference =
            exif_content_get_entry(gps, static_cast<ExifTag>(EXIF_TAG_GPS_ALTITUDE_REF));
        if (place.altitude_meters && reference != nullptr && reference->size > 0 &&
            reference->data[0] == 1) {
            place.altitude_meters = -*place.altitude_meters;  // below the sea
        }
    }
    return place;
}

}  // namespace

Exif read_exif(std::string_view tiff) {
    const std::string block =
        std::string("Exif\0\0", 6) + std::string(tiff.substr(0, kExifBytesMax));
    const std::unique_ptr<ExifData, FreeExif> data(exif_data_new_from_data(
        reinterpret_cast<const unsigned char*>(block.data()), static_cast<unsigned>(block.size())));
    Exif out;
    if (data == nullptr) {
        return out;
    }
    const ExifByteOrder order = exif_data_get_byte_order(data.get());
    const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    if (entry != nullptr && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2) {
        const int value = exif_get_short(entry->data, order);
        if (value >= 1 && value <= 8) {
            out.orientation = value;
        }
    }
    out.place = read_place(data->ifd[EXIF_IFD_GPS], order);
    return out;
}

}  // namespace kinodex::media
