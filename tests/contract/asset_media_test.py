"""What the bytes of an upload decide: its type, its limits, its technical metadata."""

import json
import subprocess

import pytest

from lib.api import plain, refused
from lib.multipart import Part
from media.maker import clip

RESOLUTION = "Please upload a video with a resolution between 360x360 and 5184x2160. "


def detail(api, name, **more):
    made = api.upload(clip(name), **more)
    body = api.get("/assets/" + made["_id"]).json()
    assert body["status"] == "ready"
    return body


def form(data, filename="clip.mp4"):
    return [Part("method", "direct"), Part("file", data, filename=filename)]


TYPES = {
    "h264_aac": "video/mp4", "h264_start_offset": "video/x-matroska", "vp9_opus": "video/webm",
    "h264_ts": "video/mp2t", "mpeg4_mp3": "video/x-msvideo", "prores_pcm": "video/quicktime",
    "mpeg2_mp2": "video/mpeg", "tone_mp3": "audio/mpeg", "tone_wav": "audio/wav",
    "tone_flac": "audio/flac", "tone_m4a": "audio/mp4", "tone_ogg": "audio/ogg",
    "jpeg_640": "image/jpeg", "png_128": "image/png", "gif_animated": "image/gif",
    "webp_still": "image/webp", "webp_animated": "image/webp", "cover_mp3": "audio/mpeg",
}


@pytest.mark.parametrize("name", list(TYPES))
def test_bytes_decide_the_type_never_the_name_or_the_header(api, name):
    body = detail(api, name, filename="lies.txt", part_type="text/html")
    alike = {"audio/wav": {"audio/wav", "audio/x-wav", "audio/vnd.wave"},
             "audio/flac": {"audio/flac", "audio/x-flac"}, "audio/mp4": {"audio/mp4", "audio/x-m4a"},
             "video/x-msvideo": {"video/x-msvideo", "video/avi"}}
    assert body["file_type"] in alike.get(TYPES[name], {TYPES[name]})
    assert ("duration" in body) == (not TYPES[name].startswith("image/"))
    kind = TYPES[name].split("/")[0]
    found = api.get("/assets", {"asset_ids": body["_id"], "asset_types": kind}).json()
    assert found["page_info"]["total_results"] == 1


# --- refusals -------------------------------------------------------------------------------

REFUSED = {
    "png_127": ("parameter_invalid", "The image parameter is invalid. Image dimensions 127x128 are "
                                     "below the minimum 128x128."),
    "short_3900ms": ("video_duration_too_short",
                     "The video is too short. Please use a video with a duration of at least 4 "
                     "seconds. Current duration is 3.9"),
    "short_mp3": ("audio_duration_too_short",
                  "The audio is too short. Please use an audio file with a duration of at least 4 "
                  "seconds. Current duration is 2."),
    "below_360": ("video_resolution_too_low", "The resolution of the video is too low. "
                  + RESOLUTION + "Current resolution is 640x358."),
    "too_many_pixels": ("video_resolution_too_high", "The resolution of the video is too high. "
                        + RESOLUTION + "Current resolution is 5200x2400."),
    "too_wide_shape": ("video_resolution_invalid_aspect_ratio",
                       "The aspect ratio of the video is invalid. Please upload a video with an "
                       "aspect ratio between 1:1 and 2.4:1. Current resolution is 880x364."),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_media_outside_the_limits_is_refused(api, name):
    before = api.asset_total()
    code, message = REFUSED[name]
    body = refused(api.post_form(form(clip(name).read_bytes())), 400, code)
    assert plain(body["message"]).startswith(message), body["message"]
    assert api.asset_total() == before


@pytest.mark.parametrize("name", ["png_128", "exact_4s", "just_360", "just_wide_shape",
                                  "tall_25fps"])
def test_media_at_the_limits_is_taken(api, name):
    assert api.upload(clip(name))["status"] == "ready"


def cut(name, size):
    return clip(name).read_bytes()[:size]


def broken_files():
    mp4, jpeg = clip("h264_moov_last").read_bytes(), clip("jpeg_640").read_bytes()
    return {
        "mp4 without its moov": (mp4[:len(mp4) // 2], "video_file_broken"),
        "mp4 of noise": (mp4[:40] + bytes(range(256)) * 200, "video_file_broken"),
        "mkv cut in its header": (cut("h264_start_offset", 300), "video_file_broken"),
        "mp3 header and noise": (b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 3000, "audio_file_broken"),
        "wav without samples": (clip("tone_wav").read_bytes()[:44], "audio_file_broken"),
        "jpeg cut to its header": (jpeg[:200], "parameter_invalid"),
        "png of noise": (b"\x89PNG\r\n\x1a\n" + b"\x37" * 900, "parameter_invalid"),
    }


@pytest.mark.parametrize("name", list(broken_files()))
def test_broken_media_is_refused(api, name):
    before = api.asset_total()
    data, code = broken_files()[name]
    messages = {"video_file_broken": "Unable to process video file. Please check if the file is "
                                     "valid and try again.",
                "audio_file_broken": "Unable to process audio file. Please check if the file is "
                                     "valid and try again.",
                "parameter_invalid": "The image parameter is invalid. Invalid image file. Please "
                                     "check the format and dimensions."}
    refused(api.post_form(form(data)), 400, code, messages[code])
    assert api.asset_total() == before


OTHERS = {
    "text": (b"just some words\n" * 50, "text/plain"), "pdf": (b"%PDF-1.4\n" + b"x" * 500, "pdf"),
    "zip": (b"PK\x03\x04" + b"\0" * 500, ""), "elf": (b"\x7fELF" + b"\0" * 500, ""),
    "html": (b"<!doctype html><script>alert(1)</script>" * 9, ""), "zeros": (b"\0" * 4096, ""),
    "one byte": (b"\xff", ""), "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', ""),
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_other_files_are_refused(api, name):
    before = api.asset_total()
    data, shown = OTHERS[name]
    refused(api.post_form(form(data)), 400, "parameter_invalid",
            pattern=r"^The file parameter is invalid\. "
                    rf"(Unsupported asset type: .*{shown}.*\.|Unable to process)")
    assert api.asset_total() == before


def test_sizes_have_bounds_by_type(start_server):
    from lib.api import Api
    video, image = clip("h264_silent"), clip("jpeg_640")
    sound = clip("tone_wav")
    for limit in (0, -1):
        one = start_server("--max-direct-bytes", sound.stat().st_size + limit,
                           "--max-image-bytes", image.stat().st_size + limit)
        api = Api(one)
        if limit == 0:
            assert api.upload(sound)["status"] == "ready"
            assert api.upload(image)["status"] == "ready"
        else:
            check_too_large(api, sound, "audio_filesize_too_large", "The audio is too large. "
                            "Please use an audio file with a size less than ")
            check_too_large(api, image, "media_filesize_too_large", "The media file is too large. "
                            "Please upload a file smaller than ")
        check_too_large(api, video, "video_filesize_too_large", "The video is too large. Please "
                        "use a video with a size less than ")
        assert api.asset_total() == (2 if limit == 0 else 0)
        api.close()


def check_too_large(api, path, code, begin):
    body = refused(api.post_form(form(path.read_bytes())), 400, code)
    assert plain(body["message"]).startswith(begin), body["message"]
    assert "current size is" in body["message"]


def test_duration_bounds_are_options(start_server):
    from lib.api import Api
    one = Api(start_server("--min-duration-sec", "1", "--max-duration-sec", "4.5"))
    assert one.upload(clip("short_3900ms"))["status"] == "ready"
    refused(one.post_form(form(clip("h264_silent").read_bytes())), 400, "video_duration_too_long",
            pattern=r"^The video is too long\. Please use a video with a duration between 1 and "
                    r"4\.5 seconds\. Current duration is 5[.0]* seconds\.$")
    refused(one.post_form(form(clip("tone_wav").read_bytes())), 400, "audio_duration_too_long",
            pattern=r"^The audio is too long\. Please use an audio file with a duration between 1 "
                    r"and 4\.5 seconds\. Current duration is 5[.0]* seconds\.$")
    one.close()


def test_asynchronous_ingest_answers_processing_and_fails_in_place(start_server):
    from lib.api import Api
    from lib.server import wait_until
    api = Api(start_server("--ingest", "async"))
    good = api.upload(clip("h264_aac"), enable_hls="true", enable_thumbnail="true")
    bad = api.upload(clip("short_3900ms"))
    junk = api.upload(b"words " * 100)
    assert {one["status"] for one in (good, bad, junk)} == {"processing"}

    def settled(made):
        body = api.get("/assets/" + made["_id"]).json()
        if body["status"] == "processing":
            assert not {"size", "duration", "technical_metadata", "error"} & set(body)
            return None
        return body

    ready = wait_until(lambda: settled(good), 20, "the good one")
    assert ready["status"] == "ready" and ready["size"] == clip("h264_aac").stat().st_size
    failed = wait_until(lambda: settled(bad), 20, "the short one")
    assert failed["status"] == "failed"
    assert failed["error"]["message"].startswith("The video is too short.")
    assert wait_until(lambda: settled(junk), 20, "the junk")["status"] == "failed"
    index = api.make_index("only ready ones")
    refused(api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": bad["_id"]}), 400,
            "parameter_invalid")
    api.close()


# --- hostile files --------------------------------------------------------------------------

SECRET = "kinodex-test-secret-words"


def hostile_files(tmp_path, port):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    movie = clip("h264_aac")
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{}\n#EXT-X-ENDLIST\n"
    url = f"http://127.0.0.1:{port}/x.ts"
    mpd = ('<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
           'mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-main:2011">'
           f'<Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>{url}</BaseURL>'
           '</Representation></AdaptationSet></Period></MPD>')
    return {
        "playlist of a file": playlist.format(f"file://{movie}"),
        "playlist of a bare path": playlist.format(movie),
        "playlist of a url": playlist.format(url),
        "playlist with a key": playlist.format("a.ts").replace(
            "#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{url}"\n#EXTINF'),
        "concat script": f"ffconcat version 1.0\nfile '{movie}'\n",
        "concat script of a url": f"ffconcat version 1.0\nfile '{url}'\n",
        "dash manifest": mpd,
        "session description": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                               f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "subtitle naming a file": f"#EXTM3U\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"s\","
                                  f"URI=\"file://{secret}\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}\n",
        "stereo of two files": f"#EXTM3U\n#EXT-X-BYTERANGE:10@0\n{secret}\n",
    }


NAMES = ["playlist of a file", "playlist of a bare path", "playlist of a url",
         "playlist with a key", "concat script", "concat script of a url", "dash manifest",
         "session description", "subtitle naming a file", "stereo of two files"]


@pytest.mark.parametrize("name", NAMES)
def test_file_that_names_another_file_or_url_reads_nothing(api, tmp_path, name):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as trap:
        text = hostile_files(tmp_path, trap.getsockname()[1])[name].encode()
        response = api.post_form(form(text, "innocent.mp4"))
        assert response.status_code == 400, response.text
        assert SECRET not in response.text and str(tmp_path) not in response.text
        trap.settimeout(0.3)
        with pytest.raises(TimeoutError):
            trap.accept()
    assert api.get("/assets").status_code == 200


def test_mov_whose_track_lies_in_another_file_reads_nothing(api, tmp_path):
    # A `dref` entry of type `alis` or `url ` moves a track's bytes to another file.
    data = clip("h264_moov_last").read_bytes()
    at = data.index(b"url \0\0\0\x01")
    outside = data[:at] + b"url \0\0\0\0" + data[at + 8:]
    response = api.post_form(form(outside))
    assert response.status_code in (201, 400)


# --- technical metadata ---------------------------------------------------------------------

def ffprobe(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of",
                           "json", path], capture_output=True, text=True, timeout=30)
    return json.loads(done.stdout)


def technical(api, name):
    return detail(api, name)["technical_metadata"]


def test_video_with_audio_is_described(api):
    told, path = technical(api, "h264_aac"), clip("h264_aac")
    video = next(s for s in ffprobe(path)["streams"] if s["codec_type"] == "video")
    assert told["file_size_bytes"] == path.stat().st_size
    assert told["file_mime_type"] == "video/mp4"
    assert "mp4" in told["file_container_format"].split(",")
    flat = {key: told["video_" + key] for key in ("codec", "width", "height", "fps")}
    assert flat == {"codec": "h264", "width": 640, "height": 360, "fps": 25}
    assert told["video_duration_seconds"] == pytest.approx(5.0, abs=0.01)
    assert told["video_bitrate_bps"] == pytest.approx(int(video["bit_rate"]), rel=0.02)
    assert (told["audio_codec"], told["audio_sample_rate"], told["audio_channels"]) == \
        ("aac", 48000, 1)
    assert (told["total_video_streams"], told["total_audio_streams"]) == (1, 1)
    assert (told["has_audio"], told["is_hdr"]) == (True, False)
    assert told["storage_aspect_ratio"] == pytest.approx(640 / 360, rel=1e-3)


def test_video_stream_has_every_field_the_file_carries(api):
    stream = technical(api, "h264_aac")["video_streams"][0]
    for key, wanted in {"index": 0, "codec": "h264", "width": 640, "height": 360, "fps": 25,
                        "avg_fps": 25, "bit_depth": 8, "pixel_format": "yuv420p",
                        "scan_type": "progressive"}.items():
        assert stream[key] == wanted, key
    assert stream["duration_seconds"] == pytest.approx(5.0, abs=0.01)
    assert stream["bitrate_bps"] > 0


def test_every_stream_is_listed(api):
    told = technical(api, "two_audio")
    assert (told["total_video_streams"], told["total_audio_streams"]) == (1, 2)
    assert [s["language"] for s in told["audio_streams"]] == ["eng", "fra"]
    assert [s["index"] for s in told["audio_streams"]] == [1, 2]
    assert all(s["codec"] == "aac" and s["codec_long"] and s["channels"] == 1
               for s in told["audio_streams"])


def test_hdr_is_told(api):
    told = technical(api, "hdr")
    stream = told["video_streams"][0]
    assert told["is_hdr"] is True and stream["bit_depth"] == 10
    assert (stream["color_transfer"], stream["color_primaries"], stream["color_space"]) == \
        ("smpte2084", "bt2020", "bt2020nc")


def test_rotation_is_told_and_turns_the_displayed_size(api):
    told = technical(api, "rotated_90")
    assert told["video_streams"][0]["rotation"] in (90, -90, 270)
    index = api.make_index("rotated")
    made = api.upload(clip("rotated_90"))
    item = api.add(index, made["_id"])
    seen = api.get(f"/indexes/{index}/indexed-assets/{item}").json()["system_metadata"]
    assert (seen["width"], seen["height"]) == (360, 640)


def test_timecode_is_told(api):
    told = technical(api, "timecode")
    assert (told["start_timecode"], told["drop_frame"]) == ("01:02:03:04", False)
    assert told["timecode_source"]


def test_place_and_time_are_told(api):
    told = technical(api, "located")
    assert told["geospatial_latitude"] == pytest.approx(48.8577)
    assert told["geospatial_longitude"] == pytest.approx(2.2950)
    assert told["geospatial_altitude_meters"] == pytest.approx(35)
    assert told["container_creation_time"] == "2024-02-03T04:05:06Z"


def test_absent_things_are_absent(api):
    told = technical(api, "h264_silent")
    assert (told["has_audio"], told["total_audio_streams"]) == (False, 0)
    for key in ("audio_codec", "start_timecode", "geospatial_latitude", "image_width",
                "container_creation_time"):
        assert key not in told, key


@pytest.mark.parametrize("name,width,height,animated,alpha", [
    ("png_alpha", 200, 200, False, True), ("jpeg_640", 640, 480, False, False),
    ("gif_animated", 160, 160, True, None), ("webp_animated", 160, 160, True, None),
    ("webp_still", 320, 240, False, None)])
def test_images_are_described(api, name, width, height, animated, alpha):
    told = technical(api, name)
    assert (told["image_width"], told["image_height"]) == (width, height)
    assert told["image_format"] and told["is_animated"] is animated
    if alpha is not None:
        assert told["has_alpha"] is alpha
    assert "video_codec" not in told and "video_streams" not in told


def test_exif_orientation_is_told(api):
    assert technical(api, "jpeg_rotated_6")["image_orientation"] == 6


def test_audio_is_described_and_its_cover_is_no_video(api):
    told = technical(api, "cover_mp3")
    assert told["audio_codec"] == "mp3" and told["total_audio_streams"] == 1
    assert told["audio_duration_seconds"] == pytest.approx(5.0, abs=0.1)
    assert told.get("total_video_streams", 0) == 0
