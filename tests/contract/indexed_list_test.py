"""GET /indexes/{id}/indexed-assets: every filter in every encoding that clients send."""

import json
from urllib.parse import quote

import pytest

from lib.api import MILLIS_TIME, invalid
from lib.server import wait_until
from media.maker import clip

# (clip, filename, user metadata); created in this order.
ROWS = [
    ("h264_silent", "01 a.mp4", {"category": "recently Added", "batchNumber": 5, "rating": 9.3,
                                 "needsReview": True}),
    ("long_8s_10fps", "02.mp4", {"category": "recently Added", "batchNumber": 5.0, "rating": 7,
                                 "needsReview": False}),
    ("wide_30fps", "03.mp4", {"category": "old", "batchNumber": 6, "big": 9007199254740993}),
    ("tall_25fps", "04.mp4", {"category": "5", "batchNumber": "5", "needsReview": "true"}),
    ("tone_mp3", "05.mp3", {"ключ": "значение", "a b": "c+d", "sort": "x", "Category": "Caps"}),
    ("h264_silent", "06.mp4", None),
]
SILENT, LONG, WIDE, TALL, SOUND, BARE = range(6)
ALL = set(range(6))


@pytest.fixture(scope="module")
def shelf(api):
    """(path of the list, ids in the order of ROWS), all indexed."""
    index = api.make_index("filters")
    assets, items = {}, []
    for name, filename, metadata in ROWS:
        asset = api.upload(clip(name), filename=filename)["_id"]
        assets[filename] = asset
        more = {"user_metadata": metadata} if metadata else {}
        items.append(api.add(index, asset, **more))
    path = f"/indexes/{index}/indexed-assets"
    wait_until(lambda: api.get(path, "status=ready").json()["page_info"]["total_results"]
               == len(ROWS), 60, "all rows to be indexed")
    return path, items


def found(api, shelf, query):
    path, items = shelf
    response = api.get(path, query)
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["page_info"]["total_results"] >= len(body["data"])
    return [items.index(one["_id"]) for one in body["data"]]


def check(api, shelf, query, wanted):
    """Rows and totals, in both directions."""
    path, _ = shelf
    assert found(api, shelf, query) == sorted(wanted, reverse=True), query
    joined = query + "&" if query else ""
    assert found(api, shelf, joined + "sort_option=asc") == sorted(wanted), query
    body = api.get(path, joined + "page_limit=1").json()
    assert body["page_info"]["total_results"] == len(wanted), query


def test_plain_list_is_newest_first_and_complete(api, shelf):
    path, items = shelf
    body = api.get(path).json()
    assert [one["_id"] for one in body["data"]] == items[::-1]
    assert body["page_info"] == {"limit_per_page": 10, "page": 1, "total_page": 1,
                                 "total_results": 6}
    for one in body["data"]:
        assert {"_id", "asset_id", "created_at", "updated_at", "status",
                "system_metadata", "indexed_at"} <= set(one)
        assert not {"hls", "embedding", "transcription"} & set(one)
        assert MILLIS_TIME.match(one["created_at"]) and MILLIS_TIME.match(one["updated_at"])
    assert "width" not in body["data"][1]["system_metadata"], "sound has no picture"


def test_system_metadata_of_the_list_is_that_of_the_files(api, shelf):
    path, _ = shelf
    row = api.get(path, "filename=03.mp4").json()["data"][0]["system_metadata"]
    assert row == {"filename": "03.mp4", "duration": pytest.approx(4.0, abs=0.05), "fps": 30,
                   "width": 1280, "height": 720, "size": clip("wide_30fps").stat().st_size}


# --- the literal query strings of the clients ------------------------------------------------

JS = ("page=1&page_limit=10&sort_by=created_at&sort_option=desc&status=ready&status=failed"
      "&filename=01%20a.mp4&duration%5Bgte%5D=5&duration%5Blte%5D=20.5&fps%5Bgte%5D=25"
      "&width%5Blte%5D=1920&size%5Bgte%5D=1024&created_at=2024-08-16T16%3A53%3A59Z"
      "&user_metadata=%7B%22category%22%3A%22recently%20Added%22%2C%22batchNumber%22%3A5%2C"
      "%22rating%22%3A9.3%2C%22needsReview%22%3Atrue%7D")
PYTHON = ("page=1&page_limit=10&sort_by=created_at&sort_option=desc&status=ready&status=failed"
          "&filename=01+a.mp4&duration%5Bgte%5D=5&duration%5Blte%5D=20.5&fps%5Bgte%5D=25"
          "&width%5Blte%5D=1920&size%5Bgte%5D=1024&created_at=2024-08-16T16%3A53%3A59Z"
          "&user_metadata%5Bcategory%5D=recently+Added&user_metadata%5BbatchNumber%5D=5"
          "&user_metadata%5Brating%5D=9.3&user_metadata%5BneedsReview%5D=true")
CURL = ("filename=01+a.mp4&duration[gte]=5&duration[lte]=5.1&fps[gte]=25&fps[lte]=25"
        "&width[gte]=640&width[lte]=640&height[gte]=360&height[lte]=360"
        "&created_at=2024-08-16T16%3A53%3A59Z&updated_at=2024-08-16T16%3A53%3A59Z"
        "&category=recently+Added&batchNumber=5&rating=9.3&needsReview=true")


@pytest.mark.parametrize("query", [JS, PYTHON, CURL], ids=["node", "python", "curl"])
def test_literal_query_strings_of_the_clients(api, shelf, query):
    assert found(api, shelf, query) == [SILENT]


# --- system filters -------------------------------------------------------------------------

@pytest.mark.parametrize("query,wanted", [
    ("", ALL),
    ("status=ready", ALL), ("status=failed", set()), ("status=failed&status=ready", ALL),
    ("status=pending&status=queued&status=indexing", set()),
    ("status=validating", set()), ("status=uploading", set()), ("status=ready&status=validating", ALL),
    ("filename=02.mp4", {LONG}), ("filename=02", set()),
    ("filename=", {SILENT, LONG, WIDE, TALL, SOUND, BARE}), ("filename=02.MP4", set()),
    ("filename=01%20a.mp4", {SILENT}), ("filename=01+a.mp4", {SILENT}),
    ("duration[gte]=7", {LONG}), ("duration[lte]=4.5", {WIDE}),
    ("duration%5Bgte%5D=7&duration%5Blte%5D=9.0", {LONG}),
    ("duration[gte]=4&duration[lte]=4", {WIDE}), ("duration=8", {LONG}), ("duration=8.0", {LONG}),
    ("duration[gte]=9&duration[lte]=1", set()),
    ("fps[gte]=25", {SILENT, WIDE, TALL, BARE}), ("fps[gte]=25&fps[lte]=25", {SILENT, TALL, BARE}),
    ("fps=30", {WIDE}), ("fps=10.0", {LONG}), ("fps[lte]=1000", ALL - {SOUND}),
    ("width[gte]=640", {SILENT, LONG, WIDE, BARE}), ("width=1280", {WIDE}),
    ("width[gte]=0", ALL - {SOUND}),
    ("height[gte]=480&height[lte]=640", {LONG, TALL}), ("height=720", {WIDE}),
    ("width=400&height=640", {TALL}),
    ("size[gte]=1", ALL), ("size[lte]=0", set()),
    ("created_at=2020-01-01T00:00:00Z", ALL), ("created_at=2999-01-01T00:00:00Z", set()),
    ("updated_at=2020-01-01T00:00:00Z", ALL), ("updated_at=2999-01-01T00:00:00.000Z", set()),
    ("created_at=2999-01-01T00%3A00%3A00%2B05%3A30", set()),
    ("status=ready&fps=25&duration[gte]=5.5", {TALL}),
])
def test_system_filters(api, shelf, query, wanted):
    check(api, shelf, query, wanted)


def test_size_filter_is_exact_to_the_byte(api, shelf):
    size = clip("wide_30fps").stat().st_size
    check(api, shelf, f"size={size}", {WIDE})
    check(api, shelf, f"size[gte]={size}&size[lte]={size}", {WIDE})
    assert WIDE not in found(api, shelf, f"size[gte]={size + 1}")
    assert WIDE not in found(api, shelf, f"size[lte]={size - 1}")


def test_time_filter_includes_its_instant(api, shelf):
    path, items = shelf
    third = api.get(path, "sort_option=asc").json()["data"][2]
    check(api, shelf, "created_at=" + third["created_at"], {2, 3, 4, 5})


@pytest.mark.parametrize("name,value", [
    ("status", "bogus"), ("status", ""), ("status", "READY"), ("duration", "x"),
    ("duration[gte]", "x"), ("duration[gte]", ""), ("duration[gt]", "5"), ("duration[]", "5"),
    ("fps[lte]", "NaN"), ("width[gte]", "inf"), ("height[gte]", "1e999"), ("size[gte]", "1k"),
    ("created_at", "yesterday"), ("created_at", "2024-08-16"), ("updated_at", "x"),
    ("updated_at", "2024-08-16T25:00:00Z"), ("sort_by", "duration"), ("sort_option", "down"),
    ("page", "0"), ("page", "-1"), ("page", "x"), ("page_limit", "0"), ("page_limit", "51"),
    ("page_limit", "-1"), ("page_limit", "x"), ("user_metadata", "not json"),
    ("user_metadata", "[1]"), ("user_metadata", '{"a": [1]}'), ("user_metadata", '{"a": {}}')])
def test_bad_filter_is_400_naming_it(api, shelf, name, value):
    wanted = name.split("[")[0]
    response = api.get(shelf[0], f"{quote(name)}={quote(value)}")
    body = response.json()
    assert (response.status_code, body.get("code")) == (400, "parameter_invalid"), response.text
    assert wanted in body["message"]


@pytest.mark.parametrize("query", ["filename=%", "filename=%2", "filename=%zz", "filename=%ff%fe",
                                   "%c3%28=1"])
def test_malformed_escapes_are_400(api, shelf, query):
    import socket
    path, _ = shelf
    server = api.server
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
        peer.sendall(f"GET /v1.3{path}?{query} HTTP/1.1\r\nHost: x\r\nx-api-key: {api.key}\r\n"
                     "Connection: close\r\n\r\n".encode())
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 400") and b"parameter_invalid" in answer


# --- user metadata --------------------------------------------------------------------------

def three_encodings(key, value):
    """The same condition as JSON (node), bracketed (python) and flat (the seed)."""
    text = json.dumps(value) if not isinstance(value, str) else value
    return ["user_metadata=" + quote(json.dumps({key: value})),
            f"user_metadata%5B{quote(key)}%5D={quote(text)}", f"{quote(key)}={quote(text)}"]


@pytest.mark.parametrize("key,value,wanted", [
    ("category", "recently Added", {SILENT, LONG}), ("category", "recently added", set()),
    ("category", "recently", set()), ("category", "old", {WIDE}), ("Category", "Caps", {SOUND}),
    ("batchNumber", 6, {WIDE}), ("batchNumber", 4, set()),
    ("rating", 9.3, {SILENT}), ("rating", 7, {LONG}), ("rating", 7.0, {LONG}),
    ("big", 9007199254740993, {WIDE}), ("big", 9007199254740992, set()),
    ("needsReview", False, {LONG}), ("ключ", "значение", {SOUND}), ("a b", "c+d", {SOUND}),
    ("unknown", "x", set()), ("sort", "x", {SOUND})])
@pytest.mark.parametrize("encoding", [0, 1, 2], ids=["json", "bracketed", "flat"])
def test_metadata_filters_in_three_encodings(api, shelf, encoding, key, value, wanted):
    check(api, shelf, three_encodings(key, value)[encoding], wanted)


@pytest.mark.parametrize("query,wanted", [
    # Untyped text compares by the type of each stored value.
    ("batchNumber=5", {SILENT, LONG, TALL}), ("batchNumber=5.0", {SILENT, LONG}),
    ("needsReview=true", {SILENT, TALL}), ("category=5", {TALL}),
    ("user_metadata[batchNumber]=5", {SILENT, LONG, TALL}),
    # JSON says its types.
    ("user_metadata=" + quote('{"batchNumber": 5}'), {SILENT, LONG}),
    ("user_metadata=" + quote('{"batchNumber": 5.0}'), {SILENT, LONG}),
    ("user_metadata=" + quote('{"batchNumber": "5"}'), {TALL}),
    ("user_metadata=" + quote('{"needsReview": true}'), {SILENT}),
    ("user_metadata=" + quote('{"needsReview": "true"}'), {TALL}),
    ("user_metadata=" + quote('{"category": 5}'), set()),
    ("user_metadata=%7B%7D", ALL),
    # Several conditions hold together, in any mixture.
    ("category=recently+Added&needsReview=true", {SILENT}),
    ("category=recently+Added&user_metadata[rating]=7", {LONG}),
    ("user_metadata=" + quote('{"category": "recently Added"}') + "&rating=9.3&fps=25", {SILENT}),
    ("category=old&category=5", set()),
])
def test_metadata_types_and_conjunction(api, shelf, query, wanted):
    check(api, shelf, query, wanted)


def test_filter_sees_a_change_at_once(api, shelf):
    path, items = shelf
    for value in ("first", "second", None):
        change = {"user_metadata": {"moving": value}}
        assert api.patch(f"{path}/{items[BARE]}", json=change).status_code == 204
        for text in ("first", "second"):
            assert found(api, shelf, f"moving={text}") == ([BARE] if text == value else [])


# --- order and pages ------------------------------------------------------------------------

def test_sort_by_update_follows_changes(api, shelf):
    path, items = shelf
    assert api.patch(f"{path}/{items[LONG]}", json={"user_metadata": {"rating": 7}}) \
        .status_code == 204
    assert found(api, shelf, "sort_by=updated_at")[0] == LONG
    assert found(api, shelf, "sort_by=updated_at&sort_option=asc")[-1] == LONG
    assert found(api, shelf, "sort_by=created_at&sort_option=asc") == sorted(ALL)


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6, 50])
@pytest.mark.parametrize("query,total", [("", 6), ("fps=25", 3), ("category=recently+Added", 2)])
def test_pages_cover_a_filtered_list(api, shelf, limit, query, total):
    path, _ = shelf
    seen = []
    for page in range(1, total // limit + 3):
        body = api.get(path, f"{query}&page={page}&page_limit={limit}".lstrip("&")).json()
        assert body["page_info"] == {"limit_per_page": limit, "page": page, "total_results": total,
                                     "total_page": -(-total // limit)}
        seen += [one["_id"] for one in body["data"]]
    assert len(seen) == len(set(seen)) == total
    assert body["data"] == []


def test_deleted_row_leaves_list_and_totals_at_once(api):
    index = api.make_index("shrinking")
    asset = api.upload(clip("h264_silent"))["_id"]
    path = f"/indexes/{index}/indexed-assets"
    items = [api.add(index, asset, user_metadata={"n": n}) for n in range(3)]
    assert api.delete(f"{path}/{items[1]}").status_code == 204
    body = api.get(path).json()
    assert [one["_id"] for one in body["data"]] == [items[2], items[0]]
    assert body["page_info"]["total_results"] == 2
    assert api.get(path, "n=1").json()["data"] == []


def test_list_is_the_same_after_a_restart(start_server, tmp_path):
    from lib.api import Api
    one = start_server(data_dir=tmp_path / "same")
    api = Api(one)
    index = api.make_index("kept")
    asset = api.upload(clip("h264_silent"))["_id"]
    items = [api.add(index, asset, user_metadata={"n": n, "f": n + 0.5}) for n in range(4)]
    path = f"/indexes/{index}/indexed-assets"
    wait_until(lambda: api.get(path, "status=ready").json()["page_info"]["total_results"] == 4, 30,
               "indexing")
    before = api.get(path, "n=2").json(), api.get(path, "duration[gte]=1&fps=25").json()
    api.close()
    one.stop()
    two = Api(start_server(data_dir=tmp_path / "same", key=one.key))
    assert (two.get(path, "n=2").json(), two.get(path, "duration[gte]=1&fps=25").json()) == before
    assert two.get(path, "f=2.5").json()["data"][0]["_id"] == items[2]
    two.close()


def test_unused_helper_names_are_ordinary_keys(api, shelf):
    # Only the reserved names are filters of the system; `sort` or `limit` are metadata.
    check(api, shelf, "limit=5", set())
    invalid(api.get(shelf[0], "page_limit=0"), "page_limit")
