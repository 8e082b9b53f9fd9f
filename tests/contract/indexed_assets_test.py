"""Indexed assets one at a time: create, life cycle, retrieve, metadata, delete, references."""

import json

import pytest

from lib.api import MALFORMED_IDS, MILLIS_TIME, UNKNOWN_ID, invalid, missing, refused
from lib.hls import Stream, frame_hashes
from lib.server import wait_until
from media.maker import clip

START = {"category": "recentlyAdded", "batchNumber": 5, "rating": 9.3, "needsReview": True}


@pytest.fixture(scope="module")
def asset(api):
    return api.upload(clip("h264_aac"), filename="source.mp4")["_id"]


@pytest.fixture(scope="module")
def index(api):
    return api.make_index("one at a time")


@pytest.fixture(scope="module")
def item(api, index, asset):
    made = api.add(index, asset, user_metadata=START)
    finished(api, index, made)
    return made


def finished(api, index, item, limit_sec=60):
    def done():
        body = api.get(f"/indexes/{index}/indexed-assets/{item}").json()
        return body["status"] in ("ready", "failed") and body

    return wait_until(done, limit_sec, "indexing")


# --- create ---------------------------------------------------------------------------------

def test_create_answers_202_with_both_ids_and_location(api, index, asset):
    response = api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset})
    assert response.status_code == 202
    body = response.json()
    assert set(body) == {"_id", "asset_id"} and body["asset_id"] == asset
    assert response.headers["location"].endswith(f"/indexes/{index}/indexed-assets/{body['_id']}")
    assert api.get(f"/indexes/{index}/indexed-assets/{body['_id']}").status_code == 200


def test_each_call_makes_another_one(api, asset):
    index = api.make_index("twice the same")
    assert api.add(index, asset) != api.add(index, asset)
    assert api.get(f"/indexes/{index}/indexed-assets").json()["page_info"]["total_results"] == 2


def test_states_follow_the_documented_order(api):
    index = api.make_index("in order")
    asset = api.upload(clip("index_60s"))["_id"]
    item = api.add(index, asset)
    order = ["pending", "queued", "indexing", "ready"]
    seen, progress, metrics = [], [], []

    def step():
        body = api.get(f"/indexes/{index}/indexed-assets/{item}").json()
        seen.append(body["status"])
        if body["status"] == "indexing":
            progress.append(body["progress"])
            metrics.append("kinodex_indexing_progress" in api.get("/metrics", key=False).text)
        assert ("indexed_at" in body) == (body["status"] == "ready")
        return body["status"] in ("ready", "failed") and body

    body = wait_until(step, 60, "the end of indexing")
    assert body["status"] == "ready"
    ranks = [order.index(word) for word in seen]
    assert ranks == sorted(ranks), seen
    assert progress == sorted(progress) and all(0 <= p <= 1 for p in progress)
    assert progress and all(metrics), "progress is visible in both places"
    assert body["updated_at"] > body["created_at"]


def test_ready_one_is_complete(api, index, item, asset):
    body = api.get(f"/indexes/{index}/indexed-assets/{item}").json()
    assert body["status"] == "ready" and body["asset_id"] == asset and body["_id"] == item
    assert body["system_metadata"] == {
        "filename": "source.mp4", "duration": pytest.approx(5.0, abs=0.05), "fps": 25,
        "width": 640, "height": 360, "size": clip("h264_aac").stat().st_size}
    for name in ("created_at", "updated_at", "indexed_at"):
        assert MILLIS_TIME.match(body[name]), name
    assert body["user_metadata"] == START
    assert not {"hls", "embedding", "transcription", "progress"} & set(body)


@pytest.mark.parametrize("body,code,word", [
    ({}, "parameter_not_provided", "asset_id"),
    ({"asset_id": "x"}, "parameter_invalid", "asset_id"),
    ({"asset_id": 5}, "parameter_invalid", "asset_id"),
    ({"asset_id": None}, None, "asset_id"),
    ({"asset_id": "OK", "enable_video_stream": "yes"}, "parameter_invalid", "enable_video_stream"),
    ({"asset_id": "OK", "enable_video_stream": 1}, "parameter_invalid", "enable_video_stream"),
    ({"asset_id": "OK", "user_metadata": []}, "parameter_invalid", "user_metadata"),
    ({"asset_id": "OK", "user_metadata": '{"a": 1}'}, "parameter_invalid", "user_metadata"),
    ({"asset_id": "OK", "user_metadata": {"a": [1]}}, "parameter_invalid", "user_metadata"),
    ({"asset_id": "OK", "bogus": 1}, "parameter_unknown", "bogus"),
], ids=str)
def test_bad_requests_are_refused_and_add_nothing(api, index, asset, body, code, word):
    def total():
        return api.get(f"/indexes/{index}/indexed-assets").json()["page_info"]["total_results"]

    before = total()
    sent = {**body, **({"asset_id": asset} if body.get("asset_id") == "OK" else {})}
    response = api.post(f"/indexes/{index}/indexed-assets", json=sent)
    assert response.status_code == 400, response.text
    assert code is None or response.json()["code"] == code, response.text
    assert word in response.json()["message"]
    assert total() == before


def test_unknown_asset_is_404(api, index):
    missing(api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": UNKNOWN_ID}),
            UNKNOWN_ID, "assets")


def test_asset_of_another_account_is_404(api, stranger, index):
    other = stranger.upload(clip("h264_silent"))["_id"]
    missing(api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": other}), other, "assets")


def test_image_cannot_be_indexed(api, index):
    made = api.upload(clip("jpeg_640"))["_id"]
    invalid(api.post(f"/indexes/{index}/indexed-assets", json={"asset_id": made}), "asset_id")


def test_limits_of_indexing_give_their_codes(start_server, tmp_path):
    # A server with a lower bound for uploads takes clips that must still not be indexed.
    from lib.api import Api
    loose = Api(start_server("--min-duration-sec", "1", data_dir=tmp_path / "same"))
    made = loose.upload(clip("short_3900ms"))["_id"]
    index = loose.make_index("bounds")
    loose.add(index, made)
    loose.close()
    loose.server.stop()
    strict = Api(start_server(data_dir=tmp_path / "same", key=loose.key))
    response = strict.post(f"/indexes/{index}/indexed-assets", json={"asset_id": made})
    refused(response, 400, "video_duration_too_short",
            pattern=r"^The video is too short\. .* at least 4 seconds\. Current duration is 3\.9")
    strict.close()


def test_audio_and_video_without_sound_are_indexed(api):
    index = api.make_index("kinds")
    for name in ("tone_mp3", "h264_silent", "vp9_opus", "mpeg4_mp3", "h264_vfr", "rotated_90"):
        item = api.add(index, api.upload(clip(name))["_id"])
        assert finished(api, index, item)["status"] == "ready", name


# --- video stream ---------------------------------------------------------------------------

def test_video_stream_gives_the_upper_case_object_and_plays(api, asset, tmp_path):
    index = api.make_index("streaming")
    item = api.add(index, asset, enable_video_stream=True)
    path = f"/indexes/{index}/indexed-assets/{item}"

    def complete():
        part = api.get(path).json()["hls"]
        assert part["status"] in ("PROCESSING", "COMPLETE"), part
        assert ("video_url" in part) == (part["status"] == "COMPLETE")
        return part["status"] == "COMPLETE" and part

    part = wait_until(complete, 60, "the stream")
    assert MILLIS_TIME.match(part["updated_at"])
    stream = Stream(api.http, part["video_url"])
    whole = stream.save(stream.video, tmp_path / "v.mp4")
    assert frame_hashes(whole) == frame_hashes(clip("h264_aac"))
    finished(api, index, item)
    urls = api.get(path).json()["hls"]["thumbnail_urls"]
    assert urls and all(api.http.get(u).headers["content-type"] == "image/jpeg" for u in urls)


@pytest.mark.parametrize("whole_index", [False, True], ids=["item", "index"])
def test_key_picture_goes_with_the_answer_to_delete(api, asset, whole_index):
    # Several rounds: its file is removed by a job that comes later but is quick.
    for n in range(4):
        index = api.make_index(f"pictures {whole_index} {n}")
        item = api.add(index, asset, enable_video_stream=True)
        finished(api, index, item)
        path = f"/indexes/{index}/indexed-assets/{item}"
        url = wait_until(lambda: api.get(path).json()["hls"].get("thumbnail_urls"), 20,
                         "the key picture")[0]
        assert api.http.get(url).status_code == 200
        gone = api.delete(f"/indexes/{index}" if whole_index else path)
        assert gone.status_code == 204
        assert api.http.get(url).status_code == 404


def test_no_stream_object_unless_asked_for(api, index, asset):
    for more in ({}, {"enable_video_stream": False}):
        made = api.add(index, asset, **more)
        assert "hls" not in api.get(f"/indexes/{index}/indexed-assets/{made}").json()


# --- who may see what -----------------------------------------------------------------------

OPERATIONS = ["GET", "PATCH", "PUT", "DELETE"]


def operate(api, method, index, item):
    body = {"json": {"user_metadata": {"a": 1}}} if method in ("PATCH", "PUT") else {}
    return api.request(method, f"/indexes/{index}/indexed-assets/{item}", **body)


@pytest.mark.parametrize("method", OPERATIONS)
def test_unknown_indexed_asset_is_404(api, index, method):
    response = operate(api, method, index, UNKNOWN_ID)
    body = refused(response, 404, "resource_not_exist")
    assert UNKNOWN_ID in body["message"]


@pytest.mark.parametrize("method", OPERATIONS)
@pytest.mark.parametrize("bad", MALFORMED_IDS)
def test_malformed_indexed_asset_id_is_400(api, index, method, bad):
    refused(operate(api, method, index, bad), 400, "parameter_invalid",
            pattern="indexed.asset.id")


@pytest.mark.parametrize("method", OPERATIONS)
def test_indexed_asset_is_not_found_in_another_index(api, index, item, method):
    other = api.make_index(f"another for {method}")
    refused(operate(api, method, other, item), 404, "resource_not_exist")
    assert api.get(f"/indexes/{index}/indexed-assets/{item}").json()["user_metadata"] == START


@pytest.mark.parametrize("method", OPERATIONS)
def test_indexed_asset_of_another_account_does_not_exist(api, stranger, index, item, method):
    refused(operate(stranger, method, index, item), 404, "resource_not_exist")
    assert api.get(f"/indexes/{index}/indexed-assets/{item}").json()["user_metadata"] == START


@pytest.mark.parametrize("query", ["transcription=false", ""])
def test_retrieve_with_known_parameters(api, index, item, query):
    assert api.get(f"/indexes/{index}/indexed-assets/{item}", query).status_code == 200


@pytest.mark.parametrize("query,parameter", [
    ("transcription=true", "transcription"), ("embedding_option=visual", "embedding_option"),
    ("embedding_option=visual&embedding_option=audio", "embedding_option"),
    ("embedding_option=visual-text", "embedding_option"), ("transcription=maybe", "transcription"),
    ("embedding_option=smell", "embedding_option")])
def test_parts_that_this_server_cannot_make_are_refused(api, index, item, query, parameter):
    # No understanding model is there: an answer without the part would say something untrue.
    invalid(api.get(f"/indexes/{index}/indexed-assets/{item}", query), parameter)


def test_unknown_query_of_retrieve_is_refused(api, index, item):
    refused(api.get(f"/indexes/{index}/indexed-assets/{item}", "bogus=1"), 400,
            "parameter_unknown")


# --- metadata -------------------------------------------------------------------------------

@pytest.fixture
def fresh(api, index, asset):
    """The path of an indexed asset whose metadata is START."""
    return f"/indexes/{index}/indexed-assets/{api.add(index, asset, user_metadata=START)}"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("change,after", [
    ({"new": 1}, {**START, "new": 1}), ({"category": "other"}, {**START, "category": "other"}),
    ({"category": None}, {k: v for k, v in START.items() if k != "category"}),
    ({"category": ""}, START), ({"unknown": None}, START), ({}, START),
    ({key: None for key in START}, None)], ids=str)
def test_update_merges_and_put_is_an_alias(api, fresh, method, change, after):
    response = api.request(method, fresh, json={"user_metadata": change})
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(fresh).json().get("user_metadata") == after


@pytest.mark.parametrize("content,kind", [(b"", "application/json"), (b"", None),
                                          (b"{}", "application/json")])
def test_update_without_anything_is_204(api, fresh, content, kind):
    # The Python SDK sends zero bytes with a JSON content type when there is nothing to say.
    response = api.patch(fresh, content=content, headers={"content-type": kind} if kind else {})
    assert response.status_code == 204
    assert api.get(fresh).json()["user_metadata"] == START


@pytest.mark.parametrize("text", ['5', '5.0', '9.3', '9007199254740993', 'true', '"x"', '"🎬"'])
def test_types_survive(api, fresh, text):
    body = '{"user_metadata": {"value": %s}}' % text
    assert api.patch(fresh, content=body.encode(),
                     headers={"content-type": "application/json"}).status_code == 204
    got, wanted = api.get(fresh).json()["user_metadata"]["value"], json.loads(text)
    assert (got, type(got)) == (wanted, type(wanted))


@pytest.mark.parametrize("body", [{"user_metadata": []}, {"user_metadata": "x"},
                                  {"user_metadata": {"a": {}}}, {"user_metadata": {"a": [1]}},
                                  {"user_metadata": {"k" * 257: 1}}], ids=lambda b: str(b)[:40])
def test_bad_update_is_refused_and_changes_nothing(api, fresh, body):
    before = api.get(fresh).json()
    invalid(api.patch(fresh, json=body), "user_metadata")
    after = api.get(fresh).json()
    assert (after["user_metadata"], after["_id"]) == (START, before["_id"])


def test_update_moves_updated_at(api, index, item):
    path = f"/indexes/{index}/indexed-assets/{item}"
    before = api.get(path).json()["updated_at"]
    assert api.patch(path, json={"user_metadata": {"category": "recentlyAdded"}}).status_code == 204
    assert api.get(path).json()["updated_at"] >= before


# --- references and delete ------------------------------------------------------------------

def test_indexed_assets_of_an_asset(api):
    asset = api.upload(clip("h264_silent"))["_id"]
    path = f"/assets/{asset}/indexed-assets"
    assert api.get(path).json() == {"data": [], "page_info": {
        "limit_per_page": 10, "page": 1, "total_page": 0, "total_results": 0}}
    indexes = [api.make_index(f"holder {n}") for n in range(3)]
    items = {api.add(index, asset): (index, f"holder {n}") for n, index in enumerate(indexes)}
    data = api.get(path).json()["data"]
    assert {one["_id"]: (one["index"]["_id"], one["index"]["name"]) for one in data} == items
    assert all(set(one) == {"_id", "index"} and set(one["index"]) == {"_id", "name"}
               for one in data)
    pages = [api.get(path, {"page": n, "page_limit": 1}).json() for n in (1, 2, 3, 4)]
    assert [len(p["data"]) for p in pages] == [1, 1, 1, 0]
    assert pages[0]["page_info"]["total_page"] == 3


def test_delete_leaves_the_asset(api, index, asset):
    made = api.add(index, asset)
    path = f"/indexes/{index}/indexed-assets/{made}"
    response = api.delete(path)
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(path).status_code == 404
    assert api.delete(path).status_code == 404
    assert api.get("/assets/" + asset).status_code == 200


def test_delete_while_indexing_is_final(api, server):
    index = api.make_index("stopped early")
    asset = api.upload(clip("index_60s"))["_id"]
    item = api.add(index, asset)
    path = f"/indexes/{index}/indexed-assets/{item}"
    wait_until(lambda: api.get(path).json()["status"] in ("indexing", "ready"), 30, "indexing")
    assert api.delete(path).status_code == 204
    wait_until(lambda: not [p for p in server.data_dir.rglob(f"*{item}*") if p.is_file()], 20,
               "its files to go")
    assert api.get(path).status_code == 404
