// The thread beside: the same result as without it, bounded, and no hanging on errors.
#include "media/ffmpeg/audio_lane.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/ffmpeg/input.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

/// The packets of a sound file and where they come from.
struct Sound {
    Input input;
    const AVStream* stream = nullptr;
    std::vector<Packet> packets;

    static Sound read(int fd) {
        auto input = Input::open(fd);
        EXPECT_TRUE(input && input->find_streams());
        const AVStream* stream = input->best_stream(AVMEDIA_TYPE_AUDIO);
        Sound sound{std::move(*input), stream, {}};
        for (;;) {
            Packet packet = new_packet();
            if (av_read_frame(sound.input.get(), packet.get()) < 0) {
                return sound;
            }
            sound.packets.push_back(std::move(packet));
        }
    }
};

std::string bytes_of(int fd) {
    struct stat info{};
    EXPECT_EQ(::fstat(fd, &info), 0);
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    EXPECT_EQ(::pread(fd, bytes.data(), bytes.size(), 0), info.st_size);
    return bytes;
}

// More packets than may wait: the queue fills, as reading is faster than decoding.
const std::string kMuchSound = "-f lavfi -i aevalsrc='0.3*sin(440*2*PI*t)|0.1*random(0)':d=40 ";

TEST(AudioLane, gives_what_the_track_gives) {
    const MadeMedia media;
    const auto file = media.make("much.m4a", kMuchSound + "-c:a aac");
    const Sound sound = Sound::read(file.get());
    ASSERT_GT(sound.packets.size(), 2 * kAudioPacketsMax);
    const base::UniqueFd beside(::memfd_create("beside", MFD_CLOEXEC));
    const base::UniqueFd alone(::memfd_create("alone", MFD_CLOEXEC));
    auto lane = AudioLane::open(*sound.stream, 0, beside.get());
    auto track = AudioTrack::open(*sound.stream, 0, alone.get());
    ASSERT_TRUE(lane && track);
    for (const auto& packet : sound.packets) {
        ASSERT_TRUE(lane->push(*packet));
        ASSERT_TRUE(track->push(*packet));
    }
    const auto of_lane = lane->finish();
    const auto of_track = track->finish();
    ASSERT_TRUE(of_lane && *of_lane && of_track && *of_track);
    EXPECT_EQ((*of_lane)->loudness_lufs, (*of_track)->loudness_lufs);
    EXPECT_EQ((*of_lane)->true_peak_dbtp, (*of_track)->true_peak_dbtp);
    EXPECT_EQ(bytes_of(beside.get()), bytes_of(alone.get()));
}

TEST(AudioLane, takes_packets_larger_than_all_that_may_wait) {
    const MadeMedia media;
    const auto file = media.make("large.wav", "-f lavfi -i sine=d=1");
    const Sound sound = Sound::read(file.get());
    ASSERT_FALSE(sound.packets.empty());
    const Packet large = new_packet();
    ASSERT_GE(av_new_packet(large.get(), static_cast<int>(kAudioPacketBytesMax) + 2), 0);
    std::fill_n(large->data, large->size, std::uint8_t{0});
    const base::UniqueFd wav(::memfd_create("wav", MFD_CLOEXEC));
    auto lane = AudioLane::open(*sound.stream, 0, wav.get());
    ASSERT_TRUE(lane);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(lane->push(*large));
    }
    const auto report = lane->finish();
    ASSERT_TRUE(report && *report);
    EXPECT_NEAR((*report)->duration_sec, 3.0 * (kAudioPacketBytesMax + 2) / 2 / 44100, 0.01);
}

TEST(AudioLane, tells_of_a_file_that_takes_no_more) {
    const MadeMedia media;
    const auto file = media.make("much.m4a", kMuchSound + "-c:a aac");
    const Sound sound = Sound::read(file.get());
    auto lane = AudioLane::open(*sound.stream, 0, file.get());  // open for reading only
    ASSERT_TRUE(lane);
    base::Result<void> pushed;
    for (std::size_t i = 0; i < sound.packets.size() && pushed; ++i) {
        pushed = lane->push(*sound.packets[i]);
    }
    const auto finished = lane->finish();
    EXPECT_FALSE(pushed && finished);
}

TEST(AudioLane, left_in_the_middle_ends_its_thread) {
    const MadeMedia media;
    const auto file = media.make("short.m4a", "-f lavfi -i sine=d=5 -c:a aac");
    const Sound sound = Sound::read(file.get());
    const base::UniqueFd wav(::memfd_create("wav", MFD_CLOEXEC));
    auto lane = AudioLane::open(*sound.stream, 0, wav.get());
    ASSERT_TRUE(lane);
    for (const auto& packet : sound.packets) {
        ASSERT_TRUE(lane->push(*packet));
    }
    // Without `finish`: joined by the destructor, or this would never come back.
}

}  // namespace
}  // namespace kinodex::media
