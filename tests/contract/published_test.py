"""Our document beside the published one: every operation that both have agrees, save for the rows of
a table in docs/api.md. A difference without a row fails, and so does a row without a difference."""

import copy
import json
import re
from pathlib import Path

import httpx
import pytest

from lib import openapi
from lib.compare import Document, differences

TABLE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
HEADING = "## Differences from the published document"
COLUMNS = ["operation", "what", "here", "there", "why"]


def rows():
    """The cells of the table; `*` in the first two stands for anything."""
    section = TABLE.read_text().partition(HEADING + "\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == COLUMNS and len(cells) > 2, "the table is where this test looks for it"
    return cells[2:]


def fits(pattern, text):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def lists(row, difference):
    return fits(row[0], difference.operation) and fits(row[1], difference.what) and \
        row[2:4] == [difference.here, difference.there]


@pytest.fixture(scope="module")
def own(server):
    answer = httpx.get(server.origin + "/openapi.json", trust_env=False)
    return Document(answer.json(), "/v1.3")


@pytest.fixture(scope="module")
def published():
    if not openapi.present():
        pytest.skip("the published document is absent: nothing to compare with")
    return Document(json.loads(openapi.DOCUMENT.read_text()), "")


def test_every_difference_is_listed(own, published):
    found = differences(own, published)
    assert found, "the comparison compares"
    listed = rows()
    missing = ["| " + " | ".join(each) + " | |" for each in found
               if not any(lists(row, each) for row in listed)]
    assert not missing, f"not in {TABLE.name}:\n" + "\n".join(missing)


def test_every_listed_difference_is_there(own, published):
    found = differences(own, published)
    gone = [row for row in rows() if not any(lists(row, each) for each in found)]
    assert not gone, f"in {TABLE.name} and no longer true:\n" + "\n".join(map(str, gone))


def test_every_row_says_why():
    assert [row for row in rows() if not row[4]] == []


# --- the comparison itself, on documents of its own --------------------------------------------

SMALL = {
    "paths": {"/films/{id}": {"post": {
        "parameters": [{"name": "id", "in": "path", "required": True,
                        "schema": {"type": "string"}},
                       {"name": "sort", "in": "query",
                        "schema": {"type": "string", "enum": ["asc", "desc"]}}],
        "requestBody": {"content": {"application/json": {"schema": {
            "type": "object", "required": ["name"],
            "properties": {"name": {"type": "string"}, "tags": {"$ref": "#/components/schemas/T"}},
        }}}},
        "responses": {"200": {"content": {"application/json": {"schema": {
            "properties": {"data": {"type": "array", "items": {
                "properties": {"_id": {"type": "string"}}}}}}}}}},
    }}},
    "components": {"schemas": {"T": {"type": "array", "items": {"type": "string"}}}},
}


def operation(document):
    return document["paths"]["/films/{id}"]["post"]


def body(document):
    return operation(document)["requestBody"]["content"]["application/json"]["schema"]


def answer(document):
    return operation(document)["responses"]["200"]["content"]["application/json"]["schema"]


CHANGES = [
    (lambda d: operation(d)["parameters"].pop(1), ("query `sort`", "taken", "-")),
    (lambda d: operation(d)["parameters"][1].update(required=True),
     ("query `sort`: need", "optional", "required")),
    (lambda d: operation(d)["parameters"][1]["schema"].update(type="integer"),
     ("query `sort`: type", "string", "integer")),
    (lambda d: operation(d)["parameters"][1]["schema"]["enum"].append("none"),
     ("query `sort`: values", "asc, desc", "asc, desc, none")),
    (lambda d: body(d)["properties"].pop("tags"), ("body `tags`", "taken", "-")),
    (lambda d: body(d).update(required=[]), ("body `name`: need", "required", "optional")),
    (lambda d: d["components"]["schemas"]["T"]["items"].update(type="integer"),
     ("body `tags`: type", "list of string", "list of integer")),
    (lambda d: operation(d)["responses"].update({"201": operation(d)["responses"].pop("200")}),
     ("status", "200", "201")),
    (lambda d: operation(d)["responses"].update({"200": {}}), ("body", "JSON", "-")),
    (lambda d: answer(d)["properties"]["data"]["items"]["properties"].update(x={}),
     ("field `data.x`", "-", "sent")),
    (lambda d: answer(d)["properties"].pop("data"), ("field `data`", "sent", "-")),
    (lambda d: answer(d)["properties"]["data"]["items"]["properties"]["_id"].update(type="number"),
     ("field `data._id`: type", "string", "number")),
]


@pytest.mark.parametrize("change,wanted", CHANGES, ids=[wanted[0] for _, wanted in CHANGES])
def test_the_comparison_notices(change, wanted):
    other = copy.deepcopy(SMALL)
    change(other)
    found = differences(Document(SMALL, ""), Document(other, ""))
    assert [tuple(each[1:]) for each in found] == [wanted]


def test_the_comparison_finds_nothing_where_nothing_differs():
    closer = copy.deepcopy(SMALL)
    operation(closer)["parameters"][0]["schema"].update(pattern="^x$", minLength=1)
    body(closer)["properties"]["name"]["type"] = ["string", "null"]
    assert differences(Document(closer, ""), Document(SMALL, "")) == []
