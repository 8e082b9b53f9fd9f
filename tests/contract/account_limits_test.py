"""Limits and quotas of accounts: off by default, counted by account, told in every answer."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lib.api import Api, refused
from lib.multipart import Part, encode
from lib.server import make_key, wait_until
from media.maker import clip

HEADERS = ("x-ratelimit-limit", "x-ratelimit-used", "x-ratelimit-remaining", "x-ratelimit-reset",
           "x-ratelimit-request-remaining", "x-ratelimit-request-reset")


def account(server, name):
    api = Api(server, make_key(server.data_dir, name))
    wait_until(lambda: api.get("/assets").status_code == 200, 10, "a new key to be known")
    return api


@pytest.fixture
def picture():
    return clip("png_128")


def test_nothing_is_limited_by_default(api, picture):
    response = api.upload(picture, expect=None)
    assert response.status_code == 201
    assert not any(name in response.headers for name in HEADERS)


def test_upload_beyond_the_limit_is_refused_and_says_when(start_server, picture):
    server = start_server("--upload-per-day", 3)
    api = account(server, "eager")
    for used in (1, 2, 3):
        response = api.upload(picture, expect=None)
        assert response.status_code == 201
        assert response.headers["x-ratelimit-limit"] == "3"
        assert response.headers["x-ratelimit-used"] == str(used)
        assert response.headers["x-ratelimit-remaining"] == str(3 - used)
        assert response.headers["x-ratelimit-request-remaining"] == str(3 - used)
    response = api.upload(picture, expect=None)
    refused(response, 429, "too_many_requests", pattern=r"rate limit \(3 requests per day\).*seconds")
    wait_sec = int(response.headers["retry-after"])
    assert 0 < wait_sec <= 86400
    assert int(response.headers["x-ratelimit-reset"]) == pytest.approx(time.time() + wait_sec, abs=2)
    assert api.asset_total() == 3
    # Others, and other endpoints of the same account, are not touched.
    assert account(server, "calm").upload(picture, expect=None).status_code == 201
    assert not any(name in api.get("/assets").headers for name in HEADERS)


def test_bad_uploads_count_and_unknown_keys_do_not(start_server, picture):
    server = start_server("--upload-per-day", 1)
    api = account(server, "clumsy")
    refused(api.post_form([], key="kx_unknown_key"), 401, "api_key_invalid")
    assert api.upload(b"no media", expect=None).status_code == 400
    refused(api.upload(picture, expect=None), 429, "too_many_requests")


def test_indexing_is_limited_by_requests_and_by_minutes(start_server):
    server = start_server("--index-per-day", 4, "--index-minutes-per-day", 1)
    api = account(server, "indexer")
    index = api.make_index("films")
    asset = api.upload(clip("exact_4s"))["_id"]
    seconds = api.get(f"/assets/{asset}").json()["duration"]
    fits = int(60 // seconds)
    statuses = []
    for _ in range(5):
        response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})
        statuses.append(response.status_code)
    by_minutes = [202] * min(4, fits) + [429] * (5 - min(4, fits))
    assert statuses == by_minutes
    refused(response, 429, "too_many_requests")


def test_media_longer_than_the_limit_of_minutes_is_told_that_no_waiting_helps(start_server):
    server = start_server("--index-per-minute", 2, "--index-minutes-per-hour", 1)
    api = account(server, "epic")
    index = api.make_index("films")
    asset = api.upload(clip("exact_61s"))["_id"]
    response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})
    refused(response, 400, "usage_limit_exceeded", pattern=r"may index 1 minutes of media per hour")
    assert "retry-after" not in response.headers
    content, kind = encode([Part("index_id", index),
                            Part("video_file", clip("exact_61s").read_bytes(), filename="a.mp4")])
    response = api.post("/tasks", content=content, headers={"content-type": kind})
    refused(response, 400, "usage_limit_exceeded")


def test_refusals_by_minutes_are_not_counted_as_requests(start_server):
    server = start_server("--index-per-day", 100, "--index-minutes-per-day", 1)
    api = account(server, "patient")
    index = api.make_index("films")
    asset = api.upload(clip("exact_4s"))["_id"]

    def add():
        return api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})

    added = 0
    while (response := add()).status_code == 202:
        added += 1
    for response in (response, add()):
        refused(response, 429, "too_many_requests", pattern="minutes of media per day")
        assert response.headers["x-ratelimit-used"] == str(added)


def test_limits_of_minutes_alone_send_no_headers_of_requests(start_server):
    server = start_server("--index-minutes-per-day", 1)
    api = account(server, "timed")
    index = api.make_index("films")
    asset = api.upload(clip("exact_4s"))["_id"]
    response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})
    assert response.status_code == 202
    assert not any(name in response.headers for name in HEADERS)


def test_storage_quota_counts_what_is_on_its_way(start_server, picture):
    size = len(picture.read_bytes())
    server = start_server("--quota-bytes", 3 * size + size // 2)
    api = account(server, "hoarder")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.upload(picture, expect=None), range(8)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes.count(201) <= 3 and set(codes) <= {201, 400}
    while api.asset_total() < 3:  # parallel ones may have stood in each other's way
        assert api.upload(picture, expect=None).status_code == 201
    refused(api.upload(picture, expect=None), 400, "usage_limit_exceeded", pattern="storage quota")
    asset = api.get("/assets").json()["data"][0]["_id"]
    assert api.delete(f"/assets/{asset}").status_code == 204
    assert api.upload(picture, expect=None).status_code == 201
    assert account(server, "modest").upload(picture, expect=None).status_code == 201


def test_hours_quota_counts_from_the_request_on(start_server):
    server = start_server("--quota-hours", "0.003")  # 10.8 s
    api = account(server, "viewer")
    index = api.make_index("films")
    asset = api.upload(clip("exact_4s"))["_id"]
    seconds = api.get(f"/assets/{asset}").json()["duration"]
    for _ in range(int(10.8 // seconds)):
        item = api.add(index, asset)
    response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})
    refused(response, 400, "usage_limit_exceeded", pattern="indexing quota")
    assert api.delete(f"/indexes/{index}/indexed-assets/{item}").status_code == 204
    api.add(index, asset)
