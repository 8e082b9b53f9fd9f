// A glance says what decoding the whole picture says, and gives up where it cannot.
#include "media/ffmpeg/probe_glance.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "media/ffmpeg/probe.h"
#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

/// Noise, so that a picture is far larger than what a glance keeps.
constexpr const char* kNoise =
    "-f lavfi -i nullsrc=s=320x180:r=25:d=0.4,'geq=random(1)*255:128:128' ";

std::vector<int> side_data_of(const AVFrame& frame) {
    std::vector<int> types;
    for (int i = 0; i < frame.nb_side_data; ++i) {
        types.push_back(frame.side_data[i]->type);
    }
    std::ranges::sort(types);
    return types;
}

struct Film {
    const char* arguments;
    const char* why;
};

TEST(ProbeGlance, says_what_the_whole_picture_says) {
    const Film films[] = {
        {"-c:v libx264 -preset fast", "CABAC"},
        {"-c:v libx264 -preset fast -bf 3 -x264-params cabac=0:slices=4", "CAVLC, four slices"},
        {"-c:v libx264 -preset fast -flags +ildct+ilme -x264-params tff=1", "fields in a frame"},
        {"-c:v libx264 -preset fast -pix_fmt yuv422p10le -color_primaries bt2020 "
         "-color_trc smpte2084 -colorspace bt2020nc",
         "ten bits and colours"},
        {"-c:v libx264 -preset fast -vf crop=318:178 -aspect 4:3", "cropped, an aspect ratio"},
    };
    const MadeMedia media;
    for (const auto& [arguments, why] : films) {
        const auto file = media.make("film.mp4", std::string(kNoise) + arguments);
        auto input = Input::open(file.get());
        ASSERT_TRUE(input.has_value()) << why;
        const AVStream& stream = *input->best_stream(AVMEDIA_TYPE_VIDEO);
        const auto decoder = open_decoder(stream);
        const Frame glance = glance_at_first_frame(*input, stream, **decoder);
        ASSERT_NE(glance, nullptr) << why;
        rewind(*input);
        const auto whole = first_frame(*input, stream);
        ASSERT_TRUE(whole.has_value()) << why;
        EXPECT_EQ(glance->width, (*whole)->width) << why;
        EXPECT_EQ(glance->height, (*whole)->height) << why;
        EXPECT_EQ(glance->format, (*whole)->format) << why;
        EXPECT_EQ(glance->interlaced_frame, (*whole)->interlaced_frame) << why;
        EXPECT_EQ(glance->color_trc, (*whole)->color_trc) << why;
        EXPECT_EQ(glance->color_primaries, (*whole)->color_primaries) << why;
        EXPECT_EQ(glance->colorspace, (*whole)->colorspace) << why;
        EXPECT_EQ(glance->color_range, (*whole)->color_range) << why;
        EXPECT_EQ(av_cmp_q(glance->sample_aspect_ratio, (*whole)->sample_aspect_ratio), 0) << why;
        EXPECT_EQ(side_data_of(*glance), side_data_of(**whole)) << why;
    }
}

TEST(ProbeGlance, keeps_the_beginning_of_one_slice) {
    const MadeMedia media;
    const auto file = media.make("film.mp4", std::string(kNoise) + "-c:v libx264 -preset fast");
    auto input = Input::open(file.get());
    ASSERT_TRUE(input.has_value());
    const AVStream& stream = *input->best_stream(AVMEDIA_TYPE_VIDEO);
    const Packet packet = new_packet();
    ASSERT_GE(av_read_frame(input->get(), packet.get()), 0);
    ASSERT_GT(packet->size, 8 * kGlanceSliceBytes);
    const Packet beginning = beginning_of(*packet, stream);
    ASSERT_NE(beginning, nullptr);
    EXPECT_GT(beginning->size, kGlanceSliceBytes);
    EXPECT_LT(beginning->size, 3 * kGlanceSliceBytes) << "and what stands before the slice";
    EXPECT_EQ(beginning->pts, packet->pts);
    // Lengths that lie, in every byte of them, are left to the whole decoder.
    for (int size = 0; size < 8; ++size) {
        av_shrink_packet(packet.get(), size);
        EXPECT_EQ(beginning_of(*packet, stream), nullptr) << size;
    }
}

TEST(ProbeGlance, leaves_other_codecs_alone) {
    const MadeMedia media;
    const auto file = media.make("film.mp4", std::string(kNoise) + "-c:v mpeg4");
    auto input = Input::open(file.get());
    ASSERT_TRUE(input.has_value());
    const AVStream& stream = *input->best_stream(AVMEDIA_TYPE_VIDEO);
    const auto decoder = open_decoder(stream);
    EXPECT_EQ(glance_at_first_frame(*input, stream, **decoder), nullptr);
}

}  // namespace
}  // namespace kinodex::media
