"""User metadata of assets: merge, replace, delete, with types kept (behaviour 3.4)."""

import json

import pytest

from lib import openapi
from lib.api import invalid, refused
from media.maker import clip

START = {"kept": "old", "number": 5, "flag": True}


@pytest.fixture(scope="module")
def asset(api):
    return api.upload(clip("png_128"))["_id"]


@pytest.fixture
def path(api, asset):
    """The metadata path of an asset whose metadata is START."""
    path = f"/assets/{asset}/user-metadata"
    assert api.put(path, json={"user_metadata": START}).status_code == 204
    return path


def stored(api, path):
    return api.get(path.removesuffix("/user-metadata")).json().get("user_metadata")


@pytest.mark.parametrize("change,after", [
    ({"new": 1}, {**START, "new": 1}),
    ({"kept": "new"}, {**START, "kept": "new"}),
    ({"kept": 7}, {**START, "kept": 7}),
    ({"kept": None}, {"number": 5, "flag": True}),
    ({"unknown": None}, START),
    ({"kept": ""}, START),
    ({"new": ""}, START),
    ({}, START),
    ({"kept": None, "number": None, "flag": None}, None),
], ids=str)
def test_patch_merges(api, path, change, after):
    response = api.patch(path, json={"user_metadata": change})
    assert (response.status_code, response.content) == (204, b"")
    assert stored(api, path) == after


@pytest.mark.parametrize("change,after", [
    ({"new": 1}, {"new": 1}),
    ({"kept": "new"}, {"kept": "new"}),
    ({"new": 1, "kept": None}, {"new": 1}),
    ({"new": 1, "kept": ""}, {"new": 1}),
    ({}, None),
    ({"kept": None}, None),
], ids=str)
def test_put_replaces(api, path, change, after):
    response = api.put(path, json={"user_metadata": change})
    assert (response.status_code, response.content) == (204, b"")
    assert stored(api, path) == after


def test_delete_clears_and_may_be_repeated(api, path):
    for _ in range(2):
        response = api.delete(path)
        assert (response.status_code, response.content) == (204, b"")
        assert stored(api, path) is None


TYPED = ['5', '5.0', '9.3', '0', '-0.0', '-1', '9007199254740993', '9223372036854775807',
         '-9223372036854775808', '1e300', '1E2', '0.1', 'true', 'false', '"5"', '" "', '"true"',
         '"\\u0000"', '"\\ud83c\\udfac"', '"line\\nbreak \\"quoted\\" \\\\ /"', '"日本語"']


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("text", TYPED)
def test_types_survive(api, path, method, text):
    body = '{"user_metadata": {"value": %s}}' % text
    response = api.request(method, path, content=body.encode(),
                           headers={"content-type": "application/json"})
    assert response.status_code == 204, response.text
    wanted, got = json.loads(text), stored(api, path)["value"]
    assert (got, type(got)) == (wanted, type(wanted))


@pytest.mark.parametrize("key", ["Ключ", "🎬", "a b", "a.b", "a[b]", "$where", "__proto__", "page",
                                 "_id", "user_metadata", "'", '"', "\\", "\n", "k" * 256])
def test_any_text_may_be_a_key(api, path, key):
    assert api.patch(path, json={"user_metadata": {key: 1}}).status_code == 204
    assert stored(api, path) == {**START, key: 1}


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("value", ['[]', '{}', '[1]', '{"b":1}', '1e400', '18446744073709551616',
                                   '-9223372036854775809'])
def test_other_values_are_refused_and_change_nothing(api, path, method, value):
    body = '{"user_metadata": {"good": 1, "bad": %s}}' % value
    response = api.request(method, path, content=body.encode(),
                           headers={"content-type": "application/json"})
    invalid(response, "user_metadata")
    assert stored(api, path) == START


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize("value", ["[]", "null", '"text"', "5", "true"])
def test_metadata_must_be_an_object(api, path, method, value):
    response = api.request(method, path, content=b'{"user_metadata": %s}' % value.encode(),
                           headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["code"] in ("parameter_invalid", "parameter_not_provided")
    assert "user_metadata" in response.json()["message"]
    assert stored(api, path) == START


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_metadata_is_required(api, path, method):
    refused(api.request(method, path, json={}), 400, "parameter_not_provided",
            "The `user_metadata` parameter is required but was not provided.")
    assert stored(api, path) == START


@pytest.mark.parametrize("body", [b"{", b"not json", b"[]", b'{"user_metadata": {"a": 1}',
                                  b'{"user_metadata": {"a": 1}} trailing', b"\xff\xfe",
                                  b'{"user_metadata": {"a": \xff}}',
                                  b'{"user_metadata": {"a": "\\ud800"}}',
                                  b'{"user_metadata": {"a": NaN}}',
                                  b"[" * 100_000])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_broken_json_is_400_and_changes_nothing(api, path, method, body):
    response = api.request(method, path, content=body,
                           headers={"content-type": "application/json"})
    refused(response, 400, "parameter_invalid")
    assert stored(api, path) == START


def test_bounds_hold_for_the_merged_whole(api, path):
    assert api.put(path, json={"user_metadata": {f"k{n}": n for n in range(100)}}).status_code == 204
    invalid(api.patch(path, json={"user_metadata": {"one more": 1}}), "user_metadata")
    assert len(stored(api, path)) == 100
    change = {"one more": 1, "k0": None}
    assert api.patch(path, json={"user_metadata": change}).status_code == 204
    assert len(stored(api, path)) == 100


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_change_names_at_most_a_hundred_keys_also_to_delete_them(api, path, method):
    """More than that could be needed by nobody, and what the document says counts every key."""
    for count, answer in ((100, 204), (101, 400)):
        body = {"user_metadata": {f"k{n}": None for n in range(count)}}
        response = api.request(method, path, json=body)
        assert response.status_code == answer, response.text
        assert openapi.own_checker().takes(method, "/v1.3" + path, body) == (answer == 204)
    assert "at most 100 keys" in invalid(response, "user_metadata")["message"]


def test_last_of_repeated_changes_wins(api, path):
    for n in range(20):
        assert api.patch(path, json={"user_metadata": {"n": n}}).status_code == 204
    assert stored(api, path)["n"] == 19


def test_metadata_of_an_asset_is_not_that_of_its_indexed_asset(api):
    asset = api.upload(clip("h264_silent"), user_metadata='{"a": 1}')["_id"]
    index = api.make_index("independent metadata")
    item = api.add(index, asset)
    assert "user_metadata" not in api.get(f"/indexes/{index}/indexed-assets/{item}").json()
