"""What is deleted while somebody works on it leaves nothing behind, whatever ends last."""

import contextlib
import os
import re
import signal

import pytest

from lib.api import Api
from lib.children import children, upload_alone, workers
from lib.server import files_of, wait_until
from media.maker import clip


@pytest.fixture
def api(start_server):
    return Api(start_server("--worker-threads", "2"))


def running_jobs(api):
    text = api.get("/metrics", key=False).text
    return int(re.search(r'^kinodex_jobs\{state="running"\} (\d+)', text, re.M)[1])


def wait_for_nothing(api, name):
    """Until no job runs and nothing of it is left: one that runs may put something there."""
    wait_until(lambda: running_jobs(api) == 0 and not files_of(api.server, name), 60,
               "the work and the removal to end")


@contextlib.contextmanager
def held(processes):
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_asset_that_is_deleted_while_it_is_transcoded(api):
    asset = f"/assets/{api.upload(clip('prores_pcm'), enable_hls='true')['_id']}"
    wait_until(lambda: api.get(asset).json()["hls"]["status"] == "processing", 20, "transcoding")
    with held(wait_until(lambda: workers(api.server), 20, "a child at work")):
        assert api.get(asset).json()["hls"]["status"] == "processing", "it was stopped too late"
        assert api.delete(asset).status_code == 204
        wait_until(lambda: not files_of(api.server, asset[8:]), 20, "the source to go")
    wait_for_nothing(api, asset[8:])


def test_asset_that_is_deleted_while_it_is_examined(start_server):
    api = Api(start_server("--worker-threads", "2", "--ingest", "async"))
    with held(children(api.server.pid)):  # the zygote, which begins each examination
        asset = api.upload(clip("h264_aac"), enable_hls="true")["_id"]
        wait_until(lambda: running_jobs(api) == 1, 20, "the examination to begin")
        assert api.delete(f"/assets/{asset}").status_code == 204
        wait_until(lambda: not files_of(api.server, asset), 20, "the source to go")
    wait_for_nothing(api, asset)


def test_video_that_is_deleted_with_its_asset_while_it_is_indexed(api):
    asset = upload_alone(api, "index_60s")
    index = api.make_index("goes")
    item = api.add(index, asset)
    path = f"/indexes/{index}/indexed-assets/{item}"
    with held(wait_until(lambda: workers(api.server), 20, "a child at work")):
        assert api.get(path).json()["status"] == "indexing", "it was stopped too late"
        assert api.delete(path).status_code == 204
        assert api.delete(f"/assets/{asset}").status_code == 204
        wait_until(lambda: not files_of(api.server, asset), 20, "the source to go")
    wait_for_nothing(api, item)
