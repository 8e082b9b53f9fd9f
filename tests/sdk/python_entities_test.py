"""Entity collections and entities through the official Python SDK, every method once and more."""

import pytest
from twelvelabs import BadRequestError, TwelveLabs
from twelvelabs.core.api_error import ApiError

from lib.server import wait_until
from media.maker import clip


@pytest.fixture(scope="module")
def client(server):
    return TwelveLabs(api_key=server.key, base_url=server.origin + "/v1.3")


def image(client, filename="face.png"):
    with open(clip("png_128"), "rb") as file:
        return client.assets.create(method="direct", file=file, filename=filename).id


def ready(client, collection, entity):
    def look():
        found = client.entity_collections.entities.retrieve(collection, entity)
        return found.status == "ready" and found

    return wait_until(look, 30, "the entity")


def test_collections(client):
    collections = client.entity_collections
    made = collections.create(name="python crew", description="of the ship")
    assert collections.retrieve(made.id) == made
    changed = collections.update(made.id, name="Python Crew")
    assert (changed.name, changed.description) == ("Python Crew", "of the ship")
    assert collections.update(made.id).name == "Python Crew", "an empty body is dropped"
    for name in "bacdegf":
        collections.create(name=f"python pager {name}")
    names = [one.name[-1] for one in collections.list(
        name="python PAGER", sort_by="name", sort_option="asc", page_limit=2)]
    assert "".join(names) == "abcdefg"
    collections.delete(made.id)
    with pytest.raises(ApiError) as gone:
        collections.retrieve(made.id)
    assert gone.value.status_code == 404


def test_entities(client):
    collection = client.entity_collections.create(name="python people").id
    entities = client.entity_collections.entities
    pictures = [image(client, f"{n}.png") for n in range(3)]
    made = entities.create(collection, name="Anna", asset_ids=pictures,
                           metadata={"sport": "soccer", "teamId": 42, "score": 8.7, "on": True})
    found = ready(client, collection, made.id)
    assert found.asset_ids == pictures and found.entity_collection_id == collection
    changed = entities.update(collection, made.id, description="tall", metadata={"n": 7})
    assert changed.description == "tall" and changed.name == "Anna"
    more = image(client, "more.png")
    assert entities.create_assets(collection, made.id, asset_ids=[more]).asset_ids == \
        [*pictures, more]
    assert entities.delete_assets(collection, made.id, asset_ids=pictures).asset_ids == [more]
    with pytest.raises(BadRequestError) as last:
        entities.delete_assets(collection, made.id, asset_ids=[more])
    assert last.value.body["code"] == "parameter_invalid"
    ready(client, collection, made.id)
    assert [one.id for one in entities.list_by_asset(more)] == [made.id]
    entities.delete(collection, made.id)
    with pytest.raises(ApiError) as gone:
        entities.retrieve(collection, made.id)
    assert gone.value.status_code == 404
    client.assets.delete(more)


def test_bulk_and_pagers(client):
    collection = client.entity_collections.create(name="python bulk").id
    entities = client.entity_collections.entities
    picture = image(client)
    answer = entities.create_bulk(collection, entities=[
        *({"name": f"pager {name}", "asset_ids": [picture]} for name in "gfedcba"),
        {"name": "bad", "asset_ids": ["0123456789abcdef01234567"]}])
    assert (answer.success_count, answer.failed_count) == (7, 1)
    assert [(one.entity_index, one.entity_name) for one in answer.errors] == [(7, "bad")]
    for one in answer.entities:
        ready(client, collection, one.id)
    found = entities.list(collection, name="pager", status="ready", sort_by="name",
                          sort_option="asc", page_limit=2)
    assert "".join(one.name[-1] for one in found) == "abcdefg"
    assert len(list(entities.list_by_asset(picture, page_limit=2))) == 7
    assert list(entities.list(collection, status="processing")) == []
    client.entity_collections.delete(collection)
