"""Many idle, slow and large clients at once: the others are answered, and memory stays bounded."""

import resource
import socket
import statistics
import threading
import time

import httpx
import pytest

from lib.api import Api
from lib.server import Server, memory_kb, reset_peak_memory, wait_until
from media.maker import clip

IDLE, SLOW = 2000, 300
HEAD = "POST /v1.3/assets HTTP/1.1\r\nHost: x\r\nx-api-key: {}\r\n" \
       "Content-Type: multipart/form-data; boundary=b\r\n"


@pytest.fixture(scope="module", autouse=True)
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def latencies(api, count):
    """Seconds each of `count` ordinary requests took; each must succeed."""
    taken = []
    for _ in range(count):
        began = time.monotonic()
        assert api.get("/assets").status_code == 200
        taken.append(time.monotonic() - began)
    return taken


def test_idle_and_slow_connections_starve_nobody_and_cost_little(tmp_path):
    server = Server(tmp_path / "data", "--max-connections", "4000").start()
    api = Api(server)
    latencies(api, 50)
    before = memory_kb(server.pid)
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(IDLE)]
    for peer in idle:  # idle after a whole exchange: what keep-alive clients are
        peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    for peer in idle:
        peer.settimeout(10)
        assert peer.recv(4096).startswith(b"HTTP/1.1 200")
    each = (memory_kb(server.pid) - before) / IDLE
    print(f"{each:.1f} KB for an idle connection")
    assert each < 64, f"{each:.1f} KB for an idle connection"
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(SLOW)]
    head = HEAD.format(server.key).encode() + b"Content-Length: 1000000\r\n\r\n"
    for n, peer in enumerate(slow):  # a third each: in the head, in the body, a byte at a time
        peer.sendall(head[:40] if n % 3 == 0 else head)
    for tick in range(5):
        for peer in slow:
            peer.sendall(b"-" if tick else b"\r")
    taken = latencies(api, 200)
    print(f"beside them: median {1e3 * statistics.median(taken):.1f} ms, "
          f"longest {1e3 * max(taken):.1f} ms")
    assert statistics.median(taken) < 0.1 and max(taken) < 2
    assert api.upload(clip("h264_aac"))["status"] == "ready"
    for peer in [*idle, *slow]:
        peer.close()
    assert api.get("/assets").status_code == 200
    api.close()
    server.stop()


def test_connections_over_the_limit_do_not_stop_the_server(tmp_path):
    server = Server(tmp_path / "data", "--max-connections", "50").start()
    peers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(200)]
    for peer in peers:
        peer.close()
    api = Api(server)
    wait_until(lambda: answers(api), 10, "an answer after the crowd left")
    api.close()
    server.stop()


def answers(api):
    try:
        return api.get("/assets").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("option,sent", [
    ("--header-timeout-sec", b"GET /v1.3/assets HTTP/1.1\r\nHo"),
    ("--idle-timeout-sec", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("--body-timeout-sec", b"BODY")])
def test_silent_connections_are_closed(tmp_path, option, sent):
    server = Server(tmp_path / "data", option, "1").start()
    if sent == b"BODY":
        sent = HEAD.format(server.key).encode() + b"Content-Length: 1000\r\n\r\n--b\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as peer:
        peer.sendall(sent)
        answer, began = b"", time.monotonic()
        while chunk := peer.recv(65536):
            answer += chunk
    assert time.monotonic() - began < 14
    if option != "--idle-timeout-sec" and answer:
        assert answer.startswith(b"HTTP/1.1 408"), answer[:80]
    server.stop()


def test_slow_upload_blocks_nobody(tmp_path):
    server = Server(tmp_path / "data", "--io-threads", "1").start()
    api = Api(server)
    stop = threading.Event()
    data = clip("h264_aac").read_bytes()

    def pieces():
        yield b'--b\r\nContent-Disposition: form-data; name="method"\r\n\r\ndirect\r\n--b\r\n' \
              b'Content-Disposition: form-data; name="file"; filename="slow.mp4"\r\n\r\n'
        step = len(data) // 60
        for at in range(0, len(data), step):
            yield data[at:at + step]
            stop.wait(0.05)
        yield b"\r\n--b--\r\n"

    results = []
    threads = [threading.Thread(daemon=True, target=lambda: results.append(httpx.post(
        server.origin + "/v1.3/assets", content=pieces(), timeout=50, trust_env=False,
        headers={"x-api-key": server.key, "content-type": "multipart/form-data; boundary=b"})))
        for _ in range(12)]
    for thread in threads:
        thread.start()
    taken = latencies(api, 100)
    quick = api.upload(clip("png_128"))
    assert quick["status"] == "ready" and max(taken) < 1.5, max(taken)
    stop.set()
    for thread in threads:
        thread.join(40)
    assert [r.status_code for r in results] == [201] * 12
    api.close()
    server.stop()


def test_memory_does_not_grow_with_uploads(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    large = clip("large_190mb")
    api.upload(clip("h264_aac"))
    latencies(api, 50)
    reset_peak_memory(server.pid)
    before = memory_kb(server.pid)
    results = []
    threads = [threading.Thread(daemon=True, target=lambda: results.append(send_file(server, large)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    growth = memory_kb(server.pid, "VmHWM") - before
    assert results == [201] * 4, results
    print(f"four parallel uploads of 190 MB added {growth} KB at the peak")
    assert growth < 64 * 1024, f"four uploads of 190 MB added {growth} KB"
    assert {one["size"] for one in api.get("/assets").json()["data"]} == \
        {large.stat().st_size, clip("h264_aac").stat().st_size}
    api.close()
    server.stop()


def send_file(server, path):
    begin = (b'--b\r\nContent-Disposition: form-data; name="method"\r\n\r\ndirect\r\n--b\r\n'
             b'Content-Disposition: form-data; name="file"; filename="large.mp4"\r\n\r\n')
    end = b"\r\n--b--\r\n"
    size = len(begin) + path.stat().st_size + len(end)
    head = HEAD.format(server.key) + f"Content-Length: {size}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as peer, \
            open(path, "rb") as file:
        peer.sendall(head.encode() + begin)
        peer.sendfile(file)
        peer.sendall(end)
        return int(peer.recv(65536).split()[1])


def test_disconnect_in_the_middle_of_an_upload_leaves_nothing(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    files = {p for p in server.data_dir.rglob("*") if p.is_file()}
    for sent in (10, 100_000, 3_000_000):
        with socket.create_connection(("127.0.0.1", server.port)) as peer:
            peer.sendall((HEAD.format(server.key) + "Content-Length: 9000000\r\n\r\n").encode()
                         + b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"'
                         b"\r\n\r\n" + b"\x07" * sent)
    def clean():
        now = {p for p in server.data_dir.rglob("*") if p.is_file()}
        return not {p for p in now - files if ".db" not in p.name and ".sqlite" not in p.name}

    wait_until(clean, 15, "the drafts to go")
    assert api.asset_total() == 0
    api.close()
    server.stop()
