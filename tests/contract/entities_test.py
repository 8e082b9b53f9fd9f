"""Entities: their life from `processing` to `ready`, their assets, and what deletes do to both."""

import pytest

from lib import openapi, parts
from lib.api import (ID, MALFORMED_IDS, SECONDS_TIME, UNKNOWN_ID, Api, invalid, missing, refused)
from lib.children import hold_worker
from lib.server import wait_until
from media.maker import clip


@pytest.fixture(scope="module")
def collection(api):
    return new_collection(api)


@pytest.fixture(scope="module")
def images(api):
    """Three pictures that are ready."""
    return [image(api, f"{n}.png") for n in range(3)]


def new_collection(api, name="people"):
    return api.post("/entity-collections", json={"name": name}).json()["_id"]


def image(api, filename="face.png", name="png_128"):
    return api.upload(clip(name), filename=filename)["_id"]


def at(collection, entity="", end=""):
    return f"/entity-collections/{collection}/entities{'/' if entity else ''}{entity}{end}"


def make(api, collection, asset_ids, name="Anna", **more):
    response = api.post(at(collection), json={"name": name, "asset_ids": asset_ids, **more})
    assert response.status_code == 201, response.text
    return response.json()


def ready(api, collection, entity, limit_sec=30):
    def look():
        body = api.get(at(collection, entity)).json()
        return body["status"] == "ready" and body

    return wait_until(look, limit_sec, "the entity to be ready")


def busy_server(start_server):
    """A client of a server that looks at nothing uploaded from now on until it is let go, and what
    lets it go."""
    api = Api(start_server("--ingest", "async", "--worker-threads", "1"))
    return api, hold_worker(api)


def total(api, collection, query=""):
    return api.get(at(collection), query).json()["page_info"]["total_results"]


# --- create ---------------------------------------------------------------------------------

def test_create_answers_the_entity_and_it_becomes_ready(api, collection, images):
    sent = {"sport": "soccer", "teamId": 42, "score": 8.7, "isActive": True, "empty": ""}
    body = make(api, collection, images[:2], "Żółw", description="green", metadata=sent)
    assert set(body) == {"_id", "entity_collection_id", "name", "description", "metadata",
                         "asset_ids", "status", "created_at", "updated_at"}
    assert ID.match(body["_id"]) and body["entity_collection_id"] == collection
    assert (body["name"], body["description"], body["metadata"]) == ("Żółw", "green", sent)
    assert body["asset_ids"] == images[:2] and body["status"] == "processing"
    assert SECONDS_TIME.match(body["created_at"]) and SECONDS_TIME.match(body["updated_at"])
    done = ready(api, collection, body["_id"])
    assert done.pop("updated_at") >= body.pop("updated_at")
    assert done == {**body, "status": "ready"}


def test_what_is_empty_is_absent(api, collection, images):
    for more in ({}, {"metadata": {}, "description": ""}, {"metadata": None, "description": None},
                 {"metadata": {"a": None}}):
        assert not {"metadata", "description", "error"} & \
            set(make(api, collection, images[:1], **more))


def test_the_same_asset_twice_counts_once(api, collection, images):
    body = make(api, collection, [images[0], images[1], images[0]])
    assert body["asset_ids"] == images[:2]


@pytest.mark.parametrize("body,code,word", [
    ({"asset_ids": ["OK"]}, "parameter_not_provided", "name"),
    ({"name": "a"}, "parameter_not_provided", "asset_ids"),
    ({"name": "a", "asset_ids": None}, "parameter_not_provided", "asset_ids"),
    ({"name": "a", "asset_ids": []}, "parameter_invalid", "asset_ids"),
    ({"name": "a", "asset_ids": "OK"}, "parameter_invalid", "asset_ids"),
    ({"name": "a", "asset_ids": ["x"]}, "parameter_invalid", "asset_ids"),
    ({"name": "a", "asset_ids": [5]}, "parameter_invalid", "asset_ids"),
    ({"name": "", "asset_ids": ["OK"]}, "parameter_invalid", "name"),
    ({"name": 5, "asset_ids": ["OK"]}, "parameter_invalid", "name"),
    ({"name": "a" * 256, "asset_ids": ["OK"]}, "parameter_invalid", "name"),
    ({"name": "a", "asset_ids": ["OK"], "description": "x" * 2001}, "parameter_invalid",
     "description"),
    ({"name": "a", "asset_ids": ["OK"], "description": 5}, "parameter_invalid", "description"),
    ({"name": "a", "asset_ids": ["OK"], "metadata": []}, "parameter_invalid", "metadata"),
    ({"name": "a", "asset_ids": ["OK"], "metadata": {"a": [1]}}, "parameter_invalid", "metadata"),
    ({"name": "a", "asset_ids": ["OK"], "metadata": {f"k{n}": n for n in range(101)}},
     "parameter_invalid", "metadata"),
    ({"name": "a", "asset_ids": ["OK"], "bogus": 1}, "parameter_unknown", "bogus"),
], ids=lambda value: str(value)[:50])
def test_bad_creation_is_refused_and_adds_nothing(api, collection, images, body, code, word):
    before = total(api, collection)
    sent = {**body, **({"asset_ids": images[:1]} if body.get("asset_ids") == ["OK"] else {})}
    refused(api.post(at(collection), json=sent), 400, code, pattern=rf"\b{word}\b")
    assert total(api, collection) == before


def test_assets_that_can_be_no_reference_are_refused(api, stranger, collection, images):
    video = api.upload(clip("h264_aac"))["_id"]
    sound = api.upload(clip("tone_mp3"))["_id"]
    for asset in (video, sound):
        response = api.post(at(collection), json={"name": "a", "asset_ids": [images[0], asset]})
        assert asset in invalid(response, "asset_ids")["message"]
    missing(api.post(at(collection), json={"name": "a", "asset_ids": [UNKNOWN_ID]}), UNKNOWN_ID,
            "assets")
    foreign = image(stranger)
    missing(api.post(at(collection), json={"name": "a", "asset_ids": [foreign]}), foreign, "assets")


def test_an_entity_takes_a_hundred_assets_and_no_more(api, collection):
    many = [image(api) for _ in range(101)]
    invalid(api.post(at(collection), json={"name": "crowd", "asset_ids": many}), "asset_ids")
    body = make(api, collection, many[:100], "crowd")
    assert body["asset_ids"] == many[:100]
    path = at(collection, body["_id"], "/assets")
    invalid(api.post(path, json={"asset_ids": many[100:]}), "asset_ids")
    ready(api, collection, body["_id"])


# --- processing assets ----------------------------------------------------------------------

def test_assets_may_still_be_processing(start_server):
    api, go_on = busy_server(start_server)
    collection = new_collection(api)
    assets = [image(api, name=name) for name in ("jpeg_640", "png_128", "webp_still")]
    body = make(api, collection, assets)
    assert {api.get(f"/assets/{one}").json()["status"] for one in assets} == {"processing"}
    go_on()
    assert ready(api, collection, body["_id"], 120)["asset_ids"] == assets
    assert {api.get(f"/assets/{one}").json()["status"] for one in assets} == {"ready"}


def test_what_an_upload_in_parts_was_announced_as_decides_nothing_yet(start_server):
    """Both SDK helpers say `video` of everything."""
    api, go_on = busy_server(start_server)
    collection = new_collection(api)
    session, _ = parts.upload(api, clip("png_128").read_bytes(), filename="face.png", type="video")
    asset = session["asset_id"]
    body = make(api, collection, [asset])
    go_on()
    assert ready(api, collection, body["_id"], 120)["asset_ids"] == [asset]


def test_checks_do_not_wait_for_other_work(start_server):
    """Nor is anything decoded for them: the only worker for files is held all the time."""
    api = Api(start_server("--worker-threads", "1"))
    collection = new_collection(api)
    assets = [image(api) for _ in range(3)]
    go_on = hold_worker(api)
    entities = [make(api, collection, assets)["_id"] for _ in range(5)]
    for entity in entities:
        ready(api, collection, entity)
    go_on()


def test_bad_images_do_not_spoil_good_ones_and_alone_they_say_so(start_server):
    api, go_on = busy_server(start_server)
    collection = new_collection(api)
    small, good = image(api, name="png_127"), image(api, name="png_128")
    words = api.upload(b"just words", filename="words.png")["_id"]
    video = api.upload(clip("h264_silent"), filename="video.png")["_id"]
    mixed = make(api, collection, [small, good, words, video], "mixed")["_id"]
    bad = make(api, collection, [small, words, video], "bad")["_id"]
    go_on()
    assert ready(api, collection, mixed, 120)["asset_ids"] == [small, good, words, video]

    def complaint():
        return api.get(at(collection, bad)).json().get("error")

    error = wait_until(complaint, 30, "the entity to say what is wrong")
    assert "None of its assets can be used" in error["message"]
    assert api.get(at(collection, bad)).json()["status"] == "processing"
    # What is known to be bad is refused at once from now on.
    for asset in (small, words, video):
        invalid(api.post(at(collection), json={"name": "a", "asset_ids": [asset]}), "asset_ids")
    # A good one heals it.
    assert api.post(at(collection, bad, "/assets"), json={"asset_ids": [good]}).status_code == 200
    assert "error" not in ready(api, collection, bad)


# --- bulk -----------------------------------------------------------------------------------

def bulk(api, collection, entities):
    return api.post(at(collection, "bulk"), json={"entities": entities})


def test_bulk_creates_what_it_can(api, images):
    collection = new_collection(api)
    response = bulk(api, collection, [
        {"name": "one", "asset_ids": images[:1], "description": "d", "metadata": {"n": 1}},
        {"name": "two", "asset_ids": [UNKNOWN_ID]},
        {"name": "three", "asset_ids": []},
        {"name": "four", "asset_ids": images},
        {"asset_ids": images},
        {"name": "six", "asset_ids": ["x"]},
        {"name": "seven", "asset_ids": images, "bogus": 1},
        {"name": "", "asset_ids": images},
        {"name": 9, "asset_ids": images},
    ])
    assert response.status_code == 201, response.text
    body = response.json()
    assert (body["success_count"], body["failed_count"]) == (2, 7)
    assert [one["name"] for one in body["entities"]] == ["one", "four"]
    for one in body["entities"]:
        assert set(one) == {"_id", "name", "status"} and ID.match(one["_id"])
        assert one["status"] == "processing"
        ready(api, collection, one["_id"])
    assert [(one["entity_index"], one["entity_name"]) for one in body["errors"]] == [
        (1, "two"), (2, "three"), (4, ""), (5, "six"), (6, "seven"), (7, ""), (8, "")]
    reasons = [one["error_reason"] for one in body["errors"]]
    assert f"`{UNKNOWN_ID}` does not exist in `assets`" in reasons[0]
    assert "`asset_ids`" in reasons[1] and "`name` parameter is required" in reasons[2]
    assert "`bogus` parameter is unknown" in reasons[4]
    first = api.get(at(collection, body["entities"][0]["_id"])).json()
    assert (first["description"], first["metadata"]) == ("d", {"n": 1})
    assert total(api, collection) == 2


def test_an_element_that_is_no_object_fails_alone(api, images):
    collection = new_collection(api)
    body = bulk(api, collection, [
        5, {"name": "good", "asset_ids": images[:1]}, "x", None, [], {"name": "last"}]).json()
    assert (body["success_count"], body["failed_count"]) == (1, 5)
    assert [one["name"] for one in body["entities"]] == ["good"]
    assert [one["entity_index"] for one in body["errors"]] == [0, 2, 3, 4, 5]
    for one in body["errors"][:-1]:
        assert "must be an object" in one["error_reason"] and one["entity_name"] == ""


def test_bulk_of_failures_alone_is_still_created(api, collection):
    body = bulk(api, collection, [{"name": "a", "asset_ids": [UNKNOWN_ID]}])
    assert body.status_code == 201
    assert body.json()["success_count"] == 0 and body.json()["entities"] == []


@pytest.mark.parametrize("element", [
    {}, {"name": "a"}, {"name": 9, "asset_ids": [UNKNOWN_ID]},
    {"name": "a", "asset_ids": [UNKNOWN_ID], "bogus": 1},
    {"name": "a" * 256, "asset_ids": [UNKNOWN_ID]}, {"name": "a", "asset_ids": "x"},
    {"name": "a", "asset_ids": [UNKNOWN_ID], "metadata": {"a": []}}, 5, "x", None, [],
], ids=lambda value: str(value)[:40])
def test_what_bulk_takes_is_what_is_declared(api, collection, element):
    response = bulk(api, collection, [element])
    declared = openapi.own_checker().takes("POST", "/v1.3" + at(collection, "bulk"),
                                           {"entities": [element]})
    assert response.status_code == 201 and declared
    body = response.json()
    assert (body["success_count"], body["failed_count"]) == (0, 1)
    assert body["errors"][0]["entity_index"] == 0


@pytest.mark.parametrize("body,code", [
    ({}, "parameter_not_provided"), ({"entities": None}, "parameter_not_provided"),
    ({"entities": []}, "parameter_invalid"), ({"entities": {}}, "parameter_invalid"),
    ({"entities": "x"}, "parameter_invalid"),
    ({"entities": [{"name": "a", "asset_ids": ["x"]}] * 101}, "parameter_invalid"),
    ({"entities": [{}], "more": 1}, "parameter_unknown"),
], ids=lambda value: str(value)[:40])
def test_bad_bulk_is_refused_whole(api, collection, body, code):
    before = total(api, collection)
    refused(api.post(at(collection, "bulk"), json=body), 400, code)
    assert total(api, collection) == before


def test_bulk_takes_a_hundred(api, images):
    collection = new_collection(api)
    response = bulk(api, collection, [{"name": f"{n}", "asset_ids": images[:1]}
                                      for n in range(100)])
    assert response.json()["success_count"] == 100
    assert total(api, collection) == 100


# --- list -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def shelf(api, images):
    collection = new_collection(api, "shelf")
    names = ["beta", "Alpha", "alphabet", "Gamma"]
    ids = {}
    for name in names:
        ids[name] = make(api, collection, images[:1], name)["_id"]
    for one in ids.values():
        ready(api, collection, one)
    api.patch(at(collection, ids["Alpha"]), json={"description": "changed last"})
    return collection, ids


@pytest.mark.parametrize("query,wanted", [
    ("", ["Gamma", "alphabet", "Alpha", "beta"]),
    ("sort_option=asc", ["beta", "Alpha", "alphabet", "Gamma"]),
    ("sort_by=name&sort_option=asc", ["Alpha", "alphabet", "beta", "Gamma"]),
    ("sort_by=name", ["Gamma", "beta", "alphabet", "Alpha"]),
    ("name=", ["Gamma", "alphabet", "Alpha", "beta"]),
    ("name=ALPHA", ["alphabet", "Alpha"]), ("name=zzz", []),
    ("status=ready", ["Gamma", "alphabet", "Alpha", "beta"]), ("status=processing", []),
    ("status=ready&name=a&sort_by=name&sort_option=asc&page_limit=2&page=2", ["beta", "Gamma"]),
    ("page=5", []),
])
def test_list(api, shelf, query, wanted):
    collection, ids = shelf
    body = api.get(at(collection), query).json()
    assert [one["name"] for one in body["data"]] == wanted
    assert [one["_id"] for one in body["data"]] == [ids[name] for name in wanted]
    if "page" not in query:
        assert body["page_info"]["total_results"] == len(wanted)


def test_sorted_by_change_the_last_changed_is_first(api, shelf):
    collection, _ = shelf
    body = api.get(at(collection), "sort_by=updated_at").json()
    assert body["data"][0]["name"] == "Alpha"


@pytest.mark.parametrize("name,value", [
    ("page", "0"), ("page_limit", "51"), ("sort_by", "status"), ("sort_option", "up"),
    ("status", "failed"), ("status", ""),
])
def test_bad_query_is_refused(api, collection, name, value):
    message = invalid(api.get(at(collection), {name: value}), name)["message"]
    words = {"sort_by": "created_at, updated_at, name", "sort_option": "asc, desc",
             "status": "processing, ready"}
    assert words.get(name, "It must be an integer") in message


def test_a_query_given_twice_or_unknown_is_refused(api, collection):
    invalid(api.get(at(collection), "status=ready&status=processing"), "status")
    refused(api.get(at(collection), "filename=x"), 400, "parameter_unknown")


# --- change ---------------------------------------------------------------------------------

def test_change_replaces_metadata_whole_and_leaves_assets(api, collection, images):
    entity = make(api, collection, images, "before", metadata={"a": 1, "b": 2})["_id"]
    ready(api, collection, entity)
    path = at(collection, entity)
    body = api.patch(path, json={"metadata": {"c": 9.0, "d": "", "a": None}}).json()
    assert body["metadata"] == {"c": 9.0, "d": ""} and body["name"] == "before"
    body = api.patch(path, json={"name": "after", "description": "new"}).json()
    assert (body["name"], body["description"]) == ("after", "new")
    assert body["metadata"] == {"c": 9.0, "d": ""}
    assert body["asset_ids"] == images and body["status"] == "ready"
    assert "metadata" not in api.patch(path, json={"metadata": {}}).json()
    assert api.patch(path).json()["name"] == "after"


@pytest.mark.parametrize("body,code", [
    ({"name": ""}, "parameter_invalid"), ({"name": "x" * 256}, "parameter_invalid"),
    ({"description": "x" * 2001}, "parameter_invalid"), ({"metadata": "x"}, "parameter_invalid"),
    ({"metadata": {"a": {}}}, "parameter_invalid"), ({"asset_ids": []}, "parameter_unknown"),
], ids=lambda value: str(value)[:40])
def test_bad_change_is_refused_and_changes_nothing(api, collection, images, body, code):
    entity = make(api, collection, images[:1])["_id"]
    before = ready(api, collection, entity)
    refused(api.patch(at(collection, entity), json=body), 400, code)
    assert api.get(at(collection, entity)).json() == before


# --- assets of an entity --------------------------------------------------------------------

def test_assets_are_added_and_removed_and_stay_themselves(api, collection, images):
    entity = make(api, collection, images[:1])["_id"]
    ready(api, collection, entity)
    path = at(collection, entity, "/assets")
    response = api.post(path, json={"asset_ids": [images[0], images[1]]})
    assert response.status_code == 200
    assert response.json()["asset_ids"] == images[:2]
    assert response.json()["status"] == "processing"
    ready(api, collection, entity)
    again = api.post(path, json={"asset_ids": images[:2]}).json()
    assert again["status"] == "ready", "nothing new to look at"
    response = api.request("DELETE", path, json={"asset_ids": [images[0], UNKNOWN_ID]})
    assert response.status_code == 200
    assert response.json()["asset_ids"] == images[1:2]
    ready(api, collection, entity)
    assert api.get(f"/assets/{images[0]}").status_code == 200


def test_the_last_asset_cannot_be_removed(api, collection, images):
    entity = make(api, collection, images[:2])["_id"]
    path = at(collection, entity, "/assets")
    body = invalid(api.request("DELETE", path, json={"asset_ids": images}), "asset_ids")
    assert "at least one asset" in body["message"]
    assert api.get(at(collection, entity)).json()["asset_ids"] == images[:2]
    assert api.request("DELETE", path, json={"asset_ids": images[:1]}).status_code == 200
    invalid(api.request("DELETE", path, json={"asset_ids": images[1:2]}), "asset_ids")
    assert api.request("DELETE", path, json={"asset_ids": images[:1]}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("body,code", [
    (None, "parameter_not_provided"), ({}, "parameter_not_provided"),
    ({"asset_ids": []}, "parameter_invalid"), ({"asset_ids": ["x"]}, "parameter_invalid"),
    ({"asset_ids": [UNKNOWN_ID[:-3] + f"{n:03x}" for n in range(101)]}, "parameter_invalid"),
    ({"asset_ids": 5}, "parameter_invalid"), ({"ids": []}, "parameter_unknown"),
], ids=lambda value: str(value)[:40])
def test_bad_lists_of_assets_are_refused(api, collection, images, method, body, code):
    entity = make(api, collection, images[:1])["_id"]
    more = {} if body is None else {"json": body}
    refused(api.request(method, at(collection, entity, "/assets"), **more), 400, code)


def test_only_images_can_be_added(api, collection, images):
    entity = make(api, collection, images[:1])["_id"]
    path = at(collection, entity, "/assets")
    video = api.upload(clip("h264_silent"))["_id"]
    invalid(api.post(path, json={"asset_ids": [images[1], video]}), "asset_ids")
    missing(api.post(path, json={"asset_ids": [UNKNOWN_ID]}), UNKNOWN_ID, "assets")
    assert api.get(at(collection, entity)).json()["asset_ids"] == images[:1]


# --- entities of an asset, and deletes ------------------------------------------------------

def test_entities_of_an_asset_are_listed_newest_first(api):
    one, other = new_collection(api), new_collection(api)
    asset = image(api)
    first = make(api, one, [asset], "first")["_id"]
    make(api, one, [image(api)], "not its own")
    second = make(api, other, [asset], "second")["_id"]
    body = api.get(f"/assets/{asset}/entities").json()
    assert [each["_id"] for each in body["data"]] == [second, first]
    assert body["page_info"] == {"limit_per_page": 10, "page": 1, "total_page": 1,
                                 "total_results": 2}
    assert body["data"][0]["asset_ids"] == [asset]
    page = api.get(f"/assets/{asset}/entities", "page=2&page_limit=1").json()
    assert [each["_id"] for each in page["data"]] == [first]
    assert api.get(f"/assets/{asset}/entities", "page=3&page_limit=1").json()["data"] == []


def test_list_by_asset_refuses_what_it_does_not_know(api, stranger):
    asset = image(api)
    assert api.get(f"/assets/{asset}/entities").json()["data"] == []
    missing(api.get(f"/assets/{UNKNOWN_ID}/entities"), UNKNOWN_ID, "assets")
    missing(stranger.get(f"/assets/{asset}/entities"), asset, "assets")
    invalid(api.get("/assets/x/entities"), "asset_id")
    invalid(api.get(f"/assets/{asset}/entities", "page_limit=51"), "page_limit")
    refused(api.get(f"/assets/{asset}/entities", "name=x"), 400, "parameter_unknown")


@pytest.mark.parametrize("query", [None, "force=true"], ids=["plain", "force"])
def test_deleting_an_asset_unlinks_it_and_never_waits_for_entities(api, query):
    collection = new_collection(api)
    first, second = image(api), image(api)
    both = make(api, collection, [first, second])["_id"]
    only = make(api, collection, [first], "only")["_id"]
    ready(api, collection, both), ready(api, collection, only)
    assert api.delete(f"/assets/{first}", query).status_code == 204
    assert api.get(at(collection, both)).json()["asset_ids"] == [second]
    ready(api, collection, both)
    emptied = api.get(at(collection, only)).json()
    assert emptied["asset_ids"] == [] and emptied["status"] == "ready"
    third = image(api)
    again = api.post(at(collection, only, "/assets"), json={"asset_ids": [third]}).json()
    assert again["asset_ids"] == [third]
    ready(api, collection, only)


def test_deleting_a_processing_asset_does_not_leave_the_entity_waiting(start_server):
    api, go_on = busy_server(start_server)
    collection = new_collection(api)
    gone, good = image(api), image(api)
    both = make(api, collection, [gone, good])["_id"]
    only = make(api, collection, [gone])["_id"]
    assert api.get(f"/assets/{gone}").json()["status"] == "processing"
    assert api.delete(f"/assets/{gone}").status_code == 204
    assert api.get(at(collection, only)).json()["status"] == "ready", "nothing is left to look at"
    go_on()
    assert ready(api, collection, both, 120)["asset_ids"] == [good]


def test_deleting_an_entity_leaves_its_assets(api, collection):
    asset = image(api)
    entity = make(api, collection, [asset])["_id"]
    assert api.delete(at(collection, entity)).status_code == 204
    missing(api.get(at(collection, entity)), entity, "entities")
    missing(api.delete(at(collection, entity)), entity, "entities")
    assert api.get(f"/assets/{asset}/entities").json()["data"] == []
    assert api.get(f"/assets/{asset}").status_code == 200


def test_entities_survive_a_restart(start_server):
    server = start_server()
    api = Api(server)
    collection = new_collection(api)
    asset = image(api)
    entity = make(api, collection, [asset], metadata={"n": 5})["_id"]
    before = ready(api, collection, entity)
    server.stop()
    server.start()
    api = Api(server)
    assert api.get(at(collection, entity)).json() == before


@pytest.mark.parametrize("method,end,body", [
    ("GET", "", None), ("PATCH", "", {"name": "x"}), ("DELETE", "", None),
    ("POST", "/assets", {"asset_ids": [UNKNOWN_ID]}),
    ("DELETE", "/assets", {"asset_ids": [UNKNOWN_ID]}),
])
def test_ids_that_name_nothing(api, stranger, collection, images, method, end, body):
    more = {"json": body} if body else {}

    def ask(client, *ids):
        return client.request(method, at(*ids, end), **more)

    for bad in MALFORMED_IDS:
        assert ask(api, collection, bad).status_code in (400, 404, 405), bad
    invalid(ask(api, collection, "x"), "entity_id")
    invalid(ask(api, "x", UNKNOWN_ID), "entity_collection_id")
    missing(ask(api, collection, UNKNOWN_ID), UNKNOWN_ID, "entities")
    missing(ask(api, UNKNOWN_ID, UNKNOWN_ID), UNKNOWN_ID, "entity-collections")
    entity = make(api, collection, images[:1])["_id"]
    missing(ask(stranger, collection, entity), collection, "entity-collections")
    missing(ask(api, new_collection(api), entity), entity, "entities")
    assert api.get(at(collection, entity)).json()["name"] == "Anna"
