// Thumbnails of real files: the right way up, of the right frame, and a picture for every kind.
#include <sys/mman.h>

#include <array>

#include "media/child.h"
#include "media/ffmpeg/picture.h"
#include "media/ffmpeg/picture_still.h"
#include "media/ffmpeg/test_media.h"
#include "media/ffmpeg/thumbnail_score.h"

namespace kinodex::media {
namespace {

using domain::AssetType;

/// The thumbnail, decoded again.
RgbPicture thumbnail(const base::UniqueFd& file, AssetType type, int max_width = 320) {
    const base::UniqueFd out(::memfd_create("thumbnail", MFD_CLOEXEC));
    const auto made = make_thumbnail({file.get(), out.get(), max_width, type});
    if (!made) {
        ADD_FAILURE() << made.error().detail;
        return {};
    }
    auto still = read_still(out.get(), {SniffedKind::image, "image/jpeg"});
    return rgb_of(*still.value().frame, 0, max_width).value();
}

using Rgb = std::array<int, 3>;

Rgb color_at(const RgbPicture& picture, double x, double y) {
    const auto column = static_cast<int>(x * picture.width);
    const auto row = static_cast<int>(y * picture.height);
    const auto at = static_cast<std::size_t>(3 * (row * picture.width + column));
    const auto channel = [&](std::size_t c) {
        return static_cast<int>(static_cast<unsigned char>(picture.rgb.at(at + c)));
    };
    return {channel(0), channel(1), channel(2)};
}

void expect_near(const Rgb& color, const Rgb& wanted, int slack = 40) {
    for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(color[c], wanted[c], slack) << "channel " << c;
    }
}

constexpr Rgb kRed{255, 0, 0};
constexpr Rgb kBlue{0, 0, 255};
constexpr Rgb kWhite{255, 255, 255};

// Red above blue, which shows every turn and mirroring; noise makes a good picture of it.
const std::string kTwoColors =
    "-f lavfi -i \"color=red:s=320x160:r=25:d=1,format=rgb24,pad=320:320:0:0:blue\" ";

TEST(Thumbnail, of_a_turned_video_is_the_right_way_up) {
    const MadeMedia media;
    media.make("plain.mp4", kTwoColors + "-c:v libx264 -pix_fmt yuv420p");
    const auto plain = thumbnail(media.open("plain.mp4"), AssetType::video);
    expect_near(color_at(plain, 0.5, 0.1), kRed);
    expect_near(color_at(plain, 0.5, 0.9), kBlue);
    // What ffmpeg itself shows of the turned file is the measure.
    for (const char* degrees : {"90", "180", "270"}) {
        const auto turned = media.make("turned.mp4", std::string("-i plain.mp4 -c copy "
                                                                 "-metadata:s:v rotate=") +
                                                         degrees);
        media.make("shown.jpg", "-i turned.mp4 -frames:v 1 -q:v 2");
        const auto shown = thumbnail(media.open("shown.jpg"), AssetType::image);
        const auto ours = thumbnail(turned, AssetType::video);
        for (const auto& [x, y] : {std::pair{0.5, 0.1}, {0.5, 0.9}, {0.1, 0.5}, {0.9, 0.5}}) {
            expect_near(color_at(ours, x, y), color_at(shown, x, y));
        }
    }
}

TEST(Thumbnail, of_a_film_with_a_black_start_and_a_fade_is_neither) {
    const MadeMedia media;
    // Four seconds of black, then a fade up into a lively picture; a key frame each half second.
    const auto film = media.make("film.mp4",
                                 "-f lavfi -i testsrc2=s=320x180:r=25:d=20 -vf \"fade=in:st=4:d=4,"
                                 "fade=out:st=16:d=2\" -c:v libx264 -g 12 -preset ultrafast");
    const auto score = score_of(thumbnail(film, AssetType::video));
    EXPECT_GT(score.brightness, 80);
    EXPECT_GT(score.total, 0.5);
}

TEST(Thumbnail, of_a_film_that_is_black_altogether_is_black_and_no_error) {
    const MadeMedia media;
    const auto film = media.make("black.mp4", "-f lavfi -i color=black:s=320x180:d=2 -c:v libx264");
    EXPECT_LT(score_of(thumbnail(film, AssetType::video)).brightness, 20);
}

TEST(Thumbnail, keeps_the_shape_of_odd_pixels_and_is_scaled_down) {
    const MadeMedia media;
    const auto film =
        media.make("wide.mp4", "-f lavfi -i testsrc2=s=360x288:d=1 -vf setsar=64/45 -c:v libx264");
    const auto full = thumbnail(film, AssetType::video, 1280);
    EXPECT_EQ(full.width, 512);
    EXPECT_EQ(full.height, 288);
    const auto small = thumbnail(film, AssetType::video, 128);
    EXPECT_EQ(small.width, 128);
    EXPECT_EQ(small.height, 72);
}

TEST(Thumbnail, of_hdr_video_is_neither_grey_nor_burnt_out) {
    const MadeMedia media;
    // 58% of PQ is about 200 nits: diffuse white. Marked only, so the code values stay.
    const auto film =
        media.make("hdr.mp4",
                   "-f lavfi -i color=0x949494:s=320x180:d=1 -c:v libx265 -x265-params "
                   "log-level=0 -pix_fmt yuv420p10le -color_primaries bt2020 "
                   "-color_trc smpte2084 -colorspace bt2020nc");
    const auto score = score_of(thumbnail(film, AssetType::video));
    EXPECT_GT(score.brightness, 200);
    EXPECT_LT(score.brightness, 252);
}

TEST(Thumbnail, of_an_image_lays_alpha_over_white) {
    const MadeMedia media;
    const auto image =
        media.make("alpha.png", "-f lavfi -i color=red@0.0:s=64x64,format=rgba -frames:v 1");
    expect_near(color_at(thumbnail(image, AssetType::image), 0.5, 0.5), kWhite, 4);
}

TEST(Thumbnail, of_an_animated_image_is_its_first_picture) {
    const MadeMedia media;
    for (const char* name : {"a.webp", "a.gif", "a.apng"}) {
        const std::string codec = std::string(name) == "a.webp" ? "-c:v libwebp_anim" : "";
        const auto image = media.make(name, kTwoColors + codec);
        const auto picture = thumbnail(image, AssetType::image);
        expect_near(color_at(picture, 0.5, 0.1), kRed);
        expect_near(color_at(picture, 0.5, 0.9), kBlue);
    }
}

TEST(Thumbnail, of_a_song_is_its_cover_else_its_waveform) {
    const MadeMedia media;
    const auto plain = media.make("song.mp3", "-f lavfi -i sine=d=2");
    const auto waveform = thumbnail(plain, AssetType::audio, 1280);
    EXPECT_EQ(waveform.width, 1280);
    EXPECT_EQ(waveform.height, 720);
    EXPECT_GT(score_of(waveform).contrast, 10);  // bars, not an empty ground
    media.make("cover.jpg", kTwoColors + "-frames:v 1");
    const auto covered =
        media.make("covered.mp3",
                   "-i song.mp3 -i cover.jpg -map 0 -map 1 -c copy -disposition:v attached_pic");
    expect_near(color_at(thumbnail(covered, AssetType::audio), 0.5, 0.1), kRed);
}

TEST(Thumbnail, of_noise_is_an_error) {
    const MadeMedia media;
    const auto file = media.write("noise", std::string(5000, '\x55'));
    const base::UniqueFd out(::memfd_create("thumbnail", MFD_CLOEXEC));
    EXPECT_FALSE(make_thumbnail({file.get(), out.get(), 320, AssetType::video}).has_value());
    EXPECT_FALSE(make_thumbnail({file.get(), out.get(), 320, AssetType::image}).has_value());
}

TEST(Picture, every_orientation_comes_upright) {
    // 2 x 1 pixels, red and blue, stored so that each orientation shows red first.
    Frame frame = new_frame();
    frame->width = 2;
    frame->height = 1;
    frame->format = AV_PIX_FMT_RGB24;
    ASSERT_EQ(av_frame_get_buffer(frame.get(), 0), 0);
    const std::array<std::uint8_t, 6> pixels{255, 0, 0, 0, 0, 255};
    std::copy(pixels.begin(), pixels.end(), frame->data[0]);
    struct Row {
        int orientation;
        bool is_upright;  // the row became a column
        bool is_red_first;
    };
    for (const Row& row : {Row{1, false, true},
                           {2, false, false},
                           {3, false, false},
                           {4, false, true},
                           {5, true, true},
                           {6, true, true},
                           {7, true, false},
                           {8, true, false}}) {
        const Turn turn = turn_of(row.orientation);
        auto picture = rgb_of(*frame, turn.degrees, 16).value();
        if (turn.is_mirrored) {
            picture = mirrored(std::move(picture));
        }
        EXPECT_EQ(picture.height, row.is_upright ? 2 : 1) << row.orientation;
        expect_near(color_at(picture, 0, 0), row.is_red_first ? kRed : kBlue);
    }
}

TEST(Picture, scores_tell_a_picture_from_a_blank) {
    RgbPicture blank{64, 64, std::string(64 * 64 * 3, '\x80')};
    EXPECT_LT(score_of(blank).total, 0.05);
    RgbPicture lively = blank;
    std::uint32_t state = 1;
    for (auto& each : lively.rgb) {
        state = state * 1664525 + 1013904223;
        each = static_cast<char>(state >> 24);
    }
    EXPECT_GT(score_of(lively).total, kGoodScore);
}

}  // namespace
}  // namespace kinodex::media
