"""Assets: retrieve, list with its filters, pages, delete; and other accounts' assets."""

import pytest

from lib.api import MALFORMED_IDS, SECONDS_TIME, UNKNOWN_ID, invalid, missing, refused
from media.maker import clip


@pytest.fixture(scope="module")
def stock(api):
    """23 assets, oldest first: images, then one video, then one audio."""
    png = clip("png_128").read_bytes()
    made = [api.upload(png, filename=f"Holiday {n:02}.PNG") for n in range(21)]
    made.append(api.upload(clip("h264_silent"), filename="holiday movie.mp4"))
    made.append(api.upload(clip("tone_mp3"), filename="100%_tone.mp3"))
    return made


def ids(response):
    assert response.status_code == 200, response.text
    return [item["_id"] for item in response.json()["data"]]


def newest_first(stock, **where):
    return [a["_id"] for a in reversed(stock)]


# --- retrieve -------------------------------------------------------------------------------

def test_detail_of_a_video(api, stock):
    body = api.get("/assets/" + stock[21]["_id"]).json()
    path = clip("h264_silent")
    assert body["size"] == path.stat().st_size
    assert body["duration"] == pytest.approx(5.0, abs=0.05)
    assert (body["status"], body["method"], body["file_type"]) == ("ready", "direct", "video/mp4")
    assert body["filename"] == "holiday movie.mp4"
    assert SECONDS_TIME.match(body["created_at"])
    assert body["technical_metadata"]["video_codec"] == "h264"
    assert not {"hls", "thumbnail", "user_metadata", "error"} & set(body), "none was asked for"


def test_detail_of_an_image_has_no_duration(api, stock):
    body = api.get("/assets/" + stock[0]["_id"]).json()
    assert "duration" not in body
    assert body["size"] == clip("png_128").stat().st_size


def test_requested_hls_and_thumbnail_are_objects_with_urls_once_ready(api, server):
    made = api.upload(clip("h264_aac"), enable_hls="true", enable_thumbnail="1")
    from lib.server import wait_until

    def both_ready():
        body = api.get("/assets/" + made["_id"]).json()
        for part, url in (("hls", "manifest_url"), ("thumbnail", "representative_url")):
            assert body[part]["status"] in ("pending", "processing", "ready")
            assert (url in body[part]) == (body[part]["status"] == "ready")
        return body["hls"]["status"] == body["thumbnail"]["status"] == "ready" and body

    body = wait_until(both_ready, 20, "hls and thumbnail")
    for url in (body["hls"]["manifest_url"], body["thumbnail"]["representative_url"]):
        assert url.startswith(server.origin + "/media/")
        assert "expires=" in url and "signature=" in url


def test_hls_is_ignored_for_images(api):
    made = api.upload(clip("png_128"), enable_hls="true")
    assert "hls" not in api.get("/assets/" + made["_id"]).json()


# --- who may see what -----------------------------------------------------------------------

OPERATIONS = [("GET", ""), ("DELETE", ""), ("DELETE", "?force=true"), ("PATCH", "/user-metadata"),
              ("PUT", "/user-metadata"), ("DELETE", "/user-metadata"), ("GET", "/indexed-assets")]


def operate(api, method, asset, tail):
    body = {"json": {"user_metadata": {"a": 1}}} if method in ("PATCH", "PUT") else {}
    path, _, query = tail.partition("?")
    return api.request(method, f"/assets/{asset}{path}", query=query or None, **body)


@pytest.mark.parametrize("method,tail", OPERATIONS)
def test_unknown_asset_is_404(api, method, tail):
    missing(operate(api, method, UNKNOWN_ID, tail), UNKNOWN_ID, "assets")


@pytest.mark.parametrize("method,tail", OPERATIONS)
@pytest.mark.parametrize("bad", MALFORMED_IDS)
def test_malformed_asset_id_is_400(api, method, tail, bad):
    invalid(operate(api, method, bad, tail), "asset_id")


@pytest.mark.parametrize("method,tail", OPERATIONS)
def test_asset_of_another_account_does_not_exist(api, stranger, stock, method, tail):
    wanted = stock[3]["_id"]
    missing(operate(stranger, method, wanted, tail), wanted, "assets")
    assert api.get("/assets/" + wanted).json()["filename"] == "Holiday 03.PNG"
    assert "user_metadata" not in api.get("/assets/" + wanted).json()


def test_list_shows_only_the_own_account(api, stranger, stock):
    body = stranger.get("/assets").json()
    assert body == {"data": [], "page_info": {"limit_per_page": 10, "page": 1, "total_page": 0,
                                              "total_results": 0}}
    assert ids(stranger.get("/assets", {"asset_ids": stock[0]["_id"]})) == []


# --- list -----------------------------------------------------------------------------------

def test_list_is_newest_first_with_details_and_exact_totals(api, stock):
    response = api.get("/assets", {"page_limit": 50})
    wanted = newest_first(stock)
    seen = ids(response)
    assert [one for one in seen if one in wanted] == wanted
    total = response.json()["page_info"]
    assert total == {"limit_per_page": 50, "page": 1, "total_page": -(-len(seen) // 50),
                     "total_results": len(seen)}
    assert all("size" in item and "technical_metadata" in item for item in response.json()["data"])


@pytest.mark.parametrize("limit", [1, 7, 10, 50])
def test_pages_cover_everything_once_and_end_with_an_empty_page(api, stock, limit):
    total = api.asset_total()
    seen, page = [], 1
    while True:
        response = api.get("/assets", {"page": page, "page_limit": limit})
        info = response.json()["page_info"]
        assert info == {"limit_per_page": limit, "page": page, "total_page": -(-total // limit),
                        "total_results": total}
        if not ids(response):
            break
        seen += ids(response)
        page += 1
    assert len(seen) == len(set(seen)) == total
    assert page == -(-total // limit) + 1, "the SDKs ask on until a page is empty"


@pytest.mark.parametrize("page", [99, 1_000_000, 1_000_000_000])
def test_page_far_past_the_end_is_empty(api, page):
    assert ids(api.get("/assets", {"page": page})) == []


@pytest.mark.parametrize("path", ["/assets", "/indexes"])
@pytest.mark.parametrize("name,value", [
    ("page", 0), ("page", -1), ("page", "x"), ("page", "1.5"), ("page", ""), ("page", "1e2"),
    ("page", 99999999999999999999), ("page_limit", 0), ("page_limit", -1), ("page_limit", 51),
    ("page_limit", "ten"), ("page_limit", ""), ("page_limit", "5x")])
def test_bad_page_is_400_naming_the_parameter(api, path, name, value):
    invalid(api.get(path, {name: value}), name)


def test_default_page_is_the_first_ten(api, stock):
    first = api.get("/assets")
    assert len(ids(first)) == 10
    assert ids(first) == ids(api.get("/assets", "page=1&page_limit=10"))


@pytest.mark.parametrize("query,names", [
    ("bogus=1", ["bogus"]), ("Page=1", ["Page"]), ("sort_by=created_at", ["sort_by"]),
    ("bogus=1&other=2", ["bogus", "other"])])
def test_unknown_query_parameter_is_refused(api, query, names):
    body = refused(api.get("/assets", query), 400, "parameter_unknown")
    assert all(name in body["message"] for name in names[:1])


@pytest.mark.parametrize("path", ["/assets/" + UNKNOWN_ID, "/indexes/" + UNKNOWN_ID])
def test_unknown_query_parameter_is_refused_on_single_resources(api, path):
    refused(api.get(path, "bogus=1"), 400, "parameter_unknown")


def test_filter_by_ids_skips_unknown_ones(api, stock):
    first, second = stock[0]["_id"], stock[5]["_id"]
    query = f"asset_ids={first}&asset_ids={UNKNOWN_ID}&asset_ids={second}&asset_ids={first}"
    response = api.get("/assets", query)
    assert ids(response) == [second, first]
    assert response.json()["page_info"]["total_results"] == 2


@pytest.mark.parametrize("bad", ["x", UNKNOWN_ID + "0", ""])
def test_filter_by_malformed_id_is_400(api, stock, bad):
    invalid(api.get("/assets", f"asset_ids={stock[0]['_id']}&asset_ids={bad}"), "asset_ids")


@pytest.mark.parametrize("query,kinds", [
    ("asset_types=video", {"video"}), ("asset_types=audio", {"audio"}),
    ("asset_types=image", {"image"}), ("asset_types=video&asset_types=audio", {"video", "audio"}),
    ("asset_types=document", set())])
def test_filter_by_type(api, stock, query, kinds):
    data = api.get("/assets", query + "&page_limit=50").json()["data"]
    assert {item["file_type"].split("/")[0] for item in data} == kinds


@pytest.mark.parametrize("bad", ["movie", "VIDEO", ""])
def test_filter_by_other_type_is_400(api, bad):
    invalid(api.get("/assets", {"asset_types": bad}), "asset_types")


@pytest.mark.parametrize("query,count", [
    ("filename=holiday", 22), ("filename=HOLIDAY", 22), ("filename=holiday%201", 10),
    ("filename=holiday+1", 10), ("filename=.png", 21), ("filename=Movie", 1),
    ("filename=nothing", 0), ("filename=%25", 1), ("filename=_", 1), ("filename=100%25_t", 1),
    ("filename=%27%20OR%201=1", 0)])
def test_filter_by_part_of_the_filename(api, stock, query, count):
    # % and _ are ordinary characters of names, not wildcards.
    assert api.get("/assets", query).json()["page_info"]["total_results"] == count


def test_a_filename_filter_without_a_value_filters_nothing(api, stock):
    assert api.get("/assets", "filename=").json() == api.get("/assets").json()


def test_filters_hold_together(api, stock):
    query = f"filename=holiday&asset_types=video&asset_ids={stock[21]['_id']}" \
            f"&asset_ids={stock[0]['_id']}"
    assert ids(api.get("/assets", query)) == [stock[21]["_id"]]


def test_filename_filter_takes_as_many_characters_as_a_filename_has(api):
    assert ids(api.get("/assets", {"filename": "ä" * 255})) == []
    invalid(api.get("/assets", {"filename": "a" * 256}), "filename")


def test_filename_filter_ignores_case_beyond_ascii(api):
    made = api.upload(clip("png_128"), filename="ÄRGER.png")
    assert ids(api.get("/assets", {"filename": "ärger"})) == [made["_id"]]
    api.delete("/assets/" + made["_id"])


# --- delete ---------------------------------------------------------------------------------

def test_deleted_asset_is_gone_everywhere(api, server):
    made = api.upload(clip("png_128"), enable_thumbnail="true")["_id"]
    total = api.asset_total()
    response = api.delete("/assets/" + made)
    assert (response.status_code, response.content) == (204, b"")
    missing(api.get("/assets/" + made), made, "assets")
    missing(api.delete("/assets/" + made), made, "assets")
    assert api.asset_total() == total - 1
    from lib.server import wait_until
    wait_until(lambda: not [p for p in server.data_dir.rglob("*") if made in str(p)
                            and p.is_file()], 10, "the files to be removed")


def test_referenced_asset_needs_force(api):
    made = api.upload(clip("h264_silent"))["_id"]
    index = api.make_index("holds one")
    item = api.add(index, made)
    for query in (None, "force=false", "force=0"):
        body = refused(api.delete("/assets/" + made, query), 409, "asset_in_use")
        assert "force" in body["message"]
        assert "referenced by indexed assets (1)" in body["message"]
    assert api.get("/assets/" + made).status_code == 200
    assert api.delete("/assets/" + made, "force=true").status_code == 204
    missing(api.get("/assets/" + made), made, "assets")
    kept = api.get(f"/indexes/{index}/indexed-assets/{item}")
    assert kept.status_code == 200, "indexed data stays; its asset_id dangles"


def test_asset_is_free_again_when_the_last_reference_goes(api):
    made = api.upload(clip("h264_silent"))["_id"]
    one, two = api.make_index("first holder"), api.make_index("second holder")
    item = api.add(one, made)
    api.add(two, made)
    assert api.delete(f"/indexes/{one}/indexed-assets/{item}").status_code == 204
    refused(api.delete("/assets/" + made), 409, "asset_in_use")
    assert api.delete(f"/indexes/{two}").status_code == 204
    assert api.delete("/assets/" + made).status_code == 204


@pytest.mark.parametrize("text", ["maybe", "TRUE!", "2", ""])
def test_unreadable_force_is_400_and_deletes_nothing(api, stock, text):
    invalid(api.delete("/assets/" + stock[1]["_id"], {"force": text}), "force")
    assert api.get("/assets/" + stock[1]["_id"]).status_code == 200


def test_force_1_is_true(api):
    made = api.upload(clip("png_128"))["_id"]
    assert api.delete("/assets/" + made, "force=1").status_code == 204
