"""A full disk: a clear refusal, nothing lost, and everything works again when space returns."""

import os
import re
import subprocess

import pytest

from lib.api import Api
from lib.multipart import Part
from lib.server import Server, ServerFailed, wait_until
from media.maker import clip

SIZE = "24m"


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 24 MB, which needs root."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not permitted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=False)


def post(api, data):
    return api.post_form([Part("method", "direct"), Part("file", data, filename="a.mp4")])


def is_full(response):
    assert response.status_code in (503, 507), response.text
    body = response.json()
    assert body["code"] and "space" in body["message"].lower() or "full" in body["message"].lower() \
        or "storage" in body["message"].lower(), body
    return True


def test_full_disk_is_refused_clearly_loses_nothing_and_recovers(small_disk):
    server = Server(small_disk / "data")
    server.expected_errors += ["storage_full", "No space", "full", "SQLITE_FULL"]
    server.start()
    api = Api(server)
    kept = [api.upload(clip("h264_aac"), user_metadata='{"n": 1}')["_id"] for _ in range(3)]
    index = api.make_index("before")
    filler = clip("h264_aac").read_bytes() * 5  # a clip and trailing bytes: 6 MB
    added = []
    for _ in range(10):
        response = post(api, filler)
        if response.status_code == 201:
            added.append(response.json()["_id"])
            continue
        assert is_full(response)
        break
    else:
        pytest.fail("the disk never became full")
    fill_the_rest(small_disk)
    assert is_full(post(api, clip("png_128").read_bytes()))
    statuses = {api.patch(f"/assets/{kept[0]}/user-metadata",
                          json={"user_metadata": {"big": "x" * 8000}}).status_code
                for _ in range(30)}
    assert statuses <= {204, 503, 507}, statuses
    check_kept(api, kept, index)
    (small_disk / "ballast").unlink()
    for one in added:
        assert api.delete("/assets/" + one).status_code == 204
    wait_until(lambda: post(api, clip("png_128").read_bytes()).status_code == 201, 20,
               "uploads to work again")
    assert api.patch(f"/assets/{kept[1]}/user-metadata",
                     json={"user_metadata": {"n": 2}}).status_code == 204
    api.close()
    server.kill()
    server.start()
    api = Api(server)
    check_kept(api, kept, index)
    assert api.get("/assets/" + kept[1]).json()["user_metadata"]["n"] == 2
    api.close()
    server.stop()


def fill_the_rest(disk):
    with open(disk / "ballast", "wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            pass  # full, as wanted


def check_kept(api, kept, index):
    for one in kept:
        body = api.get("/assets/" + one).json()
        assert body["status"] == "ready" and body["size"] == clip("h264_aac").stat().st_size
    assert api.get("/indexes/" + index).json()["index_name"] == "before"


def test_start_on_a_full_disk_says_why_and_works_when_there_is_space(small_disk):
    server = Server(small_disk / "data").start()
    api = Api(server)
    made = api.upload(clip("png_128"))["_id"]
    api.close()
    server.stop()
    fill_the_rest(small_disk)
    server.expected_errors += ["storage_full", "No space", "full", "start_failed"]
    try:
        server.start()
    except ServerFailed as refusal:
        assert re.search("disk|space", str(refusal)), refusal
        (small_disk / "ballast").unlink()
        server.start()
    api = Api(server)
    assert api.get("/assets/" + made).json()["status"] == "ready"
    api.close()
    server.stop()
