"""Thumbnails: a JPEG of a telling frame, the right way up, behind a signed URL."""

import re

import pytest

from lib.pictures import BLUE, LIME, RED, decode, is_jpeg, near
from lib.server import wait_until
from media.maker import clip


@pytest.fixture(scope="module")
def thumbnail(api):
    """Uploads a clip; returns (URL, JPEG bytes)."""
    def get(name):
        made = api.upload(clip(name), enable_thumbnail="true")

        def url():
            part = api.get("/assets/" + made["_id"]).json()["thumbnail"]
            assert part["status"] != "error", part
            return part.get("representative_url")

        found = wait_until(url, 20, "the thumbnail")
        response = api.http.get(found)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "image/jpeg"
        return found, response.content

    return get


VIDEOS = ["h264_aac", "hevc_aac", "av1_opus", "vp9_opus", "mpeg4_mp3", "prores_pcm", "h264_ts",
          "hdr", "edit_list"]


@pytest.mark.parametrize("name", VIDEOS)
def test_of_a_video_is_a_picture_of_it(thumbnail, name):
    _, data = thumbnail(name)
    assert is_jpeg(data)
    picture = decode(data)
    assert picture.width / picture.height == pytest.approx(640 / 360, rel=0.01)
    assert picture.spread() > 100, "a test pattern, not a flat field"


def test_of_a_video_with_a_black_start_is_not_black(thumbnail):
    picture = decode(thumbnail("black_start")[1])
    assert sum(picture.mean()) > 3 * 40


def test_of_a_rotated_video_is_upright(thumbnail):
    # Red was on the left; turned by a quarter to the right it is on top.
    picture = decode(thumbnail("rotated_90")[1])
    assert picture.height > picture.width
    top, bottom = picture.mean(0, 0, 1, 0.4), picture.mean(0, 0.6, 1, 1)
    assert {near(top, RED), near(bottom, BLUE)} == {True} or \
        {near(top, BLUE), near(bottom, RED)} == {True}, (top, bottom)
    assert near(top, RED) == rotated_red_is_on_top()


def rotated_red_is_on_top():
    """Where FFmpeg, which turns pictures by itself, shows the red half."""
    import subprocess
    done = subprocess.run(["ffmpeg", "-v", "error", "-i", clip("rotated_90"), "-frames:v", "1",
                           "-f", "mjpeg", "pipe:1"], capture_output=True, timeout=30)
    return near(decode(done.stdout).mean(0, 0, 1, 0.4), RED)


def test_of_a_photo_with_exif_orientation_is_upright(thumbnail):
    picture = decode(thumbnail("jpeg_rotated_6")[1])
    assert picture.height > picture.width
    assert near(picture.mean(0, 0, 1, 0.4), RED) and near(picture.mean(0, 0.6, 1, 1), BLUE)


@pytest.mark.parametrize("name,shape", [("jpeg_640", 640 / 480), ("png_128", 1), ("gif_animated", 1),
                                        ("webp_still", 320 / 240), ("webp_animated", 1)])
def test_of_an_image_is_that_image(thumbnail, name, shape):
    picture = decode(thumbnail(name)[1])
    assert picture.width / picture.height == pytest.approx(shape, rel=0.02)
    assert picture.spread() > 100


def test_of_a_transparent_image_is_opaque(thumbnail):
    picture = decode(thumbnail("png_alpha")[1])
    assert picture.mean()[0] > 100, "red shines through whatever stands behind it"


def test_of_audio_with_a_cover_is_the_cover(thumbnail):
    assert near(decode(thumbnail("cover_mp3")[1]).mean(), LIME)


@pytest.mark.parametrize("name", ["tone_mp3", "tone_wav", "tone_m4a"])
def test_of_audio_without_a_cover_is_a_drawing(thumbnail, name):
    picture = decode(thumbnail(name)[1])
    assert picture.spread() > 50, "a waveform, not an empty picture"


def test_url_needs_no_key_and_answers_head_and_conditions(api, thumbnail):
    url, data = thumbnail("h264_silent")
    assert "x-api-key" not in api.http.headers
    head = api.http.head(url)
    assert head.status_code == 200 and head.content == b""
    assert int(head.headers["content-length"]) == len(data)
    tag = head.headers["etag"]
    assert api.http.get(url, headers={"if-none-match": tag}).status_code == 304
    assert head.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("change", [
    lambda u: u.replace("signature=", "signature=0"),
    lambda u: re.sub(r"signature=[^&]*", "signature=", u),
    lambda u: re.sub(r"&?signature=[^&]*", "", u),
    lambda u: re.sub(r"expires=\d+", "expires=9999999999", u),
    lambda u: re.sub(r"\?.*", "", u),
    lambda u: re.sub(r"[0-9a-f]{24}", "0" * 24, u),
], ids=["longer signature", "empty", "none", "later expiry", "no query", "another asset"])
def test_changed_url_is_403(api, thumbnail, change):
    url, _ = thumbnail("png_128")
    response = api.http.get(change(url))
    assert response.status_code == 403, change(url)
    assert response.json()["code"]


def test_expired_url_is_403(start_server):
    from lib.api import Api
    api = Api(start_server("--media-url-ttl-sec", "1"))
    made = api.upload(clip("png_128"), enable_thumbnail="true")
    url = wait_until(lambda: api.get("/assets/" + made["_id"]).json()["thumbnail"].get(
        "representative_url"), 10, "the thumbnail")
    wait_until(lambda: api.http.get(url).status_code == 403, 10, "the URL to expire")
    fresh = api.get("/assets/" + made["_id"]).json()["thumbnail"]["representative_url"]
    assert api.http.get(fresh).status_code == 200
    api.close()


def test_signatures_do_not_reach_the_log(server, api, thumbnail):
    url, _ = thumbnail("png_128")
    signature = re.search(r"signature=([^&]*)", url).group(1)
    assert signature not in str(server.lines)


def test_url_keeps_working_after_a_restart(start_server, tmp_path):
    from lib.api import Api
    one = start_server(data_dir=tmp_path / "same")
    api = Api(one)
    made = api.upload(clip("png_128"), enable_thumbnail="true")
    url = wait_until(lambda: api.get("/assets/" + made["_id"]).json()["thumbnail"].get(
        "representative_url"), 10, "the thumbnail")
    api.close()
    one.stop()
    two = Api(start_server(data_dir=tmp_path / "same"))
    assert two.http.get(url.replace(one.origin, two.server.origin)).status_code == 200
    two.close()


def test_public_url_is_the_one_configured(start_server):
    from lib.api import Api
    api = Api(start_server("--public-url", "https://media.example.org/kino"))
    made = api.upload(clip("png_128"), enable_thumbnail="true")
    url = wait_until(lambda: api.get("/assets/" + made["_id"]).json()["thumbnail"].get(
        "representative_url"), 10, "the thumbnail")
    assert url.startswith("https://media.example.org/kino/media/")
    api.close()
