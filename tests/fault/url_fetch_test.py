"""Killing and stopping the server while it fetches from a URL: what was acknowledged is finished by
the next process, byte for byte, and what was not leaves nothing."""

import threading

from lib.api import Api
from lib.multipart import Part
from lib.server import Server, wait_until
from lib.url_server import UrlServer, left_behind, padded, stored_sha256
from media.maker import clip

MB = 1 << 20


class Gate:
    """Serves a large file, and stops in the middle of it until it is opened."""

    def __init__(self, web, size):
        self.data, self.digest = padded(clip("h264_aac"), size)
        self.is_open, self.reached, self.gone = (threading.Event() for _ in range(3))
        self.url = web.on("/gated.mp4", self.serve)

    def serve(self, talk):
        talk.answer(200, None, Content_Length=len(self.data), ETag='"one"')
        half = len(self.data) // 2
        if talk.send(self.data[:half]):
            self.reached.set()
            if self.is_open.is_set():
                talk.send(self.data[half:])
            else:
                talk.until_gone()
                self.gone.set()


def create(api, url):
    return api.post_form([Part("method", "url"), Part("url", url)])


def ready(api, asset_id):
    body = wait_until(lambda: (b := api.get("/assets/" + asset_id).json())["status"] !=
                      "processing" and b, 60, "the asset")
    assert body["status"] == "ready", body
    return body


def start(tmp_path, web):
    return Server(tmp_path / "data", "--allow-url-hosts", web.host_port).start()


def test_killed_while_fetching_ends_ready(tmp_path):
    with UrlServer() as web:
        gate, server = Gate(web, 201 * MB), start(tmp_path, web)
        api = Api(server)
        made = create(api, gate.url).json()
        assert made["status"] == "processing"
        assert gate.reached.wait(30)
        wait_until(lambda: sum(path.stat().st_size for path in left_behind(server)) > 50 * MB, 30,
                   "bytes on disk")
        api.close()
        server.kill()
        gate.is_open.set()
        server.start()
        api = Api(server)
        assert ready(api, made["_id"])["size"] == len(gate.data)
        assert stored_sha256(server, made["_id"]) == gate.digest
        assert len(left_behind(server)) == 1, "half-written drafts stay"
        api.close()
        server.stop()


def test_killed_after_the_bytes_are_there_does_not_fetch_again(tmp_path):
    """The row says `processing` until the examination is over; its job finds the bytes."""
    with UrlServer() as web:
        data, digest = padded(clip("h264_aac"), 201 * MB)
        url = web.file("/large.mp4", data)
        server = start(tmp_path, web)
        api = Api(server)
        made = create(api, url).json()
        wait_until(lambda: [path for path in left_behind(server) if path.name == "source"], 60,
                   "the source")
        server.kill()
        api.close()
        asked = len(web.asked("/large.mp4"))
        server.start()
        api = Api(server)
        ready(api, made["_id"])
        assert stored_sha256(server, made["_id"]) == digest
        assert len(web.asked("/large.mp4")) == asked
        api.close()
        server.stop()


def test_killed_while_the_client_waits_leaves_nothing(tmp_path):
    with UrlServer() as web:
        gate, server = Gate(web, 20 * MB), start(tmp_path, web)
        failed = threading.Event()

        def ask():
            try:
                create(Api(server), gate.url)
            except Exception:  # noqa: BLE001  the server is killed
                failed.set()
        threading.Thread(target=ask, daemon=True).start()
        assert gate.reached.wait(30)
        server.kill()
        assert failed.wait(10)
        server.start()
        assert left_behind(server) == []
        assert Api(server).asset_total() == 0
        server.stop()


def test_a_stop_hands_the_fetch_back(tmp_path):
    with UrlServer() as web:
        gate, server = Gate(web, 201 * MB), start(tmp_path, web)
        api = Api(server)
        made = create(api, gate.url).json()
        assert gate.reached.wait(30)
        api.close()
        code, seconds = server.terminate()
        assert (code, seconds < 10) == (0, True)
        assert gate.gone.wait(5)
        server.check_log()
        gate.is_open.set()
        server.start()
        api = Api(server)
        ready(api, made["_id"])
        assert stored_sha256(server, made["_id"]) == gate.digest
        api.close()
        server.stop()


def test_a_stop_answers_who_waits(tmp_path):
    with UrlServer() as web:
        gate, server = Gate(web, 20 * MB), start(tmp_path, web)
        answers = []
        asking = threading.Thread(target=lambda: answers.append(create(Api(server), gate.url)),
                                  daemon=True)
        asking.start()
        assert gate.reached.wait(30)
        code, seconds = server.terminate()
        assert (code, seconds < 10) == (0, True)
        asking.join(5)
        assert answers[0].status_code == 503
        assert answers[0].json()["code"] == "server_shutting_down"
        server.start()
        assert left_behind(server) == []
        server.stop()
