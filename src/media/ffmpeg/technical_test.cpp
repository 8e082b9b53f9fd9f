// Places, EXIF blocks and first bytes: tables of what files say and what it means.
#include "media/ffmpeg/technical.h"

#include <boost/json.hpp>

#include "media/child.h"
#include "media/ffmpeg/probe_sniff.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

TEST(Place, is_read_from_iso_6709) {
    struct Row {
        const char* text = nullptr;
        double latitude = 0;
        double longitude = 0;
        std::optional<double> altitude;
    };
    const Row rows[] = {
        {"+37.7850-122.4060+010.000/", 37.785, -122.406, 10.0},
        {"-33.8568+151.2153/", -33.8568, 151.2153, std::nullopt},
        {"+27.5916+086.5640+8850/", 27.5916, 86.564, 8850.0},
        {"+4030.5-07400.25/", 40 + 30.5 / 60, -(74 + 0.25 / 60), std::nullopt},
        {"+403030-0740015/", 40 + 30.0 / 60 + 30.0 / 3600, -(74 + 15.0 / 3600), std::nullopt},
    };
    for (const auto& row : rows) {
        const auto place = parse_iso6709(row.text);
        ASSERT_TRUE(place.has_value()) << row.text;
        EXPECT_NEAR(place->latitude, row.latitude, 1e-6) << row.text;
        EXPECT_NEAR(place->longitude, row.longitude, 1e-6) << row.text;
        EXPECT_EQ(place->altitude_meters, row.altitude) << row.text;
    }
}

TEST(Place, that_is_none_is_left_out) {
    for (const char* text : {"", "+", "37.7-122.4", "+37.7", "+91.0+000.0/", "+10.0+181.0/",
                             "+1234567890+000/", "+nan+nan/"}) {
        EXPECT_FALSE(parse_iso6709(text).has_value()) << text;
    }
}

std::string big(std::uint32_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) {
        out += static_cast<char>((value >> (8 * i)) & 0xFF);
    }
    return out;
}

std::string entry(std::uint32_t tag, std::uint32_t type, std::uint32_t count, std::string value) {
    value.resize(4, '\0');
    return big(tag, 2) + big(type, 2) + big(count, 4) + value;
}

/// A big-endian TIFF structure: orientation 6, 48°51'30" N, 2°21'0" E, 35 m below the sea.
std::string exif_block() {
    const std::string head = "MM" + big(42, 2) + big(8, 4);
    const std::string main =
        big(2, 2) + entry(0x0112, 3, 1, big(6, 2)) + entry(0x8825, 4, 1, big(38, 4)) + big(0, 4);
    const std::uint32_t values = 38 + 2 + 6 * 12 + 4;
    const std::string gps = big(6, 2) + entry(1, 2, 2, "N") + entry(2, 5, 3, big(values, 4)) +
                            entry(3, 2, 2, "E") + entry(4, 5, 3, big(values + 24, 4)) +
                            entry(5, 1, 1, "\1") + entry(6, 5, 1, big(values + 48, 4)) + big(0, 4);
    std::string out = head + main + gps;
    for (const std::uint32_t number : {48U, 51U, 30U, 2U, 21U, 0U, 35U}) {
        out += big(number, 4) + big(1, 4);
    }
    return out;
}

TEST(Exif, gives_orientation_and_place) {
    const auto exif = read_exif(exif_block());
    EXPECT_EQ(exif.orientation, 6);
    ASSERT_TRUE(exif.place.has_value());
    EXPECT_NEAR(exif.place->latitude, 48 + 51.0 / 60 + 30.0 / 3600, 1e-9);
    EXPECT_NEAR(exif.place->longitude, 2 + 21.0 / 60, 1e-9);
    EXPECT_EQ(exif.place->altitude_meters, -35.0);
}

TEST(Exif, cut_anywhere_does_no_harm) {
    const std::string whole = exif_block();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto exif = read_exif(whole.substr(0, size));
        EXPECT_TRUE(!exif.orientation || *exif.orientation == 6);
    }
}

std::string png_chunk(const std::string& type, const std::string& data) {
    return big(static_cast<std::uint32_t>(data.size()), 4) + type + data + big(0, 4);
}

std::string little(std::uint32_t value) {
    std::string out = big(value, 4);
    return {out.rbegin(), out.rend()};
}

boost::json::object probed(const MadeMedia& media, const std::string& bytes, ProbeReport& report) {
    const auto file = media.write("upload", bytes);
    report = probe_file({file.get(), -1}).value();
    return boost::json::parse(report.technical_metadata).as_object();
}

TEST(Exif, is_found_in_jpeg_png_webp) {
    const MadeMedia media;
    const std::string block = exif_block();
    media.make("a.jpg", kOnePicture);
    std::string jpeg = media.read("a.jpg");
    const std::string segment = std::string("Exif\0\0", 6) + block;
    jpeg.insert(2, "\xFF\xE1" + big(static_cast<std::uint32_t>(segment.size()) + 2, 2) + segment);
    media.make("a.png", kOnePicture);
    std::string png = media.read("a.png");
    png.insert(33, png_chunk("eXIf", block));
    media.make("a.webp", kOnePicture);
    std::string webp = media.read("a.webp");
    webp += "EXIF" + little(static_cast<std::uint32_t>(block.size())) + block;
    webp.replace(4, 4, little(static_cast<std::uint32_t>(webp.size()) - 8));
    for (const auto& bytes : {jpeg, png, webp}) {
        ProbeReport report;
        const auto technical = probed(media, bytes, report);
        EXPECT_EQ(technical.at("image_orientation"), 6) << report.file_type;
        EXPECT_NEAR(technical.at("geospatial_latitude").as_double(), 48.8583333, 1e-6);
        EXPECT_EQ(report.width, 180) << report.file_type;
        EXPECT_EQ(report.height, 320);
        EXPECT_EQ(technical.at("image_width"), 320);
    }
}

TEST(Sniff, tells_texts_from_media) {
    EXPECT_EQ(sniff("BM is a short text about cars").mime, "text/plain");
    EXPECT_EQ(sniff("\xEF\xBB\xBF#EXTM3U\n").kind, SniffedKind::playlist);
    EXPECT_EQ(sniff("   \n<html>").mime, "text/html");
    EXPECT_EQ(sniff("").kind, SniffedKind::unknown);
    EXPECT_EQ(sniff(std::string("\0\0\0\x14"
                                "ftypM4A \0\0\0\0",
                                16))
                  .mime,
              "audio/mp4");
    EXPECT_EQ(sniff(std::string("\0\0\0\x14"
                                "ftypheic\0\0\0\0",
                                16))
                  .mime,
              "image/heic");
    EXPECT_EQ(sniff("\xFF\xFB\x90\x64").mime, "audio/mpeg");
    const std::string utf16("\xFF\xFEh\0i\0", 6);  // looks like a frame of MPEG layer I
    EXPECT_EQ(sniff(utf16).mime, "text/plain");
}

}  // namespace
}  // namespace kinodex::media
