// Plans are written from random sample tables and read back; what is served from them must be the
// sample table again. Then plans are damaged, byte by byte and field by field, and must be refused
// or stay within their bounds. Random cases print the seed that replays them.
#include "media/plan/plan.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "base/check.h"
#include "media/plan/format.h"
#include "media/plan/playlist.h"
#include "media/plan/segment.h"
#include "media/plan/writer.h"

namespace kinodex::media::plan {
namespace {

using Random = std::mt19937_64;

std::uint64_t pick(Random& random, std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(random);
}

ReadAt read_memory(const Bytes& bytes) {
    return [&bytes](std::uint64_t offset, std::span<std::byte> into) -> base::Result<void> {
        if (offset > bytes.size() || into.size() > bytes.size() - offset) {
            return base::fail(base::Errc::internal, {}, "past the end");
        }
        std::memcpy(into.data(), bytes.data() + offset, into.size());
        return {};
    };
}

struct Case {
    std::vector<TrackPlan> tracks;
    Bytes source;
};

Bytes random_bytes(Random& random, std::size_t count) {
    Bytes bytes(count);
    for (std::byte& each : bytes) {
        each = static_cast<std::byte>(pick(random, 0, 255));
    }
    return bytes;
}

TrackPlan random_track(Random& random, TrackKind kind, std::uint64_t source_bytes) {
    TrackPlan track;
    const bool is_video = kind == TrackKind::video;
    track.info.kind = kind;
    track.info.codecs = is_video ? "avc1.64001f" : "mp4a.40.2";
    track.info.timescale = is_video ? 15360 : 48000;
    track.info.init = random_bytes(random, pick(random, 1, 900));
    track.decode_start = pick(random, 0, 3) == 0 ? pick(random, 1, 50'000) : 0;
    const std::size_t count = pick(random, 1, 1500);
    for (std::size_t i = 0; i < count; ++i) {
        Sample sample;
        sample.size = static_cast<std::uint32_t>(pick(random, 0, 300));
        sample.offset = pick(random, 0, source_bytes - sample.size);
        if (i > 0 && pick(random, 0, 2) > 0) {  // mostly in file order, some of it touching
            const Sample& last = track.samples.back();
            const std::uint64_t next = last.offset + last.size + pick(random, 0, 1) * 17;
            sample.offset = next + sample.size <= source_bytes ? next : sample.offset;
        }
        sample.duration = static_cast<std::uint32_t>(is_video ? pick(random, 1, 1500) : 1024);
        sample.cts_offset = is_video ? static_cast<std::int32_t>(pick(random, 0, 3000)) - 900 : 0;
        sample.is_key = !is_video || i == 0 || pick(random, 0, 40) == 0;
        track.samples.push_back(sample);
    }
    return track;
}

Case random_case(Random& random) {
    Case made;
    made.source = random_bytes(random, 60'000);
    if (pick(random, 0, 4) > 0) {
        made.tracks.push_back(random_track(random, TrackKind::video, made.source.size()));
    }
    while (made.tracks.empty() || (made.tracks.size() < 4 && pick(random, 0, 1) > 0)) {
        made.tracks.push_back(random_track(random, TrackKind::audio, made.source.size()));
    }
    return made;
}

base::Result<Bytes> write(const Case& from) {
    Bytes plan;
    const auto append = [&](std::span<const std::byte> bytes) -> base::Result<void> {
        plan.insert(plan.end(), bytes.begin(), bytes.end());
        return {};
    };
    KN_PASS(write_plan_file(from.tracks, from.source.size(), append));
    return plan;
}

Bytes expected_payload(const Case& from, std::size_t track, const Segment& segment) {
    Bytes payload;
    for (std::size_t i = 0; i < segment.samples; ++i) {
        const Sample& sample = from.tracks[track].samples[segment.first_sample + i];
        const auto* start = from.source.data() + sample.offset;
        payload.insert(payload.end(), start, start + sample.size);
    }
    return payload;
}

std::uint32_t be32(std::span<const std::byte> bytes, std::size_t at) {
    Taker take(bytes.subspan(at));
    return take.be<std::uint32_t>();
}

TEST(Plan, random_tables_come_back_as_they_were) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        const Case made = random_case(random);
        const auto plan = write(made);
        ASSERT_TRUE(plan) << plan.error().detail;
        const auto view = View::open(read_memory(*plan), plan->size(), made.source.size());
        ASSERT_TRUE(view) << view.error().detail;
        ASSERT_EQ(view->tracks().size(), made.tracks.size());
        for (std::size_t t = 0; t < made.tracks.size(); ++t) {
            const Track& track = view->tracks()[t];
            EXPECT_EQ(track.init, made.tracks[t].info.init);
            EXPECT_EQ(track.sample_count, made.tracks[t].samples.size());
            std::vector<Sample> all;
            std::uint64_t ticks = made.tracks[t].decode_start;
            for (std::size_t s = 0; s < track.segments.size(); ++s) {
                EXPECT_EQ(track.segments[s].decode_time, ticks);
                const auto samples = view->samples(t, s);
                ASSERT_TRUE(samples) << samples.error().detail;
                for (const Sample& sample : *samples) {
                    ticks += sample.duration;
                    all.push_back(sample);
                }
            }
            EXPECT_EQ(all, made.tracks[t].samples);
            EXPECT_EQ(track.duration, ticks);  // the first segment counts from playlist zero
        }
    }
}

TEST(Segment, bytes_are_the_samples_and_any_part_equals_the_whole) {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        const Case made = random_case(random);
        const auto plan = write(made);
        ASSERT_TRUE(plan);
        const auto view = View::open(read_memory(*plan), plan->size(), made.source.size());
        ASSERT_TRUE(view);
        const auto source = read_memory(made.source);
        for (std::size_t t = 0; t < made.tracks.size(); ++t) {
            const auto& segments = view->tracks()[t].segments;
            const std::size_t s = pick(random, 0, segments.size() - 1);
            const auto layout = segment_layout(*view, t, s);
            ASSERT_TRUE(layout);
            const auto bytes = build_segment(*layout, source);
            ASSERT_TRUE(bytes);
            EXPECT_EQ(*segment_bytes(*view, t, s), bytes->size());
            EXPECT_EQ(layout->total_bytes, bytes->size());
            // styp, moof, mdat, with nothing before, between or after.
            const std::size_t moof = be32(*bytes, 0);
            const std::size_t mdat = moof + be32(*bytes, moof);
            EXPECT_EQ(mdat + be32(*bytes, mdat), bytes->size());
            const Bytes payload(bytes->begin() + static_cast<std::ptrdiff_t>(mdat + 8),
                                bytes->end());
            EXPECT_EQ(payload, expected_payload(made, t, segments[s]));
            for (int i = 0; i < 20; ++i) {
                const std::size_t at = pick(random, 0, bytes->size());
                Bytes part(pick(random, 0, bytes->size() - at));
                ASSERT_TRUE(read_segment(*layout, source, at, part));
                EXPECT_TRUE(std::equal(part.begin(), part.end(),
                                       bytes->begin() + static_cast<std::ptrdiff_t>(at)));
            }
            Bytes beyond(1);
            EXPECT_EQ(read_segment(*layout, source, bytes->size(), beyond).error().code,
                      base::Errc::range_not_satisfiable);
        }
    }
}

/// A second of 25 pictures with a key frame each second, for `seconds`; and sound beside it.
Case steady_case(int seconds) {
    Case made;
    made.source.resize(4000);
    TrackPlan video;
    video.info.kind = TrackKind::video;
    video.info.codecs = "avc1.64001f";
    video.info.timescale = 25;
    video.info.width = 1280;
    video.info.height = 720;
    video.info.frame_rate_milli = 25'000;
    video.info.init = Bytes(10);
    for (int i = 0; i < seconds * 25; ++i) {
        video.samples.push_back({0, 100, 1, 0, i % 25 == 0});
    }
    TrackPlan audio;
    audio.info.kind = TrackKind::audio;
    audio.info.codecs = "mp4a.40.2";
    audio.info.timescale = 48'000;
    audio.info.language = "de";
    audio.info.channels = 2;
    audio.info.is_default = true;
    audio.info.init = Bytes(10);
    audio.playlist_shift = -1024;  // one frame of priming
    for (int i = 0; i * 1024 < seconds * 48'000 + 1024; ++i) {
        audio.samples.push_back({3000, 10, 1024, 0, true});
    }
    made.tracks = {audio, video};  // the writer puts the video first
    return made;
}

std::string name_of(const Resource& resource) {
    const auto t = std::to_string(resource.track);
    switch (resource.kind) {
        case Resource::Kind::media_playlist:
            return t + ".m3u8?sig=x";
        case Resource::Kind::init_segment:
            return t + "/init?sig=x";
        case Resource::Kind::media_segment:
            break;
    }
    return t + "/" + std::to_string(resource.segment);
}

struct Opened {
    Bytes plan;
    View view;
};

Opened open_case(const Case& made) {
    auto plan = write(made);
    KN_CHECK(plan, "the case is sound");
    auto kept = std::make_shared<Bytes>(*plan);
    auto read = [kept](std::uint64_t at, std::span<std::byte> into) {
        return read_memory(*kept)(at, into);
    };
    auto view = View::open(read, plan->size(), made.source.size());
    KN_CHECK(view, "the plan is sound");
    return {*plan, *view};
}

TEST(Playlist, master_names_video_with_its_audio_group) {
    const auto [plan, view] = open_case(steady_case(14));
    const std::string text = master_playlist(view, name_of);
    const auto bits = [](const Track& t) { return t.peak_bps; };
    const std::string bandwidth = std::to_string(bits(view.tracks()[0]) + bits(view.tracks()[1]));
    EXPECT_NE(text.find("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"),
              std::string::npos);
    EXPECT_NE(text.find("#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio0\",NAME=\"de\",LANGUAGE=\"de\","
                        "DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"1.m3u8?sig=x\"\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("#EXT-X-STREAM-INF:BANDWIDTH=" + bandwidth), std::string::npos) << text;
    EXPECT_NE(text.find("CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=25.000,"
                        "AUDIO=\"audio0\"\n0.m3u8?sig=x\n"),
              std::string::npos)
        << text;
}

TEST(Playlist, media_has_exact_durations_and_audio_cut_with_the_video) {
    const auto [plan, view] = open_case(steady_case(14));
    EXPECT_EQ(*media_playlist(view, 0, name_of),
              "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
              "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
              "#EXT-X-MAP:URI=\"0/init?sig=x\"\n"
              "#EXTINF:6.000000,\n0/0\n#EXTINF:6.000000,\n0/1\n#EXTINF:2.000000,\n0/2\n"
              "#EXT-X-ENDLIST\n");
    // Frames of 21.3 ms, shifted by one of priming: each cut is the first at or after the video's.
    const std::string audio = *media_playlist(view, 1, name_of);
    EXPECT_NE(audio.find("#EXTINF:6.016000,\n1/0\n#EXTINF:5.994667,\n1/1\n#EXTINF:2.005333,\n1/2"),
              std::string::npos)
        << audio;
    EXPECT_EQ(media_playlist(view, 2, name_of).error().code, base::Errc::resource_not_exist);
    EXPECT_EQ(view.samples(0, 3).error().code, base::Errc::resource_not_exist);
    EXPECT_EQ(segment_bytes(view, 0, 3).error().code, base::Errc::resource_not_exist);
}

TEST(Playlist, audio_alone_is_a_variant_and_hostile_names_are_dropped) {
    Case made = steady_case(10);
    made.tracks.pop_back();
    made.tracks.push_back(made.tracks[0]);
    made.tracks[1].info.is_default = false;
    made.tracks[1].info.name = "x\"\n#EXT-X-EVIL";
    made.tracks[1].info.language = "e\"n";
    const auto [plan, view] = open_case(made);
    const std::string text = master_playlist(view, name_of);
    EXPECT_EQ(text.find("EVIL"), std::string::npos);
    EXPECT_NE(text.find("CODECS=\"mp4a.40.2\",AUDIO=\"audio0\"\n0.m3u8?sig=x\n"), std::string::npos)
        << text;
    EXPECT_NE(text.find("NAME=\"Audio\",DEFAULT=NO"), std::string::npos) << text;
    EXPECT_EQ(view.tracks()[0].segments.size(), 2U);
}

TEST(Segment, packed_audio_starts_with_its_time) {
    Case made = steady_case(14);
    made.tracks[0].info.init.clear();
    made.tracks[0].playlist_shift = 0;
    const auto [plan, view] = open_case(made);
    const auto layout = segment_layout(view, 1, 1);
    ASSERT_TRUE(layout);
    EXPECT_EQ(segment_type(view.tracks()[1]), "audio/mpeg");
    EXPECT_EQ(std::memcmp(layout->head.data(), "ID3", 3), 0);
    Taker take(std::span(layout->head).last(8));
    EXPECT_EQ(take.be<std::uint64_t>(), view.tracks()[1].segments[1].decode_time * 90 / 48);
    EXPECT_EQ(media_playlist(view, 1, name_of)->find("EXT-X-MAP"), std::string::npos);
}

TEST(Writer, refuses_what_the_reader_would_refuse) {
    Case outside = steady_case(2);
    outside.tracks[0].samples[3].offset = 3995;
    EXPECT_EQ(write(outside).error().code, base::Errc::file_unprocessable);
    Case empty = steady_case(2);
    empty.tracks[1].samples.clear();
    EXPECT_EQ(write(empty).error().code, base::Errc::file_unprocessable);
    Case far = steady_case(1);
    far.tracks.erase(far.tracks.begin());
    far.tracks[0].samples.assign(kSegmentSamplesMax + 1, {0, 1, 1, 0, false});
    far.tracks[0].samples[0].is_key = true;
    EXPECT_EQ(write(far).error().code, base::Errc::file_unprocessable);
    EXPECT_EQ(write({}).error().code, base::Errc::file_unprocessable);
}

void seal(Bytes& plan) {
    Taker take(std::span(plan).subspan(16));
    const auto header = static_cast<std::size_t>(take.le<std::uint64_t>());
    if (header < kChecksumEnd || header > plan.size()) {
        return;
    }
    Bytes sum;
    put_le(sum, header_checksum(std::span(plan).first(header).subspan(kChecksumEnd)));
    std::memcpy(plan.data() + 12, sum.data(), sum.size());
}

TEST(View, refuses_every_damaged_header_byte_and_every_shorter_file) {
    const Case made = steady_case(8);
    const Bytes plan = *write(made);
    const std::size_t header = static_cast<std::size_t>([&] {
        Taker take(std::span(plan).subspan(16));
        return take.le<std::uint64_t>();
    }());
    for (std::size_t i = 0; i < header; ++i) {
        Bytes damaged = plan;
        damaged[i] ^= std::byte{0x10};
        EXPECT_FALSE(View::open(read_memory(damaged), plan.size(), made.source.size())) << i;
    }
    for (std::size_t size = 0; size < plan.size(); size += 1 + size / 50) {
        const Bytes cut(plan.begin(), plan.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(View::open(read_memory(cut), size, made.source.size())) << size;
    }
    EXPECT_FALSE(View::open(read_memory(plan), plan.size(), made.source.size() + 1));
}

/// Whatever opens must be safe to serve: no read outside the source, lengths as promised.
void serve_all(const View& view, const Bytes& source) {
    const auto read = read_memory(source);
    (void)master_playlist(view, name_of);
    for (std::size_t t = 0; t < view.tracks().size(); ++t) {
        (void)media_playlist(view, t, name_of);
        for (std::size_t s = 0; s < view.tracks()[t].segments.size(); ++s) {
            const auto layout = segment_layout(view, t, s);
            if (!layout) {
                continue;
            }
            EXPECT_EQ(layout->total_bytes, *segment_bytes(view, t, s));
            const auto bytes = build_segment(*layout, read);
            EXPECT_TRUE(bytes) << bytes.error().detail;
        }
    }
}

TEST(View, survives_a_writer_that_lies) {
    std::size_t opened = 0;
    for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Random random(seed);
        const Case made = steady_case(8);
        Bytes plan = *write(made);
        for (std::uint64_t n = pick(random, 1, 3); n > 0; --n) {
            // Half of the damage in the header, where the structure is; half in the records.
            const std::size_t at =
                pick(random, 0, 1) == 0 ? pick(random, 16, 700) : pick(random, 16, plan.size() - 1);
            constexpr std::array<int, 5> kNasty = {0, 1, 0x7F, 0x80, 0xFF};
            plan[at] = static_cast<std::byte>(kNasty[pick(random, 0, 4)]);
        }
        seal(plan);
        const auto view = View::open(read_memory(plan), plan.size(), made.source.size());
        if (view) {
            ++opened;
            serve_all(*view, made.source);
        }
    }
    EXPECT_GT(opened, 100U);  // else the damage never got past the checks and proved nothing
}

TEST(Text, quotable_takes_utf8_and_nothing_that_ends_a_line) {
    EXPECT_TRUE(is_quotable("Español 日本語"));
    for (const std::string_view bad :
         {"a\"b", "a\nb", "\x7F", "\xC2\x85", "\xC3", "\xFF", "\xC0\x80"}) {
        EXPECT_FALSE(is_quotable(bad)) << bad;
    }
    EXPECT_TRUE(is_token("hvc1.1.6.L93.B0"));
    EXPECT_FALSE(is_token("a b"));
}

}  // namespace
}  // namespace kinodex::media::plan
