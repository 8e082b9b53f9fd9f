"""Load: wrk for requests, a bare socket for uploads."""
import contextlib
import http.client
import json
import os
import pathlib
import socket
import statistics
import time

from lib import process
from lib.servers import KEY

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "wrk" / "requests.lua"
BOUNDARY = "kinodexBenchBoundary1f0c2b"


def write_requests(path, requests):
    """`requests`: (method, path) or (method, path, body), sent in turn."""
    pathlib.Path(path).write_text("".join("\t".join(one) + "\n" for one in requests))
    return path


def wrk(port, requests, *, seconds, connections, core=None):
    """Sends the requests in turn for some seconds. Returns a dict: rate (answers a second), bytes_rate,
    p50_ms, p99_ms. Raises when an answer was not 2xx or 3xx."""
    done = process.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", SCRIPT,
         f"http://127.0.0.1:{port}", "--", requests, KEY], limit=seconds + 60, core=core)
    line = next(l for l in done.stdout.splitlines() if l.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["bad"] or not result["requests"]:
        raise RuntimeError(f"{result['bad']} of {result['requests']} answers were bad: {requests}")
    took = result["us"] / 1e6
    return {"rate": result["requests"] / took, "bytes_rate": result["bytes"] / took,
            "p50_ms": result["p50_us"] / 1e3, "p99_ms": result["p99_us"] / 1e3}


def in_turns(repeats, **measures):
    """Runs the measures one after the other, `repeats` times; returns the lists of results. What
    else happens on the machine then falls on all of them alike."""
    results = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            results[name].append(measure())
    return results


def median_of(results, key):
    return statistics.median(one[key] for one in results)


def create_asset(port, fields):
    """POST /assets without a file; returns the asset."""
    parts = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                    f"{value}\r\n" for name, value in fields) + f"--{BOUNDARY}--\r\n"
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=300)) as client:
        client.request("POST", "/v1.3/assets", parts, {
            "x-api-key": KEY, "content-type": f"multipart/form-data; boundary={BOUNDARY}"})
        answer = client.getresponse()
        body = answer.read()
    if answer.status != 201:
        raise RuntimeError(f"asset of {fields}: {answer.status} {body[:300]!r}")
    return json.loads(body)


def upload(port, path, file, fields=(), limit=300):
    """POST of a form with one file, sent by sendfile. Returns (seconds, status, body)."""
    parts = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
                    f"{value}\r\n" for name, value in fields)
    parts += (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
              f'filename="{pathlib.Path(file).name}"\r\n'
              "Content-Type: application/octet-stream\r\n\r\n")
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    size = os.path.getsize(file)
    head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-api-key: {KEY}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
            f"Content-Length: {len(parts) + size + len(tail)}\r\nConnection: close\r\n\r\n")
    start = time.perf_counter()
    with contextlib.closing(socket.create_connection(("127.0.0.1", port), limit)) as connection, \
            open(file, "rb") as source:
        connection.sendall((head + parts).encode())
        connection.sendfile(source)
        connection.sendall(tail)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()
    return time.perf_counter() - start, answer.status, body


def upload_asset(port, file, **wishes):
    """A direct upload to our server; returns (seconds, asset)."""
    fields = [("method", "direct"), *wishes.items()]
    took, status, body = upload(port, "/v1.3/assets", file, fields)
    if status != 201:
        raise RuntimeError(f"upload of {file}: {status} {body[:300]!r}")
    return took, json.loads(body)
