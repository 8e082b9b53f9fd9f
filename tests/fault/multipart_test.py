"""Uploads in parts under kill -9 and on a full disk: what was acknowledged is there, a report names
only bytes that are in place, and every session goes on where it was.

Another seed: KINODEX_TEST_SEED=7 tests/run fault -k multipart
"""

import hashlib
import threading

import httpx
import pytest

from lib import parts
from lib.api import Api
from lib.killing import ROUNDS, Client, kill_again_and_again, sources
from lib.parts import CHUNK, MIB
from lib.server import Server, wait_until
from media.maker import clip
from fault.full_disk_test import fill_the_rest, is_full, small_disk  # noqa: F401  a fixture


class Chunk:
    """What the client knows of one chunk."""

    def __init__(self, size):
        self.size = size
        self.acked = None       # the content of the last answered PUT
        self.unsure = []        # contents of PUTs whose answer never came, since then
        self.reported = None    # the content that was reported
        self.reporting = None   # a report without an answer, yet

    def possible(self):
        return [self.acked] * (self.acked is not None) + self.unsure


class Session:
    """One upload, worked on by one thread at a time, over as many lives of the server as needed."""

    def __init__(self, api, chance):
        sizes = chance.choice([[chance.randrange(40_000, 90_000)]] * 3
                              + [[CHUNK, chance.randrange(1, 60_000)]])
        self.made = parts.create(api, sum(sizes))
        self.head = parts.wave_head(sum(sizes))
        self.chunks = [Chunk(size) for size in sizes]

    def content(self):
        return b"".join(chunk.reported for chunk in self.chunks)


def new_content(chance, size, head):
    size -= len(head)
    return head + chance.randbytes(64) * (size // 64) + chance.randbytes(size % 64)


def etag_of(content):
    return hashlib.sha256(content).hexdigest()


class Uploader(Client):
    def __init__(self, server, seed, sessions, finished):
        super().__init__(server, seed)
        self.sessions = sessions  # only this thread's
        self.finished = finished  # of all: {asset id: sha256}

    def step(self, api):
        if len(self.sessions) < 3:
            self.sessions.append(Session(api, self.chance))
        session = self.chance.choice(self.sessions)
        index = self.chance.randrange(len(session.chunks))
        chunk = session.chunks[index]
        if chunk.reported is None:
            step = self.chance.choice([self.put, self.put, self.report])
            if chunk.reporting is not None:
                step = self.report  # whether that one counted must be known first
            step(api, session, index + 1, chunk)
        self.finish_when_done(api, session)

    def put(self, api, session, index, chunk):
        content = new_content(self.chance, chunk.size, session.head if index == 1 else b"")
        if chunk.possible() and self.chance.random() < 0.3:
            content = self.chance.choice(chunk.possible())  # the same again
        url = parts.url_of(api, session.made, index)
        chunk.unsure.append(content)
        response = api.put(url, key=False, content=content)
        assert response.status_code == 200, response.text
        assert response.headers["etag"].strip('"') == etag_of(content)
        chunk.acked, chunk.unsure = content, []

    def report(self, api, session, index, chunk):
        """Names the content of the last answer, or what may be there of a PUT that got none; first
        of all what a report without an answer has named."""
        unanswered = chunk.reporting
        for content in [unanswered] * (unanswered is not None) + chunk.possible():
            chunk.reporting = content
            response = parts.report(api, session.made,
                                    [parts.proof(index, etag_of(content), chunk.size)])
            if response.status_code == 200:
                is_new = response.json()["processed_chunks"] == 1
                assert is_new or content is unanswered, "reported, but not by this client"
                chunk.reported = content
                return
            code = response.json()["code"]
            assert code in ("chunk_not_uploaded", "chunk_proof_invalid"), response.text
            assert chunk.unsure, f"an acknowledged chunk was refused: {response.text}"
            chunk.reporting = None

    def finish_when_done(self, api, session):
        if any(chunk.reported is None for chunk in session.chunks):
            return
        last = parts.report(api, session.made, [
            parts.proof(1, etag_of(session.chunks[0].reported), session.chunks[0].size)]).json()
        assert last["url"], last
        got = httpx.get(last["url"], timeout=20, trust_env=False)
        assert got.status_code == 200 and got.content == session.content(), "other bytes"
        self.finished[session.made["asset_id"]] = etag_of(got.content)
        self.sessions.remove(session)


def test_kill_9_during_uploads_in_parts_keeps_what_was_acknowledged(tmp_path):
    server = Server(tmp_path / "data")
    sessions, finished = [[] for _ in range(4)], {}

    def uploaders(number):
        return [Uploader(server, f"{number}-{n}", own, finished) for n, own in enumerate(sessions)]

    def check():
        stored = sources(server)
        for asset, digest in finished.items():
            assert stored.get(asset) == digest, f"bytes of {asset} differ"

    work = kill_again_and_again(server, uploaders, check)
    print(f"{work} steps, {len(finished)} uploads")
    assert len(finished) > ROUNDS, "too little happened for this to prove anything"


def test_kill_9_right_after_the_last_report_leaves_an_asset_that_gets_ready(tmp_path):
    server = Server(tmp_path / "data").start()
    data = clip("h264_aac").read_bytes()
    made = []
    for _ in range(5):
        api = Api(server)
        made.append(parts.upload(api, data)[0]["asset_id"])
        api.close()
        server.kill()
        server.start()
    api = Api(server)
    for asset in made:
        wait_until(lambda one=asset: api.get("/assets/" + one).json()["status"] == "ready", 60,
                   "the asset")
    assert set(sources(server).values()) == {hashlib.sha256(data).hexdigest()}
    assert not list(server.data_dir.rglob("*.parts"))
    api.close()
    server.stop()


def test_files_of_dead_sessions_are_swept_and_those_of_live_ones_stay(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    live = parts.create(api, 10)
    etag = parts.put_etag(api, live, 1, b"0123456789")
    api.close()
    server.kill()
    # As a kill between making the file and the session's row leaves it.
    orphan = server.data_dir / "media/assets/4c/0123456789abcdef0123454c"
    orphan.mkdir(parents=True)
    (orphan / ".source.parts").write_bytes(b"x")
    server.start()
    wait_until(lambda: not orphan.exists(), 20, "the sweep")
    api = Api(server)
    assert parts.report(api, live, [parts.proof(1, etag, 10)]).status_code == 200
    api.close()
    server.stop()


def test_full_disk_refuses_a_chunk_and_the_session_goes_on(small_disk):  # noqa: F811
    server = Server(small_disk / "data")
    server.expected_errors += ["storage_full", "No space", "full", "SQLITE_FULL"]
    server.start()
    api = Api(server)
    data = clip("h264_aac").read_bytes()
    data += bytes(range(256)) * ((2 * CHUNK + MIB - len(data)) // 256)
    pieces = parts.chunks_of(data)
    session = parts.create(api, data)
    announced = parts.create(api, 1024 * MIB)  # takes no space before its chunks come
    first = parts.put_etag(api, session, 1, pieces[1])
    fill_the_rest(small_disk)
    for _ in range(3):
        assert is_full(parts.put(api, session, 2, pieces[2]))
        assert is_full(parts.put(api, announced, 1, b"\0" * CHUNK))
    assert parts.status(api, session)["chunks_pending"] == 3
    (small_disk / "ballast").unlink()
    wait_until(lambda: parts.put(api, session, 2, pieces[2]).status_code == 200, 20, "space")
    api.close()
    server.kill()
    server.start()
    api = Api(server)
    third = parts.put_etag(api, session, 3, pieces[3])
    proofs = [parts.proof(1, first, CHUNK), parts.proof(2, etag_of(pieces[2]), CHUNK),
              parts.proof(3, third, len(pieces[3]))]
    last = parts.report(api, session, proofs).json()
    assert httpx.get(last["url"], trust_env=False).content == data
    wait_until(lambda: api.get("/assets/" + session["asset_id"]).json()["status"] == "ready", 30,
               "the asset")
    api.close()
    server.stop()


@pytest.mark.parametrize("sent", [1, CHUNK // 2, CHUNK - 1])
def test_put_cut_by_a_kill_leaves_the_acknowledged_bytes(tmp_path, sent):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    session, data = parts.create(api, CHUNK), parts.wave(CHUNK, 1)
    etag = parts.put_etag(api, session, 1, data)
    url = parts.url_of(api, session, 1)
    under_way, go = threading.Event(), threading.Event()

    def body():
        yield b"\xee" * sent
        under_way.set()
        go.wait(20)
        yield b"\xee"

    def put():
        try:
            httpx.put(server.origin + url, content=body(), trust_env=False, timeout=20)
        except httpx.TransportError:
            pass  # killed, as planned

    thread = threading.Thread(target=put, daemon=True)
    thread.start()
    assert under_way.wait(20)
    api.close()
    server.kill()
    go.set()
    thread.join(20)
    server.start()
    api = Api(server)
    last = parts.report(api, session, [parts.proof(1, etag, CHUNK)]).json()
    assert httpx.get(last["url"], trust_env=False).content == data
    api.close()
    server.stop()
