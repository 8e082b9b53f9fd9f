"""Uploads in parts, step by step: what the SDK helpers do, with every step in the test's hands."""

import base64
import hashlib
import hmac
import struct
import time
from concurrent.futures import ThreadPoolExecutor

MIB = 1024 * 1024
CHUNK = 5 * MIB
PATH = "/assets/multipart-uploads"


def wave_head(total):
    """What makes any bytes behind it a WAV file of `total` bytes, 8000 a second: a file that is no
    media goes when it was examined."""
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", total - 8, b"WAVE", b"fmt ", 16, 1, 1, 8000,
                       8000, 1, 8, b"data", total - 44)


def wave(total, fill):
    """A WAV file of one value."""
    return wave_head(total) + bytes([fill]) * (total - 44)


def create(api, data, *, expect=201, **fields):
    """`data`: the file's bytes, or only how many there will be."""
    total = data if isinstance(data, int) else len(data)
    body = {"filename": "clip.mp4", "type": "video", "total_size": total, **fields}
    response = api.post(PATH, json={k: v for k, v in body.items() if v is not None})
    assert response.status_code == expect, response.text
    return response.json()


def chunks_of(data, size=CHUNK):
    """{chunk_index: bytes}"""
    return {n // size + 1: data[n:n + size] for n in range(0, len(data), size)}


def local(url):
    """Path and query of a URL."""
    return "/" + url.split("/", 3)[3]


def url_of(api, session, index):
    for each in session["upload_urls"]:
        if each["chunk_index"] == index:
            return local(each["url"])
    return local(more_urls(api, session, index, 1)["upload_urls"][0]["url"])


def more_urls(api, session, start, count):
    response = api.post(f"{PATH}/{session['upload_id']}/presigned-urls",
                        json={"start": start, "count": count})
    assert response.status_code == 200, response.text
    return response.json()


def put(api, session, index, data):
    """The raw answer. `data`: bytes, or an iterable, which goes out chunked."""
    return api.put(url_of(api, session, index), key=False, content=data,
                   headers={"content-type": "application/octet-stream"})


def put_etag(api, session, index, data):
    response = put(api, session, index, data)
    assert response.status_code == 200, response.text
    quoted = response.headers["etag"]
    assert quoted[0] == quoted[-1] == '"' and len(quoted) > 34, quoted
    return quoted.strip('"')


def proof(index, etag, size):
    return {"chunk_index": index, "proof": etag, "proof_type": "etag", "chunk_size": size}


def report(api, session, proofs):
    return api.post(f"{PATH}/{session['upload_id']}", json={"completed_chunks": proofs})


def status(api, session, **query):
    response = api.get(f"{PATH}/{session['upload_id']}", query or None)
    assert response.status_code == 200, response.text
    return response.json()


def put_all(api, session, data, workers=5):
    """All chunks in parallel; returns the proofs in order."""
    def one(item):
        index, part = item
        return proof(index, put_etag(api, session, index, part), len(part))

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, chunks_of(data, session["chunk_size"]).items()))


def upload(api, data, **fields):
    """A whole upload; returns (session, last report)."""
    session = create(api, data, **fields)
    proofs = put_all(api, session, data)
    for at in range(0, len(proofs), 50):
        response = report(api, session, proofs[at:at + 50])
        assert response.status_code == 200, response.text
    return session, response.json()


def sign(server, scope, expires):
    """The query of a URL as the server itself signs it."""
    key = (server.data_dir / "media.key").read_bytes()
    digest = hmac.new(key, f"{scope}\n{expires}".encode(), hashlib.sha256).digest()[:24]
    return f"expires={expires}&signature=" + base64.urlsafe_b64encode(digest).decode()


def in_an_hour():
    return int(time.time()) + 3600
