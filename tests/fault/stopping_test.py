"""SIGTERM: what runs is finished, what waits is handed back, and the exit is 0 within 10 s."""

import threading

import httpx

from lib.api import Api
from lib.multipart import Part, encode
from lib.server import Server, wait_until
from media.maker import clip


def test_running_upload_is_finished_and_answered(tmp_path):
    server = Server(tmp_path / "data").start()
    data = clip("h264_aac").read_bytes()
    body, kind = encode([Part("method", "direct"), Part("file", data, filename="a.mp4")])
    half_sent, go_on = threading.Event(), threading.Event()
    answers = []

    def pieces():
        yield body[:len(body) // 2]
        half_sent.set()
        go_on.wait(20)
        yield body[len(body) // 2:]

    def send():
        answers.append(httpx.post(server.origin + "/v1.3/assets", content=pieces(), timeout=30,
                                  headers={"content-type": kind, "x-api-key": server.key},
                                  trust_env=False))

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    assert half_sent.wait(20)
    stopped = []
    stopper = threading.Thread(target=lambda: stopped.append(server.terminate()), daemon=True)
    stopper.start()
    wait_until(lambda: refuses_connections(server), 8, "the listener to close")
    go_on.set()
    sender.join(20)
    stopper.join(20)
    assert answers and answers[0].status_code == 201, answers
    assert stopped[0][0] == 0 and stopped[0][1] < 10
    server.check_log()
    server.start()
    assert Api(server).get("/assets/" + answers[0].json()["_id"]).json()["size"] == len(data)
    server.stop()


def refuses_connections(server):
    try:
        with httpx.Client(trust_env=False, timeout=2) as http:
            return http.get(server.origin + "/readyz").status_code == 503
    except httpx.TransportError:
        return True


def test_idle_and_half_open_connections_do_not_hold_it(tmp_path):
    import socket
    server = Server(tmp_path / "data").start()
    peers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for peer in peers[10:]:
        peer.sendall(b"POST /v1.3/assets HTTP/1.1\r\nHost: x\r\nContent-Le")
    code, seconds = server.terminate()
    assert (code, seconds < 10) == (0, True)
    for peer in peers:
        peer.close()
    server.check_log()


def test_jobs_are_handed_back_and_resumed(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("handed back")
    asset = api.upload(clip("index_60s"))["_id"]
    items = [api.add(index, asset) for _ in range(6)]
    api.close()
    code, seconds = server.terminate()
    assert (code, seconds < 10) == (0, True)
    server.check_log()
    server.start()
    api = Api(server)
    path = f"/indexes/{index}/indexed-assets"
    wait_until(lambda: api.get(path, "status=ready").json()["page_info"]["total_results"]
               == len(items), 50, "all jobs to be done")
    api.close()
    server.stop()
