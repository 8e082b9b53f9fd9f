// The sample tables of MP4 files, read by us, against the packets that FFmpeg's demuxer reads from
// the same files: the same places, sizes, times and key frames, packet for packet.
#include "media/ffmpeg/sample_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "media/ffmpeg/test_media.h"

namespace kinodex::media {
namespace {

const std::string kPicture = "-f lavfi -i testsrc2=size=160x96:rate=30:duration=4 ";
const std::string kSound = "-f lavfi -i sine=frequency=440:duration=4:sample_rate=48000 ";
const std::string kX264 =
    "-c:v libx264 -preset veryfast -bf 3 -b_strategy 0 -g 45 -pix_fmt yuv420p ";
const std::string kBoth = kPicture + kSound + kX264 + "-c:a aac ";

struct DemuxedPacket {
    IndexedSample sample;  // but for the duration, which FFmpeg guesses from the frame rate
    std::int64_t dts = 0;
    bool is_hidden = false;  // there for the decoder only
};

enum class EditLists { ignored, applied };

/// Every packet of the file by stream, as FFmpeg reads them.
std::map<int, std::vector<DemuxedPacket>> demux(const std::string& path, EditLists edits) {
    AVFormatContext* format = nullptr;
    AVDictionary* options = nullptr;
    av_dict_set(&options, "ignore_editlist", edits == EditLists::ignored ? "1" : "0", 0);
    EXPECT_EQ(avformat_open_input(&format, path.c_str(), nullptr, &options), 0) << path;
    av_dict_free(&options);
    std::map<int, std::vector<DemuxedPacket>> packets;
    const Packet packet = new_packet();
    while (format != nullptr && av_read_frame(format, packet.get()) >= 0) {
        DemuxedPacket one;
        one.sample.offset = static_cast<std::uint64_t>(packet->pos);
        one.sample.size = static_cast<std::uint32_t>(packet->size);
        one.sample.pts = packet->pts;
        one.dts = packet->dts;
        one.sample.is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
        one.is_hidden = (packet->flags & AV_PKT_FLAG_DISCARD) != 0;
        packets[packet->stream_index].push_back(one);
        av_packet_unref(packet.get());
    }
    avformat_close_input(&format);
    return packets;
}

SampleIndex index_of(const MadeMedia& media, const std::string& name) {
    const auto source = media.open(name);
    auto input = Input::open(source.get());
    EXPECT_TRUE(input) << name;
    std::vector<int> streams;
    for (unsigned i = 0; input && i < (*input)->nb_streams; ++i) {
        streams.push_back(static_cast<int>(i));
        EXPECT_EQ((*input)->streams[i]->time_base.num, 1);
    }
    auto index = index_mp4(source.get(), input->size_bytes(), *input->get(), streams);
    EXPECT_TRUE(index) << index.error().detail;
    EXPECT_EQ(index->verdict, Playback::packaged);
    EXPECT_EQ(index->tracks.size(), streams.size());
    for (const TrackIndex& track : index->tracks) {
        const AVRational base = (*input)->streams[track.stream]->time_base;
        EXPECT_EQ(track.timescale, static_cast<std::uint32_t>(base.den)) << "the same clock";
    }
    return std::move(*index);
}

/// All but times: FFmpeg's tables with nothing hidden.
void expect_same_bytes(const TrackIndex& track, const std::vector<DemuxedPacket>& packets) {
    // Pictures after the last edit are not in our index.
    ASSERT_LE(track.samples.size(), packets.size());
    ASSERT_FALSE(track.samples.empty());
    const std::int64_t shift = track.samples[0].pts - packets[0].sample.pts;
    for (std::size_t i = 0; i < track.samples.size(); ++i) {
        SCOPED_TRACE("sample " + std::to_string(i));
        const IndexedSample& ours = track.samples[i];
        const IndexedSample& theirs = packets[i].sample;
        EXPECT_EQ(ours.offset, theirs.offset);
        EXPECT_EQ(ours.size, theirs.size);
        EXPECT_EQ(ours.is_key, theirs.is_key);
        EXPECT_EQ(ours.pts - theirs.pts, shift) << "an edit list moves all by the same";
        if (i + 1 < packets.size()) {
            EXPECT_EQ(std::int64_t{ours.duration}, packets[i + 1].dts - packets[i].dts);
        }
    }
}

/// Times as FFmpeg applies edit lists, for what is shown; the rest lies before the start.
/// `lateness`: ticks by which FFmpeg is wrong.
void expect_same_times(const TrackIndex& track, const std::vector<DemuxedPacket>& packets,
                       std::int64_t lateness) {
    std::map<std::uint64_t, const DemuxedPacket*> by_place;
    for (const DemuxedPacket& packet : packets) {
        by_place[packet.sample.offset] = &packet;
    }
    std::size_t shown = 0;
    for (const IndexedSample& ours : track.samples) {
        const auto found = by_place.find(ours.offset);
        const bool is_shown = found != by_place.end() && !found->second->is_hidden;
        if (is_shown) {
            EXPECT_EQ(ours.pts + lateness, found->second->sample.pts) << "at " << ours.offset;
            ++shown;
        } else {
            EXPECT_LT(ours.pts, track.start.value_or(0)) << "at " << ours.offset;
        }
    }
    const auto wanted = std::ranges::count(packets, false, &DemuxedPacket::is_hidden);
    EXPECT_EQ(static_cast<std::ptrdiff_t>(shown), wanted) << "nothing that is shown is missing";
}

struct Clip {
    std::string name;
    std::string arguments;
    std::string source_arguments;  // of source.mp4, where `arguments` have it as their input
    bool has_hidden = false;       // in the first track: pictures before an edit, encoder priming
    /// FFmpeg 5.1 adds the most negative presentation offset to the times of fragments, but takes
    /// it off their decode times in whole files only. A sample's time is its decode time and its
    /// offset (ISO/IEC 14496-12, 8.8.8), so these ticks of the first track are not ours.
    std::int64_t demuxer_lateness = 0;
};

void PrintTo(const Clip& clip, std::ostream* out) {
    *out << clip.name;
}

class IndexedMp4 : public testing::TestWithParam<Clip> {};

TEST_P(IndexedMp4, is_what_the_demuxer_reads) {
    const Clip& clip = GetParam();
    const MadeMedia media;
    if (!clip.source_arguments.empty()) {
        media.make("source.mp4", clip.source_arguments);
    }
    media.make(clip.name, clip.arguments);
    const SampleIndex index = index_of(media, clip.name);
    const auto raw = demux(media.path(clip.name), EditLists::ignored);
    const auto edited = demux(media.path(clip.name), EditLists::applied);
    for (const TrackIndex& track : index.tracks) {
        SCOPED_TRACE("stream " + std::to_string(track.stream));
        expect_same_bytes(track, raw.at(track.stream));
        expect_same_times(track, edited.at(track.stream),
                          track.stream == 0 ? clip.demuxer_lateness : 0);
    }
    const auto& video = edited.at(0);
    EXPECT_EQ(std::ranges::count(video, true, &DemuxedPacket::is_hidden) > 0, clip.has_hidden);
}

INSTANTIATE_TEST_SUITE_P(
    Clips, IndexedMp4,
    testing::Values(
        Clip{"bframes.mp4", kBoth, ""}, Clip{"quicktime.mov", kBoth, ""},
        Clip{"faststart.mp4", kBoth + "-movflags +faststart", ""},
        Clip{"negative.mp4", kBoth + "-movflags +negative_cts_offsets", ""},
        Clip{"vfr.mp4",
             kPicture + kSound + "-vf select='not(mod(n\\,3))+lt(mod(n\\,50)\\,20)' -vsync vfr " +
                 kX264 + "-c:a aac",
             ""},
        Clip{"alone.m4a", kSound + "-c:a aac", "", true},
        Clip{"two.mp4", kPicture + kSound + kSound + "-map 0 -map 1 -map 2 " + kX264 + "-c:a aac",
             ""},
        Clip{"edited.mp4", "-ss 0.7 -i source.mp4 -c copy", kBoth, true},
        Clip{"shortened.mp4", "-ss 0.7 -i source.mp4 -t 2.5 -c copy", kBoth, true},
        Clip{"late_video.mp4",
             "-itsoffset 1.5 -i source.mp4 -i source.mp4 -map 0:v -map 1:a -c copy", kBoth},
        Clip{"late_sound.mp4",
             "-itsoffset 1.5 -i source.mp4 -i source.mp4 -map 1:v -map 0:a -c copy", kBoth},
        Clip{"fragmented.mp4", kBoth + "-movflags frag_keyframe+empty_moov", ""},
        Clip{"delayed.mp4", kBoth + "-movflags frag_keyframe+delay_moov", ""},
        Clip{"base.mp4", kBoth + "-movflags frag_keyframe+delay_moov+default_base_moof", ""},
        Clip{"separate.mp4", kBoth + "-movflags frag_keyframe+delay_moov+separate_moof", ""},
        Clip{"hybrid.mp4", kBoth + "-movflags frag_keyframe -frag_duration 500000", ""},
        Clip{"cmaf.mp4", kPicture + kX264 + "-movflags +cmaf+frag_keyframe+empty_moov", "", false,
             1024},
        Clip{"opus.mp4", kPicture + kSound + kX264 + "-c:a libopus", ""},
        Clip{"mp3.mp4", kPicture + kSound + kX264 + "-c:a libmp3lame", ""}),
    [](const auto& info) { return info.param.name.substr(0, info.param.name.find('.')); });

}  // namespace
}  // namespace kinodex::media
