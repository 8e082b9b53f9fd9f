"""The official Python SDK, unmodified, does the same story as the Node one, shorter."""

import pytest
from twelvelabs import BadRequestError, ConflictError, TwelveLabs

from lib.server import wait_until
from lib.url_server import UrlServer, padded
from media.maker import clip


@pytest.fixture(scope="module")
def client(server):
    return TwelveLabs(api_key=server.key, base_url=server.origin + "/v1.3")


def test_upload_index_filter_change_and_delete(client):
    with open(clip("h264_aac"), "rb") as file:
        asset = client.assets.create(method="direct", file=file, enable_hls=True,
                                     user_metadata='{"a": 1}')
    wait_until(lambda: client.assets.retrieve(asset.id).status == "ready", 30, "the asset")
    index = client.indexes.create(index_name="python", models=[
        {"model_name": "marengo3.0", "model_options": ["visual", "audio"]}])
    made = client.indexes.indexed_assets.create(index.id, asset_id=asset.id)
    wait_until(lambda: client.indexes.indexed_assets.retrieve(index.id, made.id).status == "ready",
               60, "indexing")
    client.indexes.indexed_assets.update(index.id, made.id, user_metadata={
        "category": "recently Added", "batchNumber": 5, "rating": 9.3, "needsReview": True})
    client.indexes.indexed_assets.update(index.id, made.id)
    found = client.indexes.indexed_assets.list(
        index.id, page=1, page_limit=10, sort_by="created_at", sort_option="desc",
        status=["ready", "failed"], duration={"gte": 4, "lte": 20.5}, fps={"gte": 25},
        width={"lte": 1920}, size={"gte": 1024}, created_at="2024-08-16T16:53:59Z",
        user_metadata={"category": "recently Added", "batchNumber": 5, "rating": 9.3,
                       "needsReview": True})
    assert [one.id for one in found] == [made.id]
    assert list(client.indexes.indexed_assets.list(index.id, user_metadata={"rating": 9.4})) == []
    with pytest.raises(ConflictError) as conflict:
        client.assets.delete(asset.id)
    assert conflict.value.body["code"] == "asset_in_use"
    client.indexes.delete(index.id)
    client.assets.delete(asset.id)


def test_pager_ends(client):
    for n in range(7):
        with open(clip("png_128"), "rb") as file:
            client.assets.create(method="direct", file=file, filename=f"python pager {n}.png")
    names = [one.filename for one in client.assets.list(filename="python pager", page_limit=2)]
    assert names == [f"python pager {n}.png" for n in reversed(range(7))]


def test_refusal_is_typed(client):
    with pytest.raises(BadRequestError) as refusal:
        client.assets.create(method="direct", file=("words.mp4", b"just words"))
    assert refusal.value.body["code"] == "parameter_invalid"


def test_asset_from_a_url(start_server):
    with UrlServer() as web:
        server = start_server("--allow-url-hosts", web.host_port)
        client = TwelveLabs(api_key=server.key, base_url=server.origin + "/v1.3")
        url = web.file("/films/holiday.mp4", clip("h264_aac").read_bytes())
        asset = client.assets.create(method="url", url=url, enable_hls=True)
        assert (asset.method, asset.status, asset.filename) == ("url", "ready", "holiday.mp4")
        large, _ = padded(clip("h264_aac"), (200 << 20) + 1)
        asset = client.assets.create(method="url", url=web.file("/large.mp4", large))
        assert asset.status == "processing"
        wait_until(lambda: client.assets.retrieve(asset.id).status == "ready", 60, "the asset")
        assert client.assets.retrieve(asset.id).size == len(large)
        with pytest.raises(BadRequestError) as refusal:
            client.assets.create(method="url", url=web.url("/nothing"))
        assert refusal.value.body["code"] == "media_url_not_accessible"
