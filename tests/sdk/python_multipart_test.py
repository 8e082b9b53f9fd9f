"""The official Python SDK, unmodified, uploads in parts: with a chunk that breaks, and with the
server killed and started again in the middle."""

import threading

import httpx
import pytest
from twelvelabs import NotFoundError, TwelveLabs

from lib.parts import CHUNK, MIB
from lib.proxy import Proxy
from lib.server import Server, wait_until
from media.maker import clip


def padded(size):
    """A clip and what players pass over after it."""
    data = clip("h264_aac").read_bytes()
    return data + bytes(range(251)) * ((size - len(data)) // 251 + 1)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(padded(31 * MIB))  # seven chunks
    return path


class Place:
    """A server behind a proxy, so that its address stays when it is started again."""

    def __init__(self, data_dir):
        self.server = Server(data_dir).start()
        self.on_put = lambda number, sent: False
        self.proxy = Proxy(lambda: self.server.port, lambda *put: self.on_put(*put))
        self.client = TwelveLabs(api_key=self.server.key, base_url=self.proxy.origin + "/v1.3")

    def restart(self):
        self.server.kill()
        self.server.start()


@pytest.fixture
def place(tmp_path):
    one = Place(tmp_path / "data")
    yield one
    one.proxy.close()
    one.server.stop()


def check(place, result, film):
    got = httpx.get(result.asset_url, timeout=60, trust_env=False)
    assert got.status_code == 200 and got.content == film.read_bytes()
    wait_until(lambda: place.client.assets.retrieve(result.asset_id).status == "ready", 60,
               "the asset")


def test_upload_file_and_wait(place, film):
    steps = []
    result = place.client.multipart_upload.upload_file(
        film, filename="by helper.mp4", batch_size=3,
        progress_callback=lambda progress: steps.append(progress.completed_chunks))
    assert steps == [3, 6, 7]
    check(place, result, film)
    assert place.client.assets.retrieve(result.asset_id).filename == "by helper.mp4"
    assert list(place.client.multipart_upload.list_incomplete_uploads()) == []


def test_more_chunks_than_urls_came_with_the_session(place, tmp_path):
    big = tmp_path / "big.mp4"
    big.write_bytes(padded(21 * CHUNK))
    check(place, place.client.multipart_upload.upload_file(big), big)


def test_chunk_that_breaks_off_is_sent_again(place, film):
    cut = []
    place.on_put = lambda number, sent: number == 2 and sent > CHUNK // 2 and not cut.append(sent)
    result = place.client.multipart_upload.upload_file(film, retry_delay=0.05)
    assert len(cut) == 1 and place.proxy.puts == 8
    check(place, result, film)


def test_server_killed_while_chunks_are_on_their_way(place, film):
    restarts = []

    def on_put(number, sent):
        if number == 5 and sent > CHUNK // 2 and not restarts:
            restarts.append(threading.Thread(target=place.restart))
            restarts[0].start()
        return False

    place.on_put = on_put
    result = place.client.multipart_upload.upload_file(film, batch_size=2, retry_delay=0.2,
                                                       max_retries=6)
    assert restarts
    restarts[0].join()
    check(place, result, film)


def test_wait_for_upload_completion_and_pagers(place, film):
    client = place.client
    content = film.read_bytes()
    session = client.multipart_upload.create(filename="a.mp4", type="video",
                                             total_size=len(content), user_metadata={"n": 5})
    done = []
    for url in session.upload_urls:
        body = content[(url.chunk_index - 1) * CHUNK:url.chunk_index * CHUNK]
        etag = httpx.put(url.url, content=body, trust_env=False).headers["etag"].strip('"')
        done.append({"chunk_index": url.chunk_index, "proof": etag, "proof_type": "etag",
                     "chunk_size": len(body)})
    statuses = [(one.index, one.status) for one in
                client.multipart_upload.get_status(session.upload_id, page_limit=2)]
    assert statuses == [(n, "pending") for n in range(1, 8)]
    reporter = threading.Thread(target=client.multipart_upload.report_chunk_batch,
                                args=(session.upload_id,), kwargs={"completed_chunks": done})
    seen = []

    def on_status(status):
        seen.append(status)
        if len(seen) == 1:
            reporter.start()

    end = client.multipart_upload.wait_for_upload_completion(
        session.upload_id, sleep_interval=0.1, max_wait_time=30, callback=on_status)
    reporter.join()
    assert (seen[0].completed_chunks, seen[0].total_chunks) == (0, 7)
    assert (end.status, end.completed_chunks, end.total_chunks) == ("completed", 7, 7)
    made = [client.multipart_upload.create(filename="a.mp4", type="video", total_size=n + 1).upload_id
            for n in range(7)]
    listed = [one.upload_id for one in client.multipart_upload.list_incomplete_uploads(page_limit=2)]
    assert listed == made[::-1]
    with pytest.raises(NotFoundError):
        client.multipart_upload.get_additional_presigned_urls("0123456789abcdef01234567", start=1,
                                                              count=1)
