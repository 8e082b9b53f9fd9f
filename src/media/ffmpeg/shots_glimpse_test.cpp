// Packets looked at alone, against what was filmed.
#include "media/ffmpeg/shots_glimpse.h"

#include <cmath>
#include <map>
#include <vector>

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

/// The packets of a file's video, in decoding order, and what looking at them takes.
struct Film {
    Input input;
    const AVStream* stream = nullptr;
    PacketGlimpses glimpses;
    std::vector<Packet> packets;

    static Film read(int fd) {
        auto input = Input::open(fd);
        EXPECT_TRUE(input && input->find_streams());
        const AVStream* stream = input->best_stream(AVMEDIA_TYPE_VIDEO);
        Film film{std::move(*input), stream, PacketGlimpses::open(*stream).value(), {}};
        for (;;) {
            Packet packet = new_packet();
            if (av_read_frame(film.input.get(), packet.get()) < 0) {
                return film;
            }
            film.packets.push_back(std::move(packet));
        }
    }

    [[nodiscard]] std::int64_t frame_of(std::int64_t time) const {
        return av_rescale_q(time - stream->start_time, stream->time_base, {1, 25});
    }

    /// The packet of one frame and the `more` that come after it in decoding order, by frame.
    std::map<std::int64_t, Glimpse> look(std::int64_t frame, std::size_t more = 0) {
        std::map<std::int64_t, Glimpse> found;
        for (std::size_t i = 0; i < packets.size(); ++i) {
            if (frame_of(packets[i]->pts) == frame) {
                std::vector<const AVPacket*> wanted;
                for (std::size_t k = i; k <= i + more && k < packets.size(); ++k) {
                    wanted.push_back(packets[k].get());
                }
                for (Glimpse& each : glimpses.look(wanted)) {
                    found[frame_of(each.time)] = std::move(each);
                }
            }
        }
        return found;
    }
};

constexpr int kCutFrame = 38;
const std::string kCutFilm =
    "-f lavfi -i testsrc2=s=320x180:r=25 -f lavfi -i mandelbrot=s=320x180:r=25 -filter_complex "
    "\"[0]trim=end_frame=38[a];[1]trim=end_frame=40,setpts=PTS-STARTPTS[b];"
    "[a][b]concat,format=yuv420p\" -c:v libx264 -preset veryfast -g 100 -sc_threshold 0 ";

TEST(PacketGlimpses, first_packet_after_a_cut_is_coded_by_itself) {
    const MadeMedia media;
    const auto file = media.make("cut.mp4", kCutFilm + "-bf 0");
    Film film = Film::read(file.get());
    for (const int frame : {kCutFrame - 1, kCutFrame, kCutFrame + 1}) {
        const auto seen = film.look(frame);
        ASSERT_EQ(seen.size(), 1U) << frame;
        if (frame == kCutFrame) {
            EXPECT_GT(seen.begin()->second.own_share, 0.95);
        } else {
            EXPECT_LT(seen.begin()->second.own_share, 0.5) << frame;
        }
    }
}

TEST(PacketGlimpses, frames_between_are_predicted_from_their_own_scene) {
    const MadeMedia media;
    const auto file =
        media.make("between.mp4", kCutFilm + "-x264-params bframes=3:b-adapt=0:b-pyramid=none");
    Film film = Film::read(file.get());
    // Every fourth frame is predicted from earlier ones only: 36, then 40 with 37 to 39.
    const auto seen = film.look(40, 3);
    ASSERT_EQ(seen.size(), 4U);
    EXPECT_GT(seen.at(37).from_before, 0.8);
    EXPECT_LT(seen.at(37).from_after, 0.15);
    for (const int frame : {38, 39}) {
        EXPECT_GT(seen.at(frame).from_after, 0.8) << frame;
        EXPECT_LT(seen.at(frame).from_before, 0.15) << frame;
    }
}

TEST(PacketGlimpses, tell_how_a_pan_moves) {
    const MadeMedia media;
    const auto file = media.make(
        "pan.mp4",
        "-f lavfi -i mandelbrot=s=1280x720:r=25 -vf "
        "\"trim=end_frame=1,loop=loop=40:size=1,crop=320:180:x='n*12':y=200,format=yuv420p\" "
        "-c:v libx264 -preset veryfast -g 100 -bf 0");
    Film film = Film::read(file.get());
    const auto seen = film.look(20);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_NEAR(std::abs(seen.at(20).motion_x), 12, 1);
    EXPECT_NEAR(seen.at(20).motion_y, 0, 1);
    EXPECT_GT(seen.at(20).moved_share, 0.5);
}

TEST(PacketGlimpses, are_for_codecs_and_sizes_that_allow_them) {
    AVCodecParameters codec{};
    codec.codec_id = AV_CODEC_ID_H264;
    codec.width = 4096;
    codec.height = 2304;
    EXPECT_TRUE(PacketGlimpses::can_tell(codec));
    codec.height = 2306;
    EXPECT_FALSE(PacketGlimpses::can_tell(codec));
    codec.height = 1080;
    codec.codec_id = AV_CODEC_ID_HEVC;
    EXPECT_FALSE(PacketGlimpses::can_tell(codec));
}

TEST(PacketGlimpses, of_damaged_packets_say_little_and_do_no_harm) {
    const MadeMedia media;
    const auto file = media.make("damaged.mp4", kCutFilm + "-bf 0");
    Film film = Film::read(file.get());
    ASSERT_EQ(film.packets.size(), 78U);
    for (const auto& packet : film.packets) {
        ASSERT_GE(av_packet_make_writable(packet.get()), 0);
        for (int at = 6; at < packet->size; at += 5) {
            packet->data[at] = static_cast<std::uint8_t>(packet->data[at] ^ 0x5A);
        }
    }
    for (const int frame : {1, kCutFrame, 60}) {
        for (const auto& [number, seen] : film.look(frame)) {
            EXPECT_GE(seen.own_share, 0);
            EXPECT_LE(seen.own_share, 1);
        }
    }
}

}  // namespace
}  // namespace kinodex::media
