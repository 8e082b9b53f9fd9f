"""The document that the server serves about itself: served without a key, the same bytes each time,
well formed, and complete. That answers keep to it is checked by every other test (lib/api.py)."""

import json

import httpx
import jsonschema
import pytest

from lib import openapi


def ask(server, **headers):
    return httpx.get(server.origin + "/openapi.json", headers=headers, trust_env=False)


@pytest.fixture(scope="module")
def document(server):
    return ask(server).json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_needs_no_key_and_is_json(server):
    answer = ask(server)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"


def test_it_is_not_sent_again_when_unchanged(server):
    etag = ask(server).headers["etag"]
    again = ask(server, **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert ask(server, **{"if-none-match": '"other"'}).status_code == 200


def test_it_names_the_address_that_the_client_used(server):
    assert ask(server).json()["servers"] == [{"url": server.origin}]
    assert ask(server, host="films.example:81").json()["servers"] == \
        [{"url": "http://films.example:81"}]
    assert ask(server, host="films.example:81").headers["etag"] != ask(server).headers["etag"]


def test_it_names_the_public_url_and_is_else_the_same_in_every_process(server, start_server):
    other = start_server("--public-url", "https://films.example")
    there, here = ask(other).json(), ask(server).json()
    assert there.pop("servers") == [{"url": "https://films.example"}]
    here.pop("servers")
    assert json.dumps(there) == json.dumps(here), "also in the same order"


def test_every_schema_is_a_schema_and_every_reference_is_there(document):
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema.get("properties") or "additionalProperties" in schema, f"{name} says nothing"
    text = json.dumps(document)
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used == set(document["components"]["schemas"]), "none missing, none left over"


def test_every_operation_is_described(document):
    names, summaries = set(), set()
    for path, method, operation in operations(document):
        what = f"{method} {path}"
        summary = (operation["tags"][0], operation["summary"])
        assert summary not in summaries, f"{what}: two of its resource read the same"
        summaries.add(summary)
        assert operation["operationId"] not in names, what
        names.add(operation["operationId"])
        assert operation["summary"] and not operation["summary"].endswith("."), what
        in_path = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
        assert in_path == [part.split("}")[0] for part in path.split("{")[1:]], what
        for parameter in operation.get("parameters", []):
            assert parameter["description"].endswith("."), f"{what}: {parameter['name']}"
            assert parameter["schema"], f"{what}: {parameter['name']}"
        assert any(status < "300" for status in operation["responses"]), what
        assert "500" in operation["responses"], what


def test_what_was_made_is_linked_to_what_takes_its_id(document):
    by_name = {operation["operationId"]: (path, operation)
               for path, _, operation in operations(document)}
    makers = {"assets.create": ("asset_id", "_id"), "indexes.create": ("index-id", "_id"),
              "indexed_assets.create": ("indexed-asset-id", "_id"),
              "tasks.create": ("task_id", "_id"),
              "multipart_uploads.create": ("upload_id", "upload_id"),
              "entity_collections.create": ("entity_collection_id", "_id"),
              "entities.create": ("entity_id", "_id")}
    linking = {name for name, (_, operation) in by_name.items()
               if any("links" in answer for answer in operation["responses"].values())}
    assert linking == set(makers)
    for name, (parameter, key) in makers.items():
        path, operation = by_name[name]
        links = next(answer["links"] for answer in operation["responses"].values()
                     if "links" in answer)
        assert links, name
        for link in links.values():
            target, _ = by_name[link["operationId"]]
            names = [part.split("}")[0] for part in target.split("{")[1:]]
            assert list(link["parameters"]) == names
            assert link["parameters"][parameter] == f"$response.body#/{key}"
            for other in set(names) - {parameter}:
                assert link["parameters"][other] == f"$request.path.{other}" and other in path


def test_what_needs_a_key_says_so(document, server):
    """Asked without a key, what the document calls secured is refused, and nothing else is."""
    assert document["security"] == [{"api_key": []}]
    for path, method, operation in operations(document):
        url = server.origin + path.replace("{", "").replace("}", "")
        answer = httpx.request(method, url, trust_env=False)
        assert (answer.status_code == 401) == ("security" not in operation), f"{method} {path}"
        assert ("401" in operation["responses"]) == ("security" not in operation), path


def test_a_contradiction_is_noticed(server, document):
    """The check that every other test relies on can fail."""
    checker = openapi.OwnChecker(json.loads(json.dumps(document)))
    answer = httpx.get(server.origin + "/v1.3/assets", headers={"x-api-key": server.key},
                       trust_env=False)
    checker.check(answer)
    del checker.document["components"]["schemas"]["PageInfo"]["properties"]["page"]
    with pytest.raises(AssertionError, match="'page' was unexpected"):
        checker.check(answer)
