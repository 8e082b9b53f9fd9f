"""Videos: indexed assets that are ready, under the name that older clients know them by."""

import json

import pytest

from lib.api import MALFORMED_IDS, MILLIS_TIME, UNKNOWN_ID, invalid, missing, refused
from lib.server import wait_until
from media.maker import clip

# (clip, filename, user metadata); created in this order. The last one is never ready.
ROWS = [
    ("h264_silent", "01 a.mp4", {"category": "a", "batchNumber": 5, "needsReview": True}),
    ("long_8s_10fps", "02.mp4", {"category": "b", "batchNumber": 5, "rating": 9.3}),
    ("wide_30fps", "03.mp4", {"category": "a", "status": "ready"}),
]
SILENT, LONG, WIDE = range(3)


@pytest.fixture(scope="module")
def shelf(api):
    """(index, ids in the order of ROWS), all indexed."""
    index = api.make_index("videos")
    items = []
    for name, filename, metadata in ROWS:
        asset = api.upload(clip(name), filename=filename)["_id"]
        items.append(api.add(index, asset, user_metadata=metadata, enable_video_stream=True))
    wait_until(lambda: len(api.get(f"/indexes/{index}/videos").json()["data"]) == len(ROWS), 60,
               "all rows to be indexed")
    return index, items


def found(api, shelf, query=""):
    index, items = shelf
    response = api.get(f"/indexes/{index}/videos", query)
    assert response.status_code == 200, response.text
    return [items.index(one["_id"]) for one in response.json()["data"]]


# --- list -----------------------------------------------------------------------------------

def test_list_shows_what_videos_have(api, shelf):
    index, items = shelf
    body = api.get(f"/indexes/{index}/videos").json()
    assert [one["_id"] for one in body["data"]] == items[::-1]
    assert body["page_info"] == {"limit_per_page": 10, "page": 1, "total_page": 1,
                                 "total_results": 3}
    for one in body["data"]:
        assert set(one) == {"_id", "asset_id", "created_at", "updated_at", "indexed_at",
                            "system_metadata"}
        for name in ("created_at", "updated_at", "indexed_at"):
            assert MILLIS_TIME.match(one[name])
    assert body["data"][0]["system_metadata"] == {
        "filename": "03.mp4", "duration": pytest.approx(4.0, abs=0.05), "fps": 30, "width": 1280,
        "height": 720, "size": clip("wide_30fps").stat().st_size}


@pytest.mark.parametrize("query,wanted", [
    ("sort_option=asc", [SILENT, LONG, WIDE]), ("page=2&page_limit=2", [SILENT]),
    ("page=3&page_limit=2", []), ("sort_by=updated_at&filename=02.mp4", [LONG]),
    ("filename=02", []), ("filename=", [WIDE, LONG, SILENT]), ("duration[gte]=7", [LONG]), ("duration%5Blte%5D=4.5", [WIDE]),
    ("fps=30", [WIDE]), ("width[gte]=640&height[lte]=480", [LONG, SILENT]),
    ("size[gte]=1", [WIDE, LONG, SILENT]), ("created_at=2999-01-01T00:00:00Z", []),
    ("updated_at=2020-01-01T00:00:00Z", [WIDE, LONG, SILENT]),
    # Metadata flat, as both SDKs send it here; then as JSON, then in brackets.
    ("duration%5Bgte%5D=1&duration%5Blte%5D=20&category=a&batchNumber=5&needsReview=true",
     [SILENT]),
    ("category=a", [WIDE, SILENT]), ("batchNumber=5.0", [LONG, SILENT]), ("rating=9.3", [LONG]),
    ("user_metadata=%7B%22category%22%3A%22a%22%2C%22batchNumber%22%3A5%7D", [SILENT]),
    ("user_metadata[category]=b", [LONG]), ("user_metadata%5Bstatus%5D=ready", [WIDE]),
    ("nothing=1", []),
])
def test_list_filters_and_sorts(api, shelf, query, wanted):
    assert found(api, shelf, query) == wanted


@pytest.mark.parametrize("name,value", [
    ("page", "0"), ("page_limit", "51"), ("sort_by", "name"), ("sort_option", "up"),
    ("duration", "x"), ("size", "1e999"), ("created_at", "yesterday"), ("user_metadata", "[]"),
])
def test_bad_filters_are_refused(api, shelf, name, value):
    index, _ = shelf
    invalid(api.get(f"/indexes/{index}/videos", {name: value}), name)


def test_videos_are_not_asked_for_by_status(api, shelf):
    index, _ = shelf
    body = refused(api.get(f"/indexes/{index}/videos", "status=ready"), 400, "parameter_unknown")
    assert "status" in body["message"]


def test_only_what_is_ready_is_listed(start_server):
    from lib.api import Api
    api = Api(start_server("--worker-threads", "1"))
    index = api.make_index("slow")
    first = api.upload(clip("index_60s"))["_id"]
    items = [api.add(index, first) for _ in range(2)]
    path = f"/indexes/{index}/videos"
    body = api.get(path).json()
    assert (body["data"], body["page_info"]["total_results"]) == ([], 0)
    assert len(api.get(f"/indexes/{index}/indexed-assets").json()["data"]) == 2
    # One by one each can be asked for all the same, by the id that a task gives.
    assert api.get(f"{path}/{items[1]}").json()["_id"] == items[1]
    wait_until(lambda: api.get(path).json()["page_info"]["total_results"] == 2, 120, "indexing")


# --- one ------------------------------------------------------------------------------------

def test_retrieve_shows_metadata_and_playback(api, shelf):
    index, items = shelf
    body = api.get(f"/indexes/{index}/videos/{items[SILENT]}").json()
    assert set(body) == {"_id", "asset_id", "created_at", "updated_at", "indexed_at",
                         "system_metadata", "user_metadata", "hls"}
    assert body["user_metadata"] == ROWS[SILENT][2]
    assert "size" not in body["system_metadata"] and body["system_metadata"]["fps"] == 25
    assert body["hls"]["status"] == "COMPLETE"
    assert api.http.get(body["hls"]["video_url"]).status_code == 200
    same = api.get(f"/indexes/{index}/indexed-assets/{items[SILENT]}").json()
    assert {k: v for k, v in same.items() if k in ("_id", "asset_id", "created_at", "updated_at",
                                                   "user_metadata")}.items() <= body.items()


@pytest.mark.parametrize("query,name", [
    ("embedding_option=visual&embedding_option=audio", "embedding_option"),
    ("transcription=true", "transcription"), ("embedding_option=bogus", "embedding_option"),
    ("transcription=maybe", "transcription"),
])
def test_what_needs_models_is_refused(api, shelf, query, name):
    index, items = shelf
    invalid(api.get(f"/indexes/{index}/videos/{items[0]}", query), name)


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_change_merges_metadata_and_lists_follow(api, shelf, method):
    index, items = shelf
    path = f"/indexes/{index}/videos/{items[LONG]}"

    def send(**more):
        response = api.request(method, path, **more)
        assert (response.status_code, response.content) == (204, b""), response.text

    send(json={"user_metadata": {"from_sdk": True, "rating": None, "category": ""}})
    body = api.get(path).json()
    assert body["user_metadata"] == {"category": "b", "batchNumber": 5, "from_sdk": True}
    assert found(api, shelf, "from_sdk=true") == [LONG]
    assert found(api, shelf, "rating=9.3") == []
    send(json={})
    send(headers={"content-type": "application/json"})
    send(json={"user_metadata": {"from_sdk": None, "rating": 9.3}})
    assert api.get(f"/indexes/{index}/indexed-assets/{items[LONG]}").json()["user_metadata"] == \
        ROWS[LONG][2]


@pytest.mark.parametrize("body,code", [
    ({"user_metadata": []}, "parameter_invalid"), ({"user_metadata": {"a": [1]}}, "parameter_invalid"),
    ({"metadata": {}}, "parameter_unknown"), ([], "parameter_invalid"),
], ids=str)
def test_bad_change_is_refused(api, shelf, body, code):
    index, items = shelf
    before = api.get(f"/indexes/{index}/videos/{items[0]}").json()
    refused(api.patch(f"/indexes/{index}/videos/{items[0]}", content=json.dumps(body),
                      headers={"content-type": "application/json"}), 400, code)
    assert api.get(f"/indexes/{index}/videos/{items[0]}").json() == before


def test_delete_removes_the_video_and_frees_the_asset(api):
    index = api.make_index("delete")
    asset = api.upload(clip("h264_silent"))["_id"]
    item = api.add(index, asset)
    path = f"/indexes/{index}/videos"
    wait_until(lambda: api.get(path).json()["data"], 60, "the video")
    refused(api.delete(f"/assets/{asset}"), 409, "asset_in_use")
    assert api.delete(f"{path}/{item}").status_code == 204
    missing(api.get(f"{path}/{item}"), item, "videos")
    missing(api.get(f"/indexes/{index}/indexed-assets/{item}"), item, "indexed-assets")
    missing(api.delete(f"{path}/{item}"), item, "videos")
    assert api.get(path).json()["data"] == []
    assert api.get(f"/indexes/{index}").json()["video_count"] == 0
    assert api.get(f"/assets/{asset}").status_code == 200
    assert api.delete(f"/assets/{asset}").status_code == 204


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_ids_that_name_nothing(api, stranger, shelf, method):
    index, items = shelf
    more = {"json": {"user_metadata": {"a": 1}}} if method[0] == "P" else {}

    def ask(client, index_id, video_id):
        return client.request(method, f"/indexes/{index_id}/videos/{video_id}", **more)

    for bad in MALFORMED_IDS:
        assert ask(api, index, bad).status_code in (400, 404), bad
    invalid(ask(api, index, "x"), "video-id")
    invalid(ask(api, "x", items[0]), "index-id")
    missing(ask(api, index, UNKNOWN_ID), UNKNOWN_ID, "videos")
    missing(ask(api, UNKNOWN_ID, items[0]), UNKNOWN_ID, "indexes")
    missing(ask(stranger, index, items[0]), index, "indexes")
    missing(stranger.get(f"/indexes/{index}/videos"), index, "indexes")
    missing(api.get(f"/indexes/{UNKNOWN_ID}/videos"), UNKNOWN_ID, "indexes")
