"""Indexes: create, list with filters and sorts, retrieve, rename, delete."""

import pytest

from lib.api import MALFORMED_IDS, MILLIS_TIME, UNKNOWN_ID, invalid, missing, refused
from lib.server import wait_until
from media.maker import clip

BOTH = ["visual", "audio"]
MARENGO = {"model_name": "marengo3.0", "model_options": BOTH}
PEGASUS = {"model_name": "pegasus1.2", "model_options": BOTH}


def create(api, **body):
    return api.post("/indexes", json=body)


def names(response):
    assert response.status_code == 200, response.text
    return [item["index_name"] for item in response.json()["data"]]


@pytest.fixture(scope="module")
def shelf(new_api):
    """An account with indexes of several kinds, oldest first; returns (client, names)."""
    api = new_api()
    rows = [("both models", [MARENGO, PEGASUS]), ("only marengo", [MARENGO]),
            ("only pegasus", [PEGASUS]),
            ("visual only", [{"model_name": "marengo3.0", "model_options": ["visual"]}]),
            ("audio only", [{"model_name": "pegasus1.5", "model_options": ["audio"]}])]
    for name, models in rows:
        api.make_index(name, models)
    return api, [name for name, _ in rows]


@pytest.fixture
def unchanged(api):
    before = api.get("/indexes").json()
    yield
    assert api.get("/indexes").json() == before


# --- create ---------------------------------------------------------------------------------

@pytest.mark.parametrize("model", ["marengo3.0", "marengo3.5", "pegasus1.2", "pegasus1.5"])
@pytest.mark.parametrize("options", [["visual"], ["audio"], ["visual", "audio"],
                                     ["audio", "visual"]])
def test_create_answers_only_the_id_and_keeps_the_models(api, model, options):
    models = [{"model_name": model, "model_options": options}]
    response = create(api, index_name=f"{model} {options}", models=models)
    assert response.status_code == 201 and set(response.json()) == {"_id"}
    body = api.get("/indexes/" + response.json()["_id"]).json()
    assert body["models"][0]["model_name"] == model
    assert sorted(body["models"][0]["model_options"]) == sorted(options)


def test_new_index_is_complete_and_empty(api):
    made = api.make_index("complete", [MARENGO, PEGASUS], addons=["thumbnail"])
    body = api.get("/indexes/" + made).json()
    assert set(body) == {"_id", "index_name", "models", "addons", "video_count", "total_duration",
                         "created_at", "updated_at", "expires_at"}
    assert (body["_id"], body["index_name"], body["addons"]) == (made, "complete", ["thumbnail"])
    assert (body["video_count"], body["total_duration"], body["expires_at"]) == (0, 0, None)
    assert MILLIS_TIME.match(body["created_at"]) and MILLIS_TIME.match(body["updated_at"])
    assert [m["model_name"] for m in body["models"]] == ["marengo3.0", "pegasus1.2"]


@pytest.mark.parametrize("missing_key", ["index_name", "models"])
def test_required_parameters(api, missing_key, unchanged):
    body = {"index_name": "needs both", "models": [MARENGO]}
    del body[missing_key]
    refused(api.post("/indexes", json=body), 400, "parameter_not_provided",
            f"The `{missing_key}` parameter is required but was not provided.")


@pytest.mark.parametrize("name", ["", 5, None, [], {}, True])
def test_index_name_must_be_text(api, name, unchanged):
    response = create(api, index_name=name, models=[MARENGO])
    assert response.status_code == 400
    assert response.json()["code"] in ("parameter_invalid", "parameter_not_provided")
    assert "index_name" in response.json()["message"]


@pytest.mark.parametrize("models", [
    [], "marengo3.0", {}, None, [5], [{}],
    [{"model_name": "marengo3.0"}],
    [{"model_options": BOTH}],
    [{"model_name": "marengo2.7", "model_options": BOTH}],
    [{"model_name": "pegasus1.6", "model_options": BOTH}],
    [{"model_name": "", "model_options": BOTH}],
    [{"model_name": "marengo3.0", "model_options": []}],
    [{"model_name": "marengo3.0", "model_options": ["smell"]}],
    [{"model_name": "marengo3.0", "model_options": ["visual", "visual"]}],
    [{"model_name": "marengo3.0", "model_options": "visual"}],
    [MARENGO, PEGASUS, {"model_name": "pegasus1.5", "model_options": BOTH}],
], ids=str)
def test_bad_models_are_refused(api, models, unchanged):
    response = create(api, index_name="bad models", models=models)
    assert response.status_code == 400, response.text
    assert response.json()["code"] in ("parameter_invalid", "parameter_not_provided")
    assert "model" in response.json()["message"]


@pytest.mark.parametrize("addons,models", [
    (["unknown"], [MARENGO]), ("thumbnail", [MARENGO]), ([5], [MARENGO]),
    (["thumbnail"], [PEGASUS])])
def test_bad_addons_are_refused(api, addons, models, unchanged):
    invalid(create(api, index_name="bad addons", models=models, addons=addons), "addons")


def test_name_is_unique_in_the_account_only(api, stranger):
    api.make_index("taken name")
    refused(create(api, index_name="taken name", models=[MARENGO]), 400,
            "index_name_already_exists",
            "Index name `taken name` already exists. Please use another unique name and try again.")
    stranger.make_index("taken name")


def test_unknown_body_key_is_refused(api, unchanged):
    response = create(api, index_name="unknown key", models=[MARENGO], colour="red")
    refused(response, 400, "parameter_unknown", "The `colour` parameter is unknown.")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
def test_body_that_is_no_object_is_refused(api, body, unchanged):
    response = api.post("/indexes", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["code"] in ("parameter_invalid", "parameter_not_provided")


def test_body_of_another_type_is_refused(api, unchanged):
    response = api.post("/indexes", data={"index_name": "form"})
    refused(response, 400, "content_type_invalid")


# --- list -----------------------------------------------------------------------------------

def test_list_is_newest_first(shelf):
    api, rows = shelf
    assert names(api.get("/indexes")) == rows[::-1]
    assert names(api.get("/indexes", "sort_by=created_at&sort_option=desc")) == rows[::-1]
    assert names(api.get("/indexes", "sort_option=asc")) == rows
    assert names(api.get("/indexes", "sort_by=updated_at&sort_option=asc")) == rows


def test_sort_by_update_follows_a_rename(new_api):
    api = new_api()
    first = api.make_index("first")
    api.make_index("second")
    assert api.put("/indexes/" + first, json={"index_name": "renamed"}).status_code == 204
    assert names(api.get("/indexes", "sort_by=updated_at")) == ["renamed", "second"]
    assert names(api.get("/indexes", "sort_by=created_at")) == ["second", "renamed"]


@pytest.mark.parametrize("query,wanted", [
    ("index_name=only+marengo", {"only marengo"}), ("index_name=marengo", set()),
    ("index_name=", {"both models", "only marengo", "only pegasus", "visual only", "audio only"}),
    ("model_family=marengo", {"both models", "only marengo", "visual only"}),
    ("model_family=pegasus", {"both models", "only pegasus", "audio only"}),
    ("model_options=visual", {"both models", "only marengo", "only pegasus", "visual only"}),
    ("model_options=audio", {"both models", "only marengo", "only pegasus", "audio only"}),
    ("model_options=visual,audio", {"both models", "only marengo", "only pegasus"}),
    ("model_options=visual%2Caudio", {"both models", "only marengo", "only pegasus"}),
    ("model_options=visual&model_options=audio", {"both models", "only marengo", "only pegasus"}),
    ("model_family=marengo&model_options=audio", {"both models", "only marengo"}),
    ("created_at=2020-01-01T00:00:00Z", {"both models", "only marengo", "only pegasus",
                                         "visual only", "audio only"}),
    ("created_at=2999-01-01T00:00:00Z", set()), ("updated_at=2999-01-01T00:00:00%2B02:00", set()),
])
def test_list_filters(shelf, query, wanted):
    api, _ = shelf
    response = api.get("/indexes", query)
    assert set(names(response)) == wanted
    assert response.json()["page_info"]["total_results"] == len(wanted)


def test_time_filters_include_the_instant_itself(shelf):
    api, rows = shelf
    every = api.get("/indexes", "sort_option=asc").json()["data"]
    middle = every[2]
    # Two indexes can be of the same millisecond.
    wanted = [row["index_name"] for row in every if row["created_at"] >= middle["created_at"]]
    assert set(rows[2:]) <= set(wanted)
    assert names(api.get("/indexes", {"created_at": middle["created_at"],
                                      "sort_option": "asc"})) == wanted
    assert rows[2] in names(api.get("/indexes", {"updated_at": middle["updated_at"]}))


@pytest.mark.parametrize("name,value", [
    ("sort_by", "name"), ("sort_by", ""), ("sort_option", "up"), ("sort_option", "DESC"),
    ("model_family", "llama"), ("model_options", "smell"), ("created_at", "yesterday"),
    ("created_at", "2024-13-01T00:00:00Z"), ("created_at", "2024-02-30T00:00:00Z"),
    ("updated_at", "2024-01-01"), ("updated_at", ""), ("created_at", "1700000000")])
def test_bad_filter_is_400_naming_it(shelf, name, value):
    invalid(shelf[0].get("/indexes", {name: value}), name)


def test_unknown_filter_is_refused(shelf):
    refused(shelf[0].get("/indexes", "bogus=1"), 400, "parameter_unknown",
            "The `bogus` parameter is unknown.")


def test_pages_of_indexes(new_api):
    api = new_api()
    wanted = [api.make_index(f"index {n:02}") for n in range(53)][::-1]
    seen = []
    for page in (1, 2, 3):
        body = api.get("/indexes", {"page": page, "page_limit": 50}).json()
        assert body["page_info"] == {"limit_per_page": 50, "page": page, "total_page": 2,
                                     "total_results": 53}
        seen += [item["_id"] for item in body["data"]]
    assert seen == wanted


# --- one index ------------------------------------------------------------------------------

OPERATIONS = [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/indexed-assets"),
              ("POST", "/indexed-assets")]


def operate(api, method, index, tail):
    body = {"PUT": {"json": {"index_name": "new name"}},
            "POST": {"json": {"asset_id": UNKNOWN_ID}}}.get(method, {})
    return api.request(method, f"/indexes/{index}{tail}", **body)


@pytest.mark.parametrize("method,tail", OPERATIONS)
def test_unknown_index_is_404(api, method, tail):
    missing(operate(api, method, UNKNOWN_ID, tail), UNKNOWN_ID, "indexes")


@pytest.mark.parametrize("method,tail", OPERATIONS)
@pytest.mark.parametrize("bad", MALFORMED_IDS)
def test_malformed_index_id_is_400(api, method, tail, bad):
    refused(operate(api, method, bad, tail), 400, "parameter_invalid", pattern="index.id")


@pytest.mark.parametrize("method,tail", OPERATIONS)
def test_index_of_another_account_does_not_exist(api, stranger, method, tail):
    made = api.make_index(f"private {method} {tail}")
    missing(operate(stranger, method, made, tail), made, "indexes")
    assert api.get("/indexes/" + made).json()["index_name"] == f"private {method} {tail}"


def test_rename(api):
    made = api.make_index("old name")
    before = api.get("/indexes/" + made).json()
    response = api.put("/indexes/" + made, json={"index_name": "new name"})
    assert (response.status_code, response.content) == (204, b"")
    after = api.get("/indexes/" + made).json()
    assert after["index_name"] == "new name"
    assert after["updated_at"] >= before["updated_at"]
    assert after["created_at"] == before["created_at"]
    api.make_index("old name")


def test_rename_to_its_own_name_is_fine(api):
    made = api.make_index("same name")
    assert api.put("/indexes/" + made, json={"index_name": "same name"}).status_code == 204


@pytest.mark.parametrize("body,code", [
    ({"index_name": "holder"}, "index_name_already_exists"),
    ({"index_name": "x", "index_options": BOTH}, "index_option_cannot_be_changed"),
    ({"index_name": "x", "model_options": BOTH}, "index_option_cannot_be_changed"),
    ({"index_name": "x", "engine_id": "marengo3.0"}, "index_engine_cannot_be_changed"),
    ({"index_name": "x", "models": [MARENGO]}, "index_option_cannot_be_changed"),
    ({}, "parameter_not_provided"),
    ({"index_name": ""}, "parameter_invalid"),
    ({"index_name": 5}, "parameter_invalid"),
    ({"index_name": "x", "bogus": 1}, "parameter_unknown"),
], ids=str)
def test_refused_updates_change_nothing(new_api, body, code):
    api = new_api()
    api.make_index("holder")
    made = api.make_index("stays")
    before = api.get("/indexes/" + made).json()
    refused(api.put("/indexes/" + made, json=body), 400, code)
    assert api.get("/indexes/" + made).json() == before


def test_messages_of_what_cannot_be_changed(api):
    made = api.make_index("fixed options")
    refused(api.put("/indexes/" + made, json={"index_name": "x", "index_options": BOTH}), 400,
            "index_option_cannot_be_changed",
            "Index option cannot be changed. Please remove index_options parameter and try again. "
            "If you want to change index option, please create new index.")
    refused(api.put("/indexes/" + made, json={"index_name": "x", "engine_id": "e"}), 400,
            "index_engine_cannot_be_changed",
            "Index engine cannot be changed. Please remove engine_id parameter and try again. "
            "If you want to change engine, please create new index.")


def test_counts_follow_the_indexed_videos(api):
    asset = api.upload(clip("h264_silent"))["_id"]
    index = api.make_index("counted")
    items = [api.add(index, asset) for _ in range(2)]

    def count():
        return api.get("/indexes/" + index).json()["video_count"]

    wait_until(lambda: count() == 2, 30, "both to be ready")
    total = api.get("/indexes/" + index).json()["total_duration"]
    assert total == pytest.approx(10.0, abs=0.1)
    assert api.delete(f"/indexes/{index}/indexed-assets/{items[0]}").status_code == 204
    assert count() == 1
    assert api.get("/indexes/" + index).json()["total_duration"] == pytest.approx(total / 2)


def test_delete_takes_the_indexed_assets_and_leaves_the_assets(api):
    asset = api.upload(clip("h264_silent"))["_id"]
    index = api.make_index("doomed")
    item = api.add(index, asset)
    response = api.delete("/indexes/" + index)
    assert (response.status_code, response.content) == (204, b"")
    missing(api.get("/indexes/" + index), index, "indexes")
    missing(api.get(f"/indexes/{index}/indexed-assets/{item}"), index, "indexes")
    assert api.get("/assets/" + asset).status_code == 200
    assert api.get(f"/assets/{asset}/indexed-assets").json()["data"] == []
    api.make_index("doomed")
