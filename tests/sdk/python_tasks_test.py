"""Tasks and videos through the official Python SDK, every method once and more."""

import pytest
from twelvelabs import BadRequestError, NotFoundError, TwelveLabs
from twelvelabs.core.api_error import ApiError

from lib.url_server import UrlServer
from media.maker import clip


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """(client, index, URL of a film) of a server that may fetch from the test's own web server."""
    from lib.server import Server
    with UrlServer() as web:
        web.file("/from%20afar.mp4", clip("h264_aac").read_bytes())
        one = Server(tmp_path_factory.mktemp("data"), "--allow-url-hosts", web.host_port).start()
        client = TwelveLabs(api_key=one.key, base_url=one.origin + "/v1.3")
        index = client.indexes.create(index_name="python legacy", models=[
            {"model_name": "marengo3.0", "model_options": ["visual"]}]).id
        yield client, index, web.url("/from%20afar.mp4")
        one.stop()


def done(client, task):
    return client.tasks.wait_for_done(task, sleep_interval=0.1)


def test_tasks(story):
    client, index, url = story
    with open(clip("h264_aac"), "rb") as file:
        made = client.tasks.create(index_id=index, video_file=file,
                                   user_metadata='{"category": "a", "take": 5}')
    assert made.id != made.video_id
    seen = []
    task = client.tasks.wait_for_done(made.id, sleep_interval=0.1,
                                      callback=lambda one: seen.append(one.status))
    assert task.status == "ready" == seen[-1]
    assert task.video_id == made.video_id and task.index_id == index
    assert task.hls.status == "COMPLETE"
    other = client.tasks.create(index_id=index, video_url=url, enable_video_stream=False)
    assert done(client, other.id).system_metadata.filename == "from afar.mp4"
    with open(clip("h264_aac"), "rb") as file:
        several = client.tasks.create_bulk(index_id=index, video_files=[file], video_urls=[url])
    assert [done(client, one.id).status for one in several] == ["ready", "ready"]
    ids = [one.id for one in client.tasks.list(page_limit=1)]
    assert ids == [several[1].id, several[0].id, other.id, made.id]
    assert [one.id for one in client.tasks.list(
        index_id=index, status=["ready", "failed"], filename="from afar.mp4", width=640,
        height=360, sort_by="created_at", sort_option="asc",
        created_at="2020-01-01T00:00:00Z", updated_at="2020-01-01T00:00:00Z")] == \
        [other.id, several[1].id]
    assert list(client.tasks.list(duration=1.0)) == []
    with pytest.raises(BadRequestError) as refusal:
        client.tasks.create(index_id=index, video_file=("a.mp4", b"just words"))
    assert refusal.value.body["code"] == "video_file_broken"
    with pytest.raises(BadRequestError) as refusal:
        client.tasks.delete(made.id)
    assert refusal.value.body["code"] == "task_cannot_be_deleted"
    client.indexes.videos.delete(index, made.video_id)
    client.tasks.delete(made.id)
    with pytest.raises(ApiError) as gone:
        client.tasks.retrieve(made.id)
    assert gone.value.status_code == 404


def test_videos(story):
    client, index, url = story
    videos = client.indexes.videos
    ids = []
    for n in range(4):
        made = client.tasks.create(index_id=index, video_url=url, user_metadata=(
            '{"category": "new", "batchNumber": %d, "needsReview": true}' % n))
        assert done(client, made.id).status == "ready"
        ids.append(made.video_id)
    found = videos.list(index, page_limit=1, sort_by="created_at", sort_option="asc",
                        user_metadata={"category": "new", "needsReview": True})
    assert [one.id for one in found] == ids
    assert [one.id for one in videos.list(index, user_metadata={"batchNumber": 2})] == [ids[2]]
    assert len(list(videos.list(index, duration={"gte": 4, "lte": 6}, width={"lte": 640},
                                fps={"gte": 25}, size={"gte": 1},
                                created_at="2024-08-16T16:53:59Z"))) >= 4
    assert list(videos.list(index, height={"gte": 361})) == []
    videos.update(index, ids[0], user_metadata={"from_sdk": True, "batchNumber": None})
    videos.update(index, ids[0])
    video = videos.retrieve(index, ids[0])
    assert video.user_metadata == {"category": "new", "needsReview": True, "from_sdk": True}
    assert video.system_metadata.fps == 25 and video.hls.status == "COMPLETE"
    with pytest.raises(BadRequestError):
        videos.retrieve(index, ids[0], embedding_option=["visual", "audio"])
    videos.delete(index, ids[0])
    with pytest.raises(NotFoundError):
        videos.retrieve(index, ids[0])
