"""HLS: playlists and segments over HTTP, and that they decode to exactly their source."""

import re
import subprocess
import threading

import pytest

from lib.hls import Stream, frame_hashes, packet_hashes, shown_times
from lib.server import wait_until
from media.maker import clip

PASSED_THROUGH = ["h264_aac", "h264_moov_last", "h264_bframes", "h264_opengop", "h264_silent",
                  "h264_start_offset", "h264_vfr", "h264_ts", "h264_fragmented", "h264_ac3",
                  "h264_mp3", "h264_flac", "h264_opus", "hevc_aac", "av1_opus", "vp9_opus",
                  "two_audio", "rotated_90", "hdr", "long_8s_10fps", "wide_30fps"]
LENGTH = "@14"  # long enough for three segments, so that their seams are looked at
TRANSCODED = ["mpeg4_mp3", "mpeg2_mp2", "prores_pcm"]
SOUND_PASSED = ["h264_aac", "h264_bframes", "h264_start_offset", "h264_ac3", "h264_mp3",
                "h264_flac", "h264_opus", "hevc_aac", "av1_opus", "vp9_opus", "h264_fragmented"]


@pytest.fixture(scope="module")
def streams(api):
    """Uploads a clip with HLS once and returns its Stream."""
    kept = {}

    def get(name):
        if name not in kept:
            made = api.upload(clip(name), enable_hls="true")
            kept[name] = Stream(api.http, manifest_url(api, made["_id"]))
        return kept[name]

    return get


def manifest_url(api, asset, limit_sec=60):
    def ready():
        part = api.get("/assets/" + asset).json()["hls"]
        assert part["status"] != "error", part
        return part.get("manifest_url")

    return wait_until(ready, limit_sec, "HLS")


# --- what comes out is what went in ---------------------------------------------------------

@pytest.mark.parametrize("name", PASSED_THROUGH)
def test_video_decodes_to_exactly_the_source(streams, tmp_path, name):
    name += LENGTH
    stream = streams(name)
    whole = stream.save(stream.video, tmp_path / "video.mp4")
    wanted = unturned_hashes(clip(name))
    assert unturned_hashes(whole) == wanted and len(wanted) >= 40


def unturned_hashes(path):
    """Rotation is a note in the container: it must not matter to the decoded frames."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-noautorotate", "-i", path, "-map", "0:v:0",
                           "-fps_mode", "passthrough", "-f", "framemd5", "pipe:1"],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [line.split(",")[5].strip() for line in done.stdout.splitlines()
            if line and not line.startswith("#")]


@pytest.mark.parametrize("name", SOUND_PASSED)
def test_sound_is_passed_through_packet_by_packet(streams, tmp_path, name):
    name += LENGTH
    stream = streams(name)
    whole = stream.save(stream.sound, tmp_path / "sound.mp4")
    assert packet_hashes(whole, "a:0") == packet_hashes(clip(name), "a:0")


@pytest.mark.parametrize("name", PASSED_THROUGH)
def test_frames_keep_their_distances(streams, tmp_path, name):
    name += LENGTH
    stream = streams(name)
    got = shown_times(stream.save(stream.video, tmp_path / "video.mp4"))
    wanted = shown_times(clip(name))
    assert [t - got[0] for t in got] == pytest.approx([t - wanted[0] for t in wanted], abs=0.002)


@pytest.mark.parametrize("name", SOUND_PASSED + ["edit_list", "h264_ts"])
def test_sound_stays_in_step_with_the_picture(streams, tmp_path, name):
    name += LENGTH
    stream = streams(name)
    got = first_shown(stream.save(stream.sound, tmp_path / "a.mp4"), "a:0") \
        - first_shown(stream.save(stream.video, tmp_path / "v.mp4"), "v:0")
    wanted = first_shown(clip(name), "a:0") - first_shown(clip(name), "v:0")
    assert got == pytest.approx(wanted, abs=0.03), "seconds of sound ahead of the picture"


def first_shown(path, stream):
    """When the first decoded frame is shown: edit lists and priming are applied."""
    done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries",
                           "frame=pts_time", "-read_intervals", "%+2", "-of", "csv=p=0", path],
                          capture_output=True, text=True, timeout=60)
    times = [float(w) for line in done.stdout.splitlines() if (w := line.split(",")[0].strip())
             and w != "N/A"]
    return min(t for t in times if t > -0.001)


def test_edit_list_hides_what_it_hides(streams, tmp_path):
    # The source shows from 0.7 s on; the key frame before that is in the file but not shown.
    stream = streams("edit_list" + LENGTH)
    wanted = frame_hashes(clip("edit_list" + LENGTH))
    got = frame_hashes(stream.save(stream.video, tmp_path / "video.mp4"))
    assert got[-len(wanted):] == wanted
    assert stream.video.duration == pytest.approx(len(wanted) / 25, abs=0.05) \
        or len(got) == len(wanted)


@pytest.mark.parametrize("name", TRANSCODED)
def test_what_no_browser_plays_is_transcoded_to_h264_and_aac(streams, tmp_path, name):
    stream = streams(name)
    codecs = stream.variants[0]["CODECS"]
    assert "avc1." in codecs and "mp4a.40" in codecs
    whole = stream.save(stream.video, tmp_path / "video.mp4")
    assert len(frame_hashes(whole)) == pytest.approx(len(frame_hashes(clip(name))), abs=1)
    assert stream.video.duration == pytest.approx(5.0, abs=0.1)


def test_transcoding_shows_processing_until_it_is_ready(api):
    made = api.upload(clip("prores_pcm"), enable_hls="true")
    first = api.get("/assets/" + made["_id"]).json()
    assert first["status"] == "ready", "the asset is usable meanwhile"
    assert first["hls"]["status"] in ("pending", "processing", "ready")
    assert manifest_url(api, made["_id"])


@pytest.mark.parametrize("name", ["tone_mp3", "tone_m4a", "tone_flac", "tone_wav", "tone_ogg",
                                  "cover_mp3"])
def test_audio_assets_play_too(streams, tmp_path, name):
    stream = streams(name)
    playlist = stream.sound or stream.video
    whole = stream.save(playlist, tmp_path / "sound.mp4")
    times = shown_times(whole, "a:0")
    assert times[-1] == pytest.approx(5.0, abs=0.15)
    assert playlist.duration == pytest.approx(5.0, abs=0.15)


# --- playlists ------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["h264_aac", "h264_silent", "h264_start_offset", "h264_vfr",
                                  "vp9_opus", "hevc_aac", "av1_opus", "h264_ts"])
def test_media_playlists_follow_the_rules(streams, name):
    stream = streams(name + LENGTH)
    for playlist in stream.playlists.values():
        assert playlist.is_vod and playlist.ended and playlist.version >= 6
        assert playlist.init_url, "fMP4 needs EXT-X-MAP"
        assert "#EXT-X-INDEPENDENT-SEGMENTS" in playlist.text + stream.manifest.text
        assert all(round(s.duration) <= playlist.target for s in playlist.segments)
        assert not any(s.discontinuity for s in playlist.segments)
        assert playlist.duration == pytest.approx(14.0, abs=0.1)


@pytest.mark.parametrize("name", ["h264_aac", "h264_bframes", "h264_start_offset", "h264_vfr",
                                  "vp9_opus", "hevc_aac"])
def test_segment_durations_are_exact(streams, tmp_path, name):
    # On the stream's clock, which starts at 0 with its earliest track, each segment begins where
    # the sum of the durations before it says.
    stream = streams(name + LENGTH)
    playlist = stream.video
    init = stream.fetch(playlist.init_url).content
    starts = []
    for number, segment in enumerate(playlist.segments):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(init + stream.fetch(segment.url).content)
        starts.append(shown_times(path)[0])
    told = [segment.duration for segment in playlist.segments[:-1]]
    assert len(told) >= 1, "one segment would prove nothing"
    sums = [sum(told[:n + 1]) for n in range(len(told))]
    assert sums == pytest.approx(starts[1:], abs=0.002)
    assert 0 <= starts[0] < 0.1


def test_each_segment_starts_with_a_key_frame(streams, tmp_path):
    stream = streams("h264_bframes" + LENGTH)
    assert len(stream.video.segments) >= 2
    init = stream.fetch(stream.video.init_url).content
    for segment in stream.video.segments:
        path = tmp_path / "one.mp4"
        path.write_bytes(init + stream.fetch(segment.url).content)
        done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=flags", "-of",
                               "csv=p=0", path], capture_output=True, text=True, timeout=30)
        assert done.stdout.startswith("K"), done.stdout[:20]


CODECS = {"h264_aac": r"^avc1\.[0-9a-fA-F]{6},mp4a\.40\.2$", "h264_silent": r"^avc1\.[0-9a-fA-F]{6}$",
          "hevc_aac": r"^hvc1\.[0-9A-Za-z.]+,mp4a\.40\.2$", "av1_opus": r"^av01\.\d\.\d\d[MH]\.08.*,opus$",
          "vp9_opus": r"^vp09\.\d\d\.\d\d\.08.*,opus$", "h264_ac3": r"^avc1\.\w+,ac-3$",
          "h264_flac": r"^avc1\.\w+,fLaC$", "h264_mp3": r"^avc1\.\w+,mp4a\.(40\.34|6[bB]|69)$"}


@pytest.mark.parametrize("name", list(CODECS))
def test_master_tells_codecs_size_rate_and_bandwidth(streams, name):
    variant = streams(name).variants[0]
    assert re.match(CODECS[name], variant["CODECS"].replace(" ", ""), re.IGNORECASE)
    assert variant["RESOLUTION"] == "640x360"
    assert float(variant["FRAME-RATE"]) == 25
    stream = streams(name)
    peak = sum(peak_rate(stream, playlist) for playlist in stream.playlists.values())
    assert int(variant["BANDWIDTH"]) >= 0.95 * peak, "no segment may exceed the bandwidth told"


def peak_rate(stream, playlist):
    return max(8 * len(stream.fetch(s.url).content) / max(s.duration, 0.5)
               for s in playlist.segments)


def test_every_audio_track_is_offered(streams):
    audio = streams("two_audio").audio
    assert [one.get("LANGUAGE") for one in audio] in (["eng", "fra"], ["en", "fr"])
    assert [one.get("DEFAULT") for one in audio].count("YES") == 1
    assert len({one["NAME"] for one in audio}) == 2


def test_no_audio_group_without_sound(streams):
    stream = streams("h264_silent")
    assert not stream.audio and "AUDIO" not in stream.variants[0]


def test_hls_is_ready_at_once_for_what_needs_no_transcoding(api):
    made = api.upload(clip("h264_aac"), enable_hls="true")
    assert api.get("/assets/" + made["_id"]).json()["hls"]["status"] == "ready"


# --- HTTP -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def urls(streams):
    stream = streams("h264_aac")
    return {"master": str(stream.manifest.url), "media": stream.video.url,
            "init": stream.video.init_url, "segment": stream.video.segments[0].url,
            "sound": stream.sound.segments[0].url}


KINDS = {"master": {"application/vnd.apple.mpegurl", "application/x-mpegurl"},
         "media": {"application/vnd.apple.mpegurl", "application/x-mpegurl"},
         "init": {"video/mp4", "video/iso.segment"}, "segment": {"video/mp4", "video/iso.segment"},
         "sound": {"audio/mp4", "video/mp4", "video/iso.segment"}}


@pytest.mark.parametrize("what", list(KINDS))
def test_headers_for_players(api, urls, what):
    response = api.http.get(urls[what], headers={"origin": "https://player.example"})
    kind = response.headers["content-type"].split(";")[0].lower()
    assert kind in KINDS[what]
    assert response.headers["access-control-allow-origin"] in ("*", "https://player.example")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["etag"] and response.headers["cache-control"]
    assert int(response.headers["content-length"]) == len(response.content)


@pytest.mark.parametrize("what", list(KINDS))
def test_head_is_get_without_the_body(api, urls, what):
    full, head = api.http.get(urls[what]), api.http.head(urls[what])
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == full.headers[name], name


@pytest.mark.parametrize("what", list(KINDS))
def test_known_etag_is_304_and_others_are_not(api, urls, what):
    tag = api.http.get(urls[what]).headers["etag"]
    for sent in (tag, f'"other", {tag}', "*", "W/" + tag.removeprefix("W/")):
        response = api.http.get(urls[what], headers={"if-none-match": sent})
        assert (response.status_code, response.content) == (304, b""), sent
    assert api.http.get(urls[what], headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("sent,first,last", [
    ("bytes=0-0", 0, 0), ("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-100", -100, None),
    ("bytes=10-99999999999", 10, None)])
def test_ranges_of_segments(api, urls, sent, first, last):
    whole = api.http.get(urls["segment"])
    assert whole.headers["accept-ranges"] == "bytes"
    data = whole.content
    response = api.http.get(urls["segment"], headers={"range": sent})
    begin = first if first >= 0 else len(data) + first
    end = len(data) - 1 if last is None else last
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {begin}-{end}/{len(data)}"
    assert response.content == data[begin:end + 1]


def test_range_past_the_end_is_416(api, urls):
    size = len(api.http.get(urls["segment"]).content)
    response = api.http.get(urls["segment"], headers={"range": f"bytes={size}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("sent", ["bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=", "bytes"])
def test_unreadable_range_is_ignored(api, urls, sent):
    assert api.http.get(urls["segment"], headers={"range": sent}).status_code in (200, 416)


def test_if_range_with_another_etag_gives_the_whole(api, urls):
    sent = {"range": "bytes=0-9", "if-range": '"other"'}
    assert api.http.get(urls["segment"], headers=sent).status_code == 200
    tag = api.http.get(urls["segment"]).headers["etag"]
    assert api.http.get(urls["segment"],
                        headers={"range": "bytes=0-9", "if-range": tag}).status_code == 206


@pytest.mark.parametrize("what", list(KINDS))
def test_preflight_is_answered(api, urls, what):
    response = api.http.request("OPTIONS", urls[what], headers={
        "origin": "https://player.example", "access-control-request-method": "GET",
        "access-control-request-headers": "range"})
    assert response.status_code in (200, 204)
    assert response.headers["access-control-allow-origin"] in ("*", "https://player.example")
    assert "range" in response.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("what", list(KINDS))
@pytest.mark.parametrize("change", [
    lambda u: re.sub(r"signature=.", lambda m: "signature=" + ("0" if m[0][-1] != "0" else "1"), u),
    lambda u: re.sub(r"expires=\d+", "expires=99999999999", u),
    lambda u: re.sub(r"\?.*", "", u)], ids=["signature", "expiry", "nothing"])
def test_changed_url_is_403(api, urls, what, change):
    response = api.http.get(change(urls[what]))
    assert response.status_code == 403
    assert response.json()["code"]


def test_same_segment_is_the_same_bytes_each_time(api, urls):
    assert api.http.get(urls["segment"]).content == api.http.get(urls["segment"]).content


def test_small_cache_still_serves_everything(start_server, tmp_path):
    from lib.api import Api
    api = Api(start_server("--hls-cache-bytes", "100000"))
    made = api.upload(clip("h264_aac@14"), enable_hls="true")
    for _ in range(2):
        stream = Stream(api.http, manifest_url(api, made["_id"]))
        whole = stream.save(stream.video, tmp_path / "v.mp4")
        assert frame_hashes(whole) == frame_hashes(clip("h264_aac@14"))
    api.close()


@pytest.mark.parametrize("force", [False, True], ids=["unused", "in use"])
@pytest.mark.parametrize("played", [False, True], ids=["never played", "played"])
def test_media_of_a_deleted_asset_is_gone_with_the_answer(api, force, played):
    # Its files are removed by a job that comes later; nobody may see them meanwhile. Several
    # rounds, for the job is quick.
    for _ in range(5):
        made = api.upload(clip("h264_aac"), enable_hls="true", enable_thumbnail="true")
        path = "/assets/" + made["_id"]
        picture = wait_until(lambda: api.get(path).json()["thumbnail"].get("representative_url"),
                             20, "the thumbnail")
        assert api.http.get(picture).status_code == 200
        manifest = manifest_url(api, made["_id"])
        stream = Stream(api.http, manifest)
        urls = [manifest, stream.video.url, stream.video.init_url,
                stream.video.segments[-1].url, picture]
        if played:
            assert {api.http.get(url).status_code for url in urls} == {200}
        if force:
            api.add(api.make_index("holds " + made["_id"]), made["_id"])
        assert api.delete(path, {"force": str(force).lower()}).status_code == 204
        assert [api.http.get(url).status_code for url in urls] == [404] * len(urls)


def test_media_of_a_deleted_asset_stays_gone_while_players_hold_on(api, server):
    # Players that fetch the whole time must not bring it back into a cache by being in between.
    from lib.api import Api
    made = api.upload(clip("h264_aac@14"), enable_hls="true")
    stream = Stream(api.http, manifest_url(api, made["_id"]))
    urls = [stream.video.url, *[segment.url for segment in stream.video.segments]]
    deleted, late = threading.Event(), []

    def play():
        mine = Api(server)
        for _ in range(200):
            over = deleted.is_set()
            got = {mine.http.get(url).status_code for url in urls}
            if over:
                late.append(got)
                break
        mine.close()

    players = [threading.Thread(target=play, daemon=True) for _ in range(4)]
    for player in players:
        player.start()
    assert api.delete("/assets/" + made["_id"]).status_code == 204
    deleted.set()
    for player in players:
        player.join(30)
    assert late == [{404}] * len(players)


def test_segment_that_does_not_exist_is_404(api, urls):
    response = api.http.get(re.sub(r"(\d+)(\.m4s)", r"99999\2", urls["segment"]))
    assert response.status_code in (403, 404)
    assert response.json()["code"]


def test_posting_to_media_is_405(api, urls):
    response = api.http.post(urls["master"])
    assert response.status_code == 405
