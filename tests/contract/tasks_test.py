"""Tasks: a video uploaded and indexed in one step, by file or by URL, and what stands behind it."""

import json
import os

import pytest

from lib.api import ID, MALFORMED_IDS, MILLIS_TIME, UNKNOWN_ID, Api, invalid, missing, refused
from lib.children import hold_worker
from lib.multipart import Part, encode
from lib.receiver import Receiver
from lib.server import files_of, wait_until
from lib.url_server import UrlServer
from media.maker import clip

ORDER = ["uploading", "validating", "pending", "queued", "indexing", "ready", "failed"]


@pytest.fixture(scope="module")
def web():
    with UrlServer() as one:
        yield one


@pytest.fixture(scope="module")
def index(api):
    return api.make_index("tasks")


def post(api, *parts):
    content, kind = encode(list(parts))
    return api.post("/tasks", content=content, headers={"content-type": kind})


def video_part(name="h264_silent", filename="clip.mp4"):
    return Part("video_file", clip(name).read_bytes(), filename=filename)


def make(api, index, name="h264_silent", filename="clip.mp4", **fields):
    response = post(api, Part("index_id", index), *[Part(k, v) for k, v in fields.items()],
                    video_part(name, filename))
    assert response.status_code == 200, response.text
    return response.json()


def ended(api, task, limit_sec=60):
    def look():
        body = api.get(f"/tasks/{task}").json()
        return body["status"] in ("ready", "failed") and body

    return wait_until(look, limit_sec, "the task to end")


def busy_server(start_server, *options):
    """A client of a server whose only worker does nothing until it is let go, and what lets it
    go."""
    api = Api(start_server("--worker-threads", "1", *options))
    return api, hold_worker(api)


@pytest.fixture
def unchanged(api, server, index):
    """The refused request may leave neither a row nor a file."""
    def counts():
        return [api.asset_total(), api.get("/tasks").json()["page_info"]["total_results"],
                api.get(f"/indexes/{index}/indexed-assets").json()["page_info"]["total_results"]]

    def files():
        return {p for p in (server.data_dir / "media").rglob("*") if p.is_file()}

    before, there = counts(), files()
    yield
    assert counts() == before
    wait_until(lambda: files() <= there, 5, "drafts to go")


# --- create and follow ----------------------------------------------------------------------

def test_a_file_becomes_a_video(api, index):
    body = make(api, index, "h264_aac", "film.mp4", user_metadata='{"a": 1, "b": ""}')
    assert set(body) == {"_id", "video_id"}
    assert ID.match(body["_id"]) and ID.match(body["video_id"]) and body["_id"] != body["video_id"]
    seen = []

    def step():
        task = api.get(f"/tasks/{body['_id']}").json()
        seen.append(task["status"])
        return task["status"] in ("ready", "failed") and task

    task = wait_until(step, 60, "the task to end")
    assert task["status"] == "ready"
    ranks = [ORDER.index(word) for word in seen]
    assert ranks == sorted(ranks) and ranks[0] >= ORDER.index("pending"), seen
    assert set(task) == {"_id", "video_id", "index_id", "status", "created_at", "updated_at",
                         "system_metadata", "hls"}
    assert (task["_id"], task["video_id"], task["index_id"]) == (body["_id"], body["video_id"],
                                                                 index)
    assert MILLIS_TIME.match(task["created_at"]) and MILLIS_TIME.match(task["updated_at"])
    assert task["updated_at"] > task["created_at"]
    assert task["system_metadata"] == {"filename": "film.mp4", "width": 640, "height": 360,
                                       "duration": pytest.approx(5.0, abs=0.05)}
    assert task["hls"]["status"] == "COMPLETE"
    assert api.http.get(task["hls"]["video_url"]).status_code == 200
    video = api.get(f"/indexes/{index}/videos/{body['video_id']}").json()
    assert video["user_metadata"] == {"a": 1} and video["hls"]["status"] == "COMPLETE"
    asset = api.get(f"/assets/{video['asset_id']}").json()
    assert (asset["status"], asset["method"], asset["filename"]) == ("ready", "direct", "film.mp4")
    assert "user_metadata" not in asset and "hls" not in asset


def test_the_video_is_streamed_unless_told_otherwise(api, index):
    for text, streams in (("false", False), ("0", False), ("true", True)):
        body = make(api, index, enable_video_stream=text)
        assert ("hls" in ended(api, body["_id"])) == streams


@pytest.mark.parametrize("first", ["index_id", "video_file"])
def test_fields_count_wherever_they_stand(api, index, first):
    parts = [Part("index_id", index), Part("user_metadata", '{"n": 5}')]
    file = video_part()
    response = post(api, *([*parts, file] if first == "index_id" else [file, *parts]))
    assert response.status_code == 200, response.text
    video = api.get(f"/indexes/{index}/videos/{response.json()['video_id']}").json()
    assert video["user_metadata"] == {"n": 5}


def test_a_url_becomes_a_video(start_server, web):
    web.file("/from%20afar.mp4", clip("h264_silent").read_bytes())
    api = Api(start_server("--allow-url-hosts", web.host_port))
    index = api.make_index("urls")
    response = post(api, Part("index_id", index), Part("video_url", web.url("/from%20afar.mp4")))
    assert response.status_code == 200, response.text
    task = ended(api, response.json()["_id"])
    assert task["status"] == "ready"
    assert task["system_metadata"]["filename"] == "from afar.mp4"
    video = api.get(f"/indexes/{index}/videos/{task['video_id']}").json()
    assert api.get(f"/assets/{video['asset_id']}").json()["method"] == "url"


def test_a_url_that_is_fetched_later_is_uploading_meanwhile(start_server, web):
    web.file("/later.mp4", clip("h264_silent").read_bytes())
    web.file("/words.mp4", b"just words, and not few of them " * 100)
    api, go_on = busy_server(start_server, "--ingest", "async", "--allow-url-hosts",
                             web.host_port)
    index = api.make_index("urls")
    good, bad = [post(api, Part("index_id", index), Part("video_url", web.url(path))).json()
                 for path in ("/later.mp4", "/words.mp4")]
    for one in (good, bad):
        assert api.get(f"/tasks/{one['_id']}").json()["status"] == "uploading"
    go_on()
    assert ended(api, good["_id"], 120)["status"] == "ready"
    failed = ended(api, bad["_id"], 120)
    assert failed["status"] == "failed" and failed["error"]["message"]


# --- a file that is examined later ----------------------------------------------------------

def large_parts(index, path):
    """The pieces of a form with a large file, so that it is never whole in memory."""
    head, kind = encode([Part("index_id", index), Part("video_file", b"@@", filename="large.mp4")])
    before, after = head.split(b"@@")

    def pieces():
        yield before
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                yield block
        yield after

    return pieces(), kind


def test_a_file_over_200_mb_is_validated_by_a_job(start_server):
    api, go_on = busy_server(start_server)
    index = api.make_index("large")
    content, kind = large_parts(index, clip("large_210mb"))
    response = api.post("/tasks", content=content, headers={"content-type": kind})
    assert response.status_code == 200, response.text
    made = response.json()
    task = api.get(f"/tasks/{made['_id']}").json()
    assert task["status"] == "validating"
    assert task["system_metadata"] == {"filename": "large.mp4"}
    path = f"/indexes/{index}/indexed-assets/{made['video_id']}"
    item = api.get(path).json()
    assert item["status"] == "pending" and item["hls"]["status"] == "PROCESSING"
    assert api.get(f"/assets/{item['asset_id']}").json()["status"] == "processing"
    assert api.get(f"/indexes/{index}/videos").json()["data"] == []
    assert api.get(f"/indexes/{index}/indexed-assets", "duration[gte]=1").json()["data"] == []
    refused(api.delete(f"/tasks/{made['_id']}"), 400, "task_cannot_be_deleted")
    go_on()
    task = ended(api, made["_id"], 180)
    assert task["status"] == "ready" and task["system_metadata"]["width"] == 640
    item = api.get(path).json()
    assert item["system_metadata"]["size"] == os.path.getsize(clip("large_210mb"))
    found = api.get(f"/indexes/{index}/videos", "duration[gte]=1&size[gte]=200000000").json()
    assert [one["_id"] for one in found["data"]] == [made["video_id"]]
    assert api.get(f"/indexes/{index}").json()["video_count"] == 1


@pytest.mark.parametrize("name,words", [
    ("tone_mp3", "Cannot read video file"), ("png_128", "Cannot read video file"),
    ("below_360", "resolution of the video is too low"), ("short_3900ms", "too short"),
])
def test_what_fails_later_fails_the_video_and_the_task(start_server, name, words):
    api = Api(start_server("--ingest", "async"))
    index = api.make_index("async")
    made = make(api, index, name, "bad.mp4")
    task = ended(api, made["_id"])
    assert task["status"] == "failed" and words in task["error"]["message"]
    assert task["hls"]["status"] == "CANCELED"
    item = api.get(f"/indexes/{index}/indexed-assets/{made['video_id']}").json()
    assert item["status"] == "failed" and item["error"] == task["error"]
    asset = api.get(f"/assets/{item['asset_id']}").json()
    assert asset["status"] == "failed" and asset["error"] == task["error"]
    wait_until(lambda: not files_of(api.server, item["asset_id"]), 20, "the bytes to go")
    assert api.delete(f"/tasks/{made['_id']}").status_code == 204
    assert api.get(f"/indexes/{index}/indexed-assets/{made['video_id']}").status_code == 200


def test_a_task_that_waits_survives_a_restart(start_server):
    api, _ = busy_server(start_server, "--ingest", "async")
    index = api.make_index("restart")
    made = make(api, index)
    assert api.get(f"/tasks/{made['_id']}").json()["status"] == "validating"
    api.server.kill()
    api.server.start()
    api = Api(api.server)
    assert ended(api, made["_id"], 120)["status"] == "ready"
    assert len(api.get(f"/indexes/{index}/videos").json()["data"]) == 1


# --- refusals -------------------------------------------------------------------------------

@pytest.mark.parametrize("name,code,message", [
    ("tone_mp3", "video_file_broken",
     "Cannot read video file. Please check the video file is valid and try again."),
    ("png_128", "video_file_broken", None),
    ("below_360", "video_resolution_too_low",
     "The resolution of the video is too low. Please upload a video with resolution between "
     "360x360 and 5184x2160. Current resolution is 640x358."),
    ("too_many_pixels", "video_resolution_too_high",
     "The resolution of the video is too high. Please upload a video with resolution between "
     "360x360 and 5184x2160. Current resolution is 5200x2400."),
    ("too_wide_shape", "video_resolution_invalid_aspect_ratio",
     "The aspect ratio of the video is invalid. Please upload a video with aspect ratio between "
     "1:1 and 2.4:1. Current resolution is 880x364."),
    ("short_3900ms", "video_duration_too_short",
     "Video is too short. Please use video with duration between 4 seconds and 4 hours(14400 "
     "seconds). Current duration is 3.900 seconds."),
])
def test_files_that_are_no_good_videos_are_refused(api, index, unchanged, name, code, message):
    refused(post(api, Part("index_id", index), video_part(name)), 400, code, message)


def test_words_are_no_video(api, index, unchanged):
    file = Part("video_file", b"just words", filename="words.mp4")
    refused(post(api, Part("index_id", index), file), 400, "video_file_broken")


def test_bounds_of_length_are_those_of_the_server(start_server):
    api = Api(start_server("--max-duration-sec", "4.5"))
    index = api.make_index("bounds")
    refused(post(api, Part("index_id", index), video_part("h264_silent")), 400,
            "video_duration_too_long",
            "Video is too long. Please use video with duration between 4 seconds and 4.5 seconds. "
            "Current duration is 5.000 seconds.")
    assert api.get("/tasks").json()["data"] == [] and api.asset_total() == 0


def test_a_file_at_the_bound_passes_and_one_above_does_not(start_server):
    size = clip("exact_4s").stat().st_size
    api = Api(start_server("--max-task-bytes", size))
    index = api.make_index("bounds")
    make(api, index, "exact_4s")
    larger = Part("video_file", clip("exact_4s").read_bytes() + b"\0", filename="a.mp4")
    refused(post(api, Part("index_id", index), larger), 400, "video_filesize_too_large",
            pattern=r"^The video is too large\. Please use a video with a size less than .* KB "
                    rf"\({size} bytes\)\. The current size is {size + 1} bytes\.$")
    # Assets have a bound of their own.
    api.upload(clip("exact_4s").read_bytes() + b"\0")


@pytest.mark.parametrize("parts,code,word", [
    ([video_part()], "parameter_not_provided", "index_id"),
    ([Part("index_id", "x"), video_part()], "parameter_invalid", "index_id"),
    ([Part("index_id", "OK")], "parameter_not_provided", "video_file"),
    ([Part("index_id", "OK"), Part("video_url", "")], "parameter_not_provided", "video_file"),
    ([Part("index_id", "OK"), Part("video_url", "http://192.0.2.1/"), video_part()],
     "parameter_invalid", "video_url"),
    ([Part("index_id", "OK"), Part("video_url", "ftp://192.0.2.1/a.mp4")], "parameter_invalid",
     "video_url"),
    ([Part("index_id", "OK"), Part("enable_video_stream", "yes"), video_part()],
     "parameter_invalid", "enable_video_stream"),
    ([Part("index_id", "OK"), Part("user_metadata", "[]"), video_part()], "parameter_invalid",
     "user_metadata"),
    ([Part("index_id", "OK"), Part("user_metadata", '{"a": {}}'), video_part()],
     "parameter_invalid", "user_metadata"),
    ([Part("index_id", "OK"), Part("index_id", "OK"), video_part()], "parameter_invalid",
     "index_id"),
    ([Part("index_id", "OK"), video_part(), video_part()], "parameter_invalid", "video_file"),
    ([Part("index_id", "OK"), Part("language", "en"), video_part()], "parameter_unknown",
     "language"),
    ([Part("index_id", "OK"), Part("file", b"x", filename="a")], "parameter_unknown", "file"),
    ([Part("index_id", "OK"), Part("video_file", b"x", filename="a" * 256)], "parameter_invalid",
     "video_file"),
], ids=lambda value: str(value)[:60])
def test_bad_forms_are_refused(api, index, unchanged, parts, code, word):
    sent = [Part(p.name, index) if p.value == "OK" else p for p in parts]
    refused(post(api, *sent), 400, code, pattern=rf"\b{word}\b")


def test_unknown_index_is_404(api, stranger, unchanged):
    missing(post(api, Part("index_id", UNKNOWN_ID), video_part()), UNKNOWN_ID, "indexes")
    foreign = stranger.make_index("foreign")
    missing(post(api, Part("index_id", foreign), video_part()), foreign, "indexes")


def test_json_is_refused(api):
    refused(api.post("/tasks", json={"index_id": UNKNOWN_ID}), 400, "content_type_invalid")
    refused(api.post("/tasks", key=False), 401, "api_key_invalid")


@pytest.mark.parametrize("url,code", [
    ("http://127.0.0.1:1/a.mp4", "media_url_not_accessible"),
    ("http://10.0.0.1/a.mp4", "media_url_not_accessible"),
    ("not a url", "parameter_invalid"),
])
def test_urls_that_may_not_be_fetched_are_refused(api, index, unchanged, url, code):
    refused(post(api, Part("index_id", index), Part("video_url", url)), 400, code)


def test_what_is_at_a_url_must_be_a_video(start_server, web):
    web.file("/sound.mp3", clip("tone_mp3").read_bytes())
    web.file("/page.html", b"<!doctype html><html></html>")
    web.file("/big.mp4", clip("long_8s_10fps").read_bytes())
    api = Api(start_server("--allow-url-hosts", web.host_port, "--max-task-bytes", "300000"))
    index = api.make_index("urls")

    def ask(path):
        return post(api, Part("index_id", index), Part("video_url", web.url(path)))

    refused(ask("/sound.mp3"), 400, "media_url_unsupported_format")
    refused(ask("/page.html"), 400, "media_url_unsupported_format")
    refused(ask("/nothing"), 400, "media_url_not_accessible")
    refused(ask("/big.mp4"), 400, "video_filesize_too_large")
    assert api.get("/tasks").json()["data"] == [] and api.asset_total() == 0


# --- quotas, limits, webhooks ---------------------------------------------------------------

def test_hours_of_indexing_count_when_they_are_known(start_server):
    api = Api(start_server("--quota-hours", "0.003"))  # 10.8 s
    index = api.make_index("quota")
    makes = int(10.8 // 5)
    for _ in range(makes):
        make(api, index)
    refused(post(api, Part("index_id", index), video_part()), 400, "usage_limit_exceeded",
            pattern="indexing quota")
    assert api.asset_total() == makes
    assert api.get("/tasks").json()["page_info"]["total_results"] == makes


def test_hours_of_indexing_that_are_passed_later_fail_the_task(start_server):
    api = Api(start_server("--quota-hours", "0.001", "--ingest", "async"))  # 3.6 s
    index = api.make_index("quota")
    made = make(api, index)
    task = ended(api, made["_id"])
    assert task["status"] == "failed" and "quota" in task["error"]["message"]
    item = api.get(f"/indexes/{index}/indexed-assets/{made['video_id']}").json()
    assert item["error"] == task["error"]
    asset = api.get(f"/assets/{item['asset_id']}").json()
    assert asset["status"] == "ready", "it can be indexed when there is room again"


def test_minutes_of_indexing_that_are_passed_later_fail_the_task(start_server):
    """By the day: an hour could end between two tasks."""
    api = Api(start_server("--index-minutes-per-day", "1", "--ingest", "async"))
    index = api.make_index("limits")
    assert ended(api, make(api, index, "index_60s")["_id"])["status"] == "ready"
    task = ended(api, make(api, index)["_id"])
    assert task["status"] == "failed" and "1 minutes" in task["error"]["message"]
    asset = api.get("/assets").json()["data"][0]
    assert asset["status"] == "ready"


def test_tasks_count_with_other_requests_to_index(start_server):
    """By the day: a minute could end between two requests."""
    api = Api(start_server("--index-per-day", 2))
    index = api.make_index("limits")
    make(api, index)
    api.add(index, api.upload(clip("h264_silent"))["_id"])
    response = post(api, Part("index_id", index), video_part())
    refused(response, 429, "too_many_requests")
    assert int(response.headers["retry-after"]) >= 1
    assert api.asset_total() == 2
    assert api.get("/tasks").json()["page_info"]["total_results"] == 1


def test_webhooks_are_told_of_ready_and_of_failed_tasks(start_server):
    receiver = Receiver("a-secret-of-some-length")
    try:
        api = Api(start_server("--ingest", "async", "--webhook-urls", receiver.url,
                               "--webhook-secret", receiver.secret, "--allow-webhook-hosts",
                               "127.0.0.1"))
        index = api.make_index("told")
        good, bad = make(api, index), make(api, index, "tone_mp3")
        wait_until(lambda: len(receiver.events) >= 2, 60, "both events")
        told = {event["data"]["id"]: (event["data"]["video_id"], event["type"])
                for event in receiver.events}
        assert told == {good["_id"]: (good["video_id"], "index.task.ready"),
                        bad["_id"]: (bad["video_id"], "index.task.failed")}
    finally:
        receiver.close()


def test_webhooks_are_told_of_a_task_that_failed_with_its_asset(start_server):
    receiver = Receiver("a-secret-of-some-length")
    try:
        api, _ = busy_server(start_server, "--ingest", "async", "--webhook-urls", receiver.url,
                             "--webhook-secret", receiver.secret, "--allow-webhook-hosts",
                             "127.0.0.1")
        index = api.make_index("told")
        video = make(api, index)["video_id"]
        asset = api.get(f"/indexes/{index}/videos/{video}").json()["asset_id"]
        assert api.delete(f"/assets/{asset}", "force=true").status_code == 204

        def event():
            return [each for each in receiver.events if each["data"]["video_id"] == video]

        wait_until(event, 60, "the event")
        (told,) = event()
        assert told["type"] == "index.task.failed" and told["data"]["status"] == "failed"
        assert "deleted" in told["data"]["error"]["message"]
    finally:
        receiver.close()


# --- list -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def shelf(new_api):
    """(client of an account of its own, indexes, tasks by file name, all ended)"""
    api = new_api()
    one, other = api.make_index("one"), api.make_index("other")
    tasks = {}
    for index, name, filename in ((one, "h264_silent", "1.mp4"), (other, "wide_30fps", "2.mp4"),
                                  (one, "long_8s_10fps", "3.mp4")):
        tasks[filename] = make(api, index, name, filename)
        ended(api, tasks[filename]["_id"])
    return api, (one, other), tasks


@pytest.mark.parametrize("query,wanted", [
    ("", "321"), ("sort_option=asc", "123"), ("sort_by=created_at&sort_option=desc", "321"),
    ("sort_by=updated_at", "321"), ("sort_by=updated_at&sort_option=asc", "123"),
    ("index_id=ONE", "31"), ("index_id=OTHER", "2"), ("index_id=" + UNKNOWN_ID, ""),
    ("status=ready", "321"), ("status=failed", ""), ("status=ready&status=failed", "321"),
    ("status=uploading&status=validating&status=pending&status=queued&status=indexing", ""),
    ("filename=2.mp4", "2"), ("filename=2", ""), ("filename=", "321"), ("width=1280&height=720", "2"),
    ("width=640", "31"), ("height=480", "3"), ("width=0", ""), ("duration=8", "3"),
    ("duration=8.0", "3"), ("duration=7.9", ""), ("duration=4&width=1280", "2"),
    ("created_at=2020-01-01T00:00:00Z", "321"), ("created_at=2999-01-01T00:00:00Z", ""),
    ("updated_at=2020-01-01T00:00:00Z", "321"), ("updated_at=2999-01-01T00:00:00Z", ""),
    ("page=2&page_limit=2", "1"), ("page=3&page_limit=2", ""),
])
def test_list(shelf, query, wanted):
    api, (one, other), tasks = shelf
    body = api.get("/tasks", query.replace("ONE", one).replace("OTHER", other)).json()
    assert "".join(each["system_metadata"]["filename"][0] for each in body["data"]) == wanted
    if "page" not in query:
        assert body["page_info"]["total_results"] == len(wanted)
    for each in body["data"]:
        made = tasks[each["system_metadata"]["filename"]]
        assert (each["_id"], each["video_id"]) == (made["_id"], made["video_id"])
        assert set(each) == {"_id", "video_id", "index_id", "status", "created_at", "updated_at",
                             "system_metadata"}


@pytest.mark.parametrize("name,value", [
    ("page", "0"), ("page_limit", "51"), ("sort_by", "name"), ("sort_option", "up"),
    ("index_id", "x"), ("status", "done"), ("status", ""), ("duration", "x"), ("duration", "nan"),
    ("width", "1.5"), ("width", "-1"), ("width", "65537"), ("height", "x"),
    ("created_at", "yesterday"), ("updated_at", "1"),
])
def test_bad_query_is_refused(api, name, value):
    message = invalid(api.get("/tasks", {name: value}), name)["message"]
    words = {"sort_by": "created_at, updated_at", "sort_option": "asc, desc",
             "status": "uploading, validating, pending, queued, indexing, ready, failed"}
    assert words.get(name, "") in message


def test_unknown_query_is_refused(api):
    refused(api.get("/tasks", "duration[gte]=1"), 400, "parameter_unknown")
    refused(api.get("/tasks", "category=a"), 400, "parameter_unknown")


def test_tasks_of_others_are_not_there(api, stranger, index):
    task = make(api, index)["_id"]
    missing(stranger.get(f"/tasks/{task}"), task, "tasks")
    missing(stranger.delete(f"/tasks/{task}"), task, "tasks")
    assert stranger.get("/tasks").json()["data"] == []


@pytest.mark.parametrize("call", ["get", "delete"])
def test_ids_that_name_nothing(api, call):
    ask = getattr(api, call)
    for bad in MALFORMED_IDS:
        assert ask(f"/tasks/{bad}").status_code in (400, 404), bad
    invalid(ask("/tasks/x"), "task_id")
    missing(ask(f"/tasks/{UNKNOWN_ID}"), UNKNOWN_ID, "tasks")


# --- delete, and what is deleted under a task -----------------------------------------------

def test_a_ready_task_goes_after_its_video_and_leaves_the_asset(api, index):
    made = make(api, index)
    task = ended(api, made["_id"])
    asset = api.get(f"/indexes/{index}/videos/{made['video_id']}").json()["asset_id"]
    body = refused(api.delete(f"/tasks/{made['_id']}"), 400, "task_cannot_be_deleted")
    assert made["_id"] in body["message"] and made["video_id"] in body["message"]
    assert api.delete(f"/indexes/{index}/videos/{made['video_id']}").status_code == 204
    left = api.get(f"/tasks/{made['_id']}").json()
    assert left == {key: value for key, value in task.items() if key != "hls"}
    assert api.delete(f"/tasks/{made['_id']}").status_code == 204
    missing(api.get(f"/tasks/{made['_id']}"), made["_id"], "tasks")
    assert api.get(f"/assets/{asset}").status_code == 200
    assert api.delete(f"/assets/{asset}").status_code == 204


def test_a_task_outlives_its_index(api):
    index = api.make_index("goes")
    made = make(api, index)
    ended(api, made["_id"])
    assert api.delete(f"/indexes/{index}").status_code == 204
    task = api.get(f"/tasks/{made['_id']}").json()
    assert task["status"] == "ready" and task["index_id"] == index
    assert api.get("/tasks", {"index_id": index}).json()["page_info"]["total_results"] == 1
    assert api.delete(f"/tasks/{made['_id']}").status_code == 204


def test_a_task_whose_video_or_asset_goes_too_early_failed(start_server):
    api, go_on = busy_server(start_server, "--ingest", "async")
    index = api.make_index("early")
    first, second, third = [make(api, index) for _ in range(3)]
    assert api.delete(f"/indexes/{index}/videos/{first['video_id']}").status_code == 204
    failed = api.get(f"/tasks/{first['_id']}").json()
    assert failed["status"] == "failed" and "deleted" in failed["error"]["message"]
    asset = api.get(f"/indexes/{index}/videos/{second['video_id']}").json()["asset_id"]
    refused(api.delete(f"/assets/{asset}"), 409, "asset_in_use")
    assert api.delete(f"/assets/{asset}", "force=true").status_code == 204
    failed = api.get(f"/tasks/{second['_id']}").json()
    assert failed["status"] == "failed" and "deleted" in failed["error"]["message"]
    for one in (first, second):
        assert api.delete(f"/tasks/{one['_id']}").status_code == 204
    go_on()
    assert ended(api, third["_id"], 120)["status"] == "ready"


def test_errors_carry_no_more_than_they_should(api, index):
    body = json.loads(post(api, Part("index_id", index)).content)
    assert set(body) == {"code", "message", "docs_url"}
