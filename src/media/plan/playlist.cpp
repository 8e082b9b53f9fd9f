#include "media/plan/playlist.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace kinodex::media::plan {
namespace {

constexpr std::uint64_t kMicros = 1'000'000;

/// Ticks as microseconds, to the nearest; ticks are below 2^52 (see the parser), so 128 bits hold.
std::uint64_t micros(std::uint64_t ticks, std::uint32_t timescale) {
    const auto wide = static_cast<unsigned __int128>(ticks) * kMicros + timescale / 2;
    return static_cast<std::uint64_t>(wide / timescale);
}

struct AudioGroup {
    std::string id;
    std::string codecs;
    std::vector<std::size_t> tracks;
    std::uint64_t average_bps = 0;  // of its largest member
    std::uint64_t peak_bps = 0;
};

/// Audio tracks by codec, the default track's group first: a player drops the groups it cannot
/// decode, which works only when a group is of one codec.
std::vector<AudioGroup> audio_groups(const View& view) {
    std::vector<AudioGroup> groups;
    for (std::size_t i = 0; i < view.tracks().size(); ++i) {
        const Track& track = view.tracks()[i];
        if (track.kind != TrackKind::audio) {
            continue;
        }
        auto group = std::ranges::find(groups, track.codecs, &AudioGroup::codecs);
        if (group == groups.end()) {
            groups.push_back({fmt::format("audio{}", groups.size()), track.codecs, {}, 0, 0});
            group = std::prev(groups.end());
        }
        group->tracks.push_back(i);
        group->average_bps = std::max(group->average_bps, track.average_bps);
        group->peak_bps = std::max(group->peak_bps, track.peak_bps);
    }
    const auto first = std::ranges::find_if(groups, [&](const AudioGroup& group) {
        return std::ranges::any_of(group.tracks,
                                   [&](std::size_t i) { return view.tracks()[i].is_default; });
    });
    if (first != groups.end()) {
        std::rotate(groups.begin(), first, std::next(first));
    }
    return groups;
}

std::string track_name(const Track& track, std::size_t number, std::set<std::string>& taken) {
    std::string name = !track.name.empty()       ? track.name
                       : !track.language.empty() ? track.language
                                                 : std::string("Audio");
    if (taken.contains(name)) {
        name += fmt::format(" {}", number + 1);
    }
    taken.insert(name);
    return name;
}

void put_group(std::string& out, const View& view, const AudioGroup& group, const UrlOf& url_of) {
    std::set<std::string> taken;  // NAME is unique within a group (RFC 8216, 4.3.4.1)
    const bool has_default = std::ranges::any_of(
        group.tracks, [&](std::size_t i) { return view.tracks()[i].is_default; });
    for (std::size_t n = 0; n < group.tracks.size(); ++n) {
        const std::size_t i = group.tracks[n];
        const Track& track = view.tracks()[i];
        const bool is_default = has_default ? track.is_default : n == 0;
        auto to = std::back_inserter(out);
        fmt::format_to(to, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME=\"{}\"", group.id,
                       track_name(track, n, taken));
        if (!track.language.empty()) {
            fmt::format_to(to, ",LANGUAGE=\"{}\"", track.language);
        }
        fmt::format_to(to, ",DEFAULT={},AUTOSELECT=YES", is_default ? "YES" : "NO");
        if (track.channels > 0) {
            fmt::format_to(to, ",CHANNELS=\"{}\"", track.channels);
        }
        fmt::format_to(to, ",URI=\"{}\"\n", url_of({Resource::Kind::media_playlist, i, 0}));
    }
}

/// `with`: audio that plays beside `main`; null when `main` is alone or is the audio itself.
void put_variant(std::string& out, const Track& main, std::size_t number, const AudioGroup* with,
                 const std::string& group_id, const UrlOf& url_of) {
    auto to = std::back_inserter(out);
    const std::uint64_t peak = main.peak_bps + (with != nullptr ? with->peak_bps : 0);
    const std::uint64_t average = main.average_bps + (with != nullptr ? with->average_bps : 0);
    fmt::format_to(to, "#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS=\"{}{}{}\"",
                   peak, average, main.codecs, with != nullptr ? "," : "",
                   with != nullptr ? with->codecs : "");
    if (main.width > 0 && main.height > 0) {
        fmt::format_to(to, ",RESOLUTION={}x{}", main.width, main.height);
    }
    if (main.frame_rate_milli > 0) {
        fmt::format_to(to, ",FRAME-RATE={}.{:03}", main.frame_rate_milli / 1000,
                       main.frame_rate_milli % 1000);
    }
    if (!group_id.empty()) {
        fmt::format_to(to, ",AUDIO=\"{}\"", group_id);
    }
    fmt::format_to(to, "\n{}\n", url_of({Resource::Kind::media_playlist, number, 0}));
}

}  // namespace

std::string master_playlist(const View& view, const UrlOf& url_of) {
    std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n";
    const auto groups = audio_groups(view);
    const auto& tracks = view.tracks();
    const auto video = std::ranges::find(tracks, TrackKind::video, &Track::kind);
    if (video == tracks.end()) {
        // Audio alone: a variant per codec, and where a codec has several tracks they form a group.
        for (const AudioGroup& group : groups) {
            const auto chosen = std::ranges::find_if(
                group.tracks, [&](std::size_t i) { return tracks[i].is_default; });
            const std::size_t main = chosen != group.tracks.end() ? *chosen : group.tracks[0];
            if (group.tracks.size() > 1) {
                put_group(out, view, group, url_of);
            }
            put_variant(out, tracks[main], main, nullptr,
                        group.tracks.size() > 1 ? group.id : std::string(), url_of);
        }
        return out;
    }
    for (const AudioGroup& group : groups) {
        put_group(out, view, group, url_of);
    }
    const auto number = static_cast<std::size_t>(video - tracks.begin());
    for (const AudioGroup& group : groups) {
        put_variant(out, *video, number, &group, group.id, url_of);
    }
    if (groups.empty()) {
        put_variant(out, *video, number, nullptr, {}, url_of);
    }
    return out;
}

base::Result<std::string> media_playlist(const View& view, std::size_t track_number,
                                         const UrlOf& url_of) {
    if (track_number >= view.tracks().size()) {
        return base::fail(base::Errc::resource_not_exist, {}, "no such track");
    }
    const Track& track = view.tracks()[track_number];
    std::uint64_t longest = 0;
    for (const Segment& segment : track.segments) {
        longest = std::max(longest, segment.duration);
    }
    // Rounded up: no EXTINF, however it is rounded, may exceed it (RFC 8216, 4.3.3.1).
    const std::uint64_t target = (longest + track.timescale - 1) / track.timescale;
    std::string out = fmt::format(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n",
        target);
    if (!track.init.empty()) {
        out += fmt::format("#EXT-X-MAP:URI=\"{}\"\n",
                           url_of({Resource::Kind::init_segment, track_number, 0}));
    }
    for (std::size_t i = 0; i < track.segments.size(); ++i) {
        const Segment& segment = track.segments[i];
        // Both ends are rounded, not the length: errors do not add up over a long playlist.
        const std::uint64_t length = micros(segment.start + segment.duration, track.timescale) -
                                     micros(segment.start, track.timescale);
        fmt::format_to(std::back_inserter(out), "#EXTINF:{}.{:06},\n{}\n", length / kMicros,
                       length % kMicros, url_of({Resource::Kind::media_segment, track_number, i}));
    }
    out += "#EXT-X-ENDLIST\n";
    return out;
}

}  // namespace kinodex::media::plan
