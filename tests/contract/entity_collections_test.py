"""Entity collections: create, list in every order, retrieve, change, delete."""

import pytest

from lib.api import ID, MALFORMED_IDS, SECONDS_TIME, UNKNOWN_ID, invalid, missing, refused
from lib.server import wait_until
from media.maker import clip

PATH = "/entity-collections"
NAMES = ["beta", "Alpha", "gamma ray", "Gamma", "Żółw"]  # created in this order


def make(api, name="people", **more):
    response = api.post(PATH, json={"name": name, **more})
    assert response.status_code == 201, response.text
    return response.json()


@pytest.fixture(scope="module")
def shelf(new_api):
    """(client of an account of its own, {name: id})"""
    api = new_api()
    ids = {name: make(api, name)["_id"] for name in NAMES}
    def changed_last():  # again when it fell into the millisecond of another's making
        changed = api.patch(f"{PATH}/{ids['beta']}", json={"description": "changed last"})
        assert changed.status_code == 200
        return api.get(PATH, "sort_by=updated_at").json()["data"][0]["name"] == "beta"

    wait_until(changed_last, 5, "a change in a millisecond of its own")
    return api, ids


def test_create_answers_the_collection(api):
    body = make(api, "people", description="who is\nwho")
    assert set(body) == {"_id", "name", "description", "created_at", "updated_at"}
    assert ID.match(body["_id"])
    assert (body["name"], body["description"]) == ("people", "who is\nwho")
    assert SECONDS_TIME.match(body["created_at"]) and SECONDS_TIME.match(body["updated_at"])
    assert api.get(f"{PATH}/{body['_id']}").json() == body


def test_description_is_absent_when_there_is_none(api):
    assert "description" not in make(api)
    assert "description" not in make(api, description="")
    assert "description" not in make(api, description=None)


def test_names_need_not_be_unique(api):
    assert make(api, "twice")["_id"] != make(api, "twice")["_id"]


@pytest.mark.parametrize("body,code,word", [
    ({}, "parameter_not_provided", "name"), ({"name": None}, "parameter_not_provided", "name"),
    ({"name": ""}, "parameter_invalid", "name"), ({"name": 5}, "parameter_invalid", "name"),
    ({"name": "a\nb"}, "parameter_invalid", "name"),
    ({"name": "ł" * 256}, "parameter_invalid", "name"),
    ({"name": "a", "description": 5}, "parameter_invalid", "description"),
    ({"name": "a", "description": "亀" * 2001}, "parameter_invalid", "description"),
    ({"name": "a", "bogus": 1}, "parameter_unknown", "bogus"),
], ids=str)
def test_bad_creation_is_refused_and_adds_nothing(api, body, code, word):
    def total():
        return api.get(PATH).json()["page_info"]["total_results"]

    before = total()
    refused(api.post(PATH, json=body), 400, code, pattern=rf"\b{word}\b")
    assert total() == before


def test_names_and_descriptions_at_their_bounds(api):
    body = make(api, "ł" * 255, description="亀" * 2000)
    assert len(body["name"]) == 255 and len(body["description"]) == 2000


def test_body_must_be_a_json_object(api):
    refused(api.post(PATH, content=b"[]", headers={"content-type": "application/json"}), 400,
            "parameter_invalid")
    refused(api.post(PATH, content=b"name=a", headers={"content-type": "text/plain"}), 400,
            "content_type_invalid")


@pytest.mark.parametrize("query,wanted", [
    ("", NAMES[::-1]), ("sort_option=asc", NAMES),
    ("sort_by=created_at&sort_option=desc", NAMES[::-1]),
    ("sort_by=name&sort_option=asc", ["Alpha", "beta", "Gamma", "gamma ray", "Żółw"]),
    ("sort_by=name", ["Żółw", "gamma ray", "Gamma", "beta", "Alpha"]),
    ("name=GAMMA", ["Gamma", "gamma ray"]), ("name=a&sort_by=name&sort_option=asc",
                                             ["Alpha", "beta", "Gamma", "gamma ray"]),
    ("name=", NAMES[::-1]),
    ("name=%C5%BC%C3%93%C5%81", ["Żółw"]), ("name=nobody", []), ("name=%25", []),
    ("page=2&page_limit=2", ["gamma ray", "Alpha"]), ("page=9", []),
])
def test_list(shelf, query, wanted):
    api, ids = shelf
    body = api.get(PATH, query).json()
    assert [one["name"] for one in body["data"]] == wanted
    if "page" not in query:
        assert body["page_info"]["total_results"] == len(wanted)
        assert body["page_info"]["total_page"] == (len(wanted) + 9) // 10
    for one in body["data"]:
        assert one["_id"] == ids[one["name"]]


def test_sorted_by_change_the_last_changed_is_first(shelf):
    api, _ = shelf
    body = api.get(PATH, "sort_by=updated_at").json()
    assert body["data"][0]["name"] == "beta"
    assert api.get(PATH, "sort_by=updated_at&sort_option=asc").json()["data"][-1]["name"] == "beta"


@pytest.mark.parametrize("name,value", [
    ("page", "0"), ("page", "x"), ("page_limit", "0"), ("page_limit", "51"),
    ("sort_by", "size"), ("sort_by", ""), ("sort_option", "up"),
])
def test_bad_query_is_refused(api, name, value):
    invalid(api.get(PATH, {name: value}), name)


def test_unknown_query_is_refused(api):
    refused(api.get(PATH, "status=ready"), 400, "parameter_unknown")


def test_change_leaves_what_is_not_named(api):
    made = make(api, "before", description="old")
    path = f"{PATH}/{made['_id']}"
    body = api.patch(path, json={"name": "after"}).json()
    assert (body["name"], body["description"]) == ("after", "old")
    body = api.patch(path, json={"description": "new", "name": None}).json()
    assert (body["name"], body["description"]) == ("after", "new")
    assert "description" not in api.patch(path, json={"description": ""}).json()
    assert api.patch(path, json={}).json()["name"] == "after"
    assert api.patch(path).json()["name"] == "after", "the Python SDK drops an empty body"
    assert body["created_at"] == made["created_at"] and body["_id"] == made["_id"]


@pytest.mark.parametrize("body,code", [
    ({"name": ""}, "parameter_invalid"), ({"name": "x" * 256}, "parameter_invalid"),
    ({"name": ["x"]}, "parameter_invalid"), ({"description": 1}, "parameter_invalid"),
    ({"description": "x" * 2001}, "parameter_invalid"), ({"other": 1}, "parameter_unknown"),
], ids=lambda value: str(value)[:40])
def test_bad_change_is_refused_and_changes_nothing(api, body, code):
    made = make(api, "stays")
    path = f"{PATH}/{made['_id']}"
    refused(api.patch(path, json=body), 400, code)
    assert api.get(path).json() == made


def test_delete_takes_the_entities_and_leaves_the_assets(api):
    collection = make(api)["_id"]
    asset = api.upload(clip("png_128"), filename="face.png")["_id"]
    entity = api.post(f"{PATH}/{collection}/entities",
                      json={"name": "Anna", "asset_ids": [asset]}).json()["_id"]
    assert api.delete(f"{PATH}/{collection}").status_code == 204
    missing(api.get(f"{PATH}/{collection}"), collection, "entity-collections")
    missing(api.delete(f"{PATH}/{collection}"), collection, "entity-collections")
    missing(api.get(f"{PATH}/{collection}/entities/{entity}"), collection, "entity-collections")
    missing(api.get(f"{PATH}/{collection}/entities"), collection, "entity-collections")
    assert api.get(f"/assets/{asset}/entities").json()["data"] == []
    assert api.get(f"/assets/{asset}").status_code == 200


@pytest.mark.parametrize("call", ["get", "patch", "delete"])
def test_ids_that_name_nothing(api, stranger, call):
    ask = getattr(api, call)
    for bad in MALFORMED_IDS:
        assert ask(f"{PATH}/{bad}").status_code in (400, 404), bad
    invalid(ask(f"{PATH}/x"), "entity_collection_id")
    missing(ask(f"{PATH}/{UNKNOWN_ID}"), UNKNOWN_ID, "entity-collections")
    foreign = make(stranger)["_id"]
    missing(ask(f"{PATH}/{foreign}"), foreign, "entity-collections")
    assert stranger.get(f"{PATH}/{foreign}").status_code == 200


def test_a_key_is_needed(api):
    refused(api.get(PATH, key=False), 401, "api_key_invalid")
