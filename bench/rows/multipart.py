"""Rows about uploads in parts: 2 GB in five chunks at a time, and what the last report costs."""
import concurrent.futures
import contextlib
import http.client
import os
import shutil
import socket
import statistics
import time

from lib import load, process
from lib.servers import Nginx, local_path
from lib.table import at_least, at_most, ms

WORKERS = 5
REPORTED_AT_ONCE = 50
REPEATS = 3
SMALL_BYTES = 100_000_000


def measure(bench, films):
    folder = bench.folder("multipart")
    film = films.hour()
    small = folder / "small.bin"
    with open(film, "rb") as source, open(small, "wb") as target:
        target.write(source.read(SMALL_BYTES))
    with bench.kinodex("multipart/ours") as ours, Nginx(folder / "nginx") as nginx:
        rows = measured_rows(ours, nginx, film, small)
    shutil.rmtree(folder)
    return rows


class Putter:
    """One kept connection that sends parts of a file by sendfile."""

    def __init__(self, port, file):
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.source = open(file, "rb")
        self.port = port

    def put(self, path, offset, size):
        """The ETag of the answer."""
        head = (f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                "Content-Type: application/octet-stream\r\n"
                f"Content-Length: {size}\r\n\r\n")
        self.socket.sendall(head.encode(), socket.MSG_MORE)
        self.socket.sendfile(self.source, offset, size)
        answer = http.client.HTTPResponse(self.socket)
        answer.begin()
        body = answer.read()
        if answer.status not in (200, 204):
            raise RuntimeError(f"PUT {path}: {answer.status} {body[:300]!r}")
        return (answer.getheader("etag") or "").strip('"')

    def close(self):
        self.socket.close()
        self.source.close()


def put_all(port, file, paths, chunk):
    """Puts every chunk, WORKERS at once; returns the ETags in order."""
    size = os.path.getsize(file)
    todo = iter(list(enumerate(paths)))
    etags = [None] * len(paths)

    def work():
        with contextlib.closing(Putter(port, file)) as putter:
            for at, path in todo:  # one iterator for all: each chunk is taken once
                etags[at] = putter.put(path, at * chunk, min(chunk, size - at * chunk))

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for each in [pool.submit(work) for _ in range(WORKERS)]:
            each.result()
    return etags


def urls_of(client, session):
    base = f"/v1.3/assets/multipart-uploads/{session['upload_id']}/presigned-urls"
    urls = {}
    for start in range(1, session["total_chunks"] + 1, REPORTED_AT_ONCE):
        more = client.json("POST", base, {"start": start, "count": REPORTED_AT_ONCE})
        urls.update({each["chunk_index"]: local_path(each["url"]) for each in more["upload_urls"]})
    return [urls[index + 1] for index in range(session["total_chunks"])]


def whole_upload(ours, client, file):
    """Session, URLs, chunks, reports; the last chunk is reported alone. Returns the seconds of all,
    those of the last report, and the asset."""
    size = os.path.getsize(file)
    start = time.perf_counter()
    session = client.json("POST", "/v1.3/assets/multipart-uploads",
                          {"filename": file.name, "type": "video", "total_size": size})
    chunk = session["chunk_size"]
    etags = put_all(ours.port, file, urls_of(client, session), chunk)
    done = [{"chunk_index": at + 1, "proof": etag, "proof_type": "etag",
             "chunk_size": min(chunk, size - at * chunk)} for at, etag in enumerate(etags)]
    path = f"/v1.3/assets/multipart-uploads/{session['upload_id']}"
    for at in range(0, len(done) - 1, REPORTED_AT_ONCE):
        client.json("POST", path,
                    {"completed_chunks": done[at:min(at + REPORTED_AT_ONCE, len(done) - 1)]})
    last = time.perf_counter()
    answer = client.json("POST", path, {"completed_chunks": done[-1:]})
    end = time.perf_counter()
    if "url" not in answer:
        raise RuntimeError(f"not complete: {answer}")
    return end - start, end - last, session["asset_id"]


def wait_until_settled(client, asset):
    """The asset has been examined, so that nothing of it runs beside the next measure."""
    deadline = time.monotonic() + 60
    while client.json("GET", f"/v1.3/assets/{asset}")["status"] == "processing":
        if time.monotonic() > deadline:
            raise RuntimeError("the asset stays processing")
        time.sleep(0.05)
    client.call("DELETE", f"/v1.3/assets/{asset}?force=true")


def measured_rows(ours, nginx, film, small):
    client = ours.client()
    gigabytes = film.stat().st_size / 1e9
    chunk = 5 * 1024 * 1024
    chunks = -(-film.stat().st_size // chunk)

    def mine(file, size):
        os.sync()
        cpu = process.cpu_seconds(ours.pid)
        took, completing, asset = whole_upload(ours, client, file)
        cpu = process.cpu_seconds(ours.pid) - cpu
        wait_until_settled(client, asset)
        return {"rate": size / took, "completing": completing, "cpu": cpu / size}

    def peer():
        os.sync()
        start = time.perf_counter()
        put_all(nginx.port, film, ["/upload"] * chunks, chunk)
        took = time.perf_counter() - start
        kept = list(nginx.bodies.iterdir())
        if sum(one.stat().st_size for one in kept) < film.stat().st_size:
            raise RuntimeError(f"nginx kept {len(kept)} files, not the whole")
        for one in kept:
            one.unlink()
        return {"rate": gigabytes / took}

    mine(small, SMALL_BYTES / 1e9)  # the first upload of a process also warms it
    got = load.in_turns(REPEATS, ours=lambda: mine(film, gigabytes), nginx=peer)
    brief = [mine(small, SMALL_BYTES / 1e9) for _ in range(3 * REPEATS)]
    rate, peer_rate = (load.median_of(got[name], "rate") * 1e3 for name in ("ours", "nginx"))
    large, little = (statistics.median(one["completing"] for one in many) * 1e3
                     for many in (got["ours"], brief))
    work = f"upload of {film.stat().st_size / 1e6:.0f} MB in parts, five at once, durable"
    return [
        at_least(work, f"{rate:.0f} MB/s",
                 f"nginx, the same PUTs to files, not synced: {peer_rate:.0f} MB/s",
                 rate / peer_rate, 0.8),
        at_most("its last report, which completes it", ms(large),
                f"of {SMALL_BYTES / 1e6:.0f} MB: {ms(little)}", large / little, 2.0),
    ]
