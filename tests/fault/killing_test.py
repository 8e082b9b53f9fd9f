"""kill -9 at any moment: what was acknowledged is there after the restart, whole and unchanged.

Four writers work on one server until it is killed with all its children, again and again on the
same data. Each keeps a book of what was acknowledged; what was under way when the server died may
be there or not, but only whole. Another seed: KINODEX_TEST_SEED=7 tests/run fault -k kill_9
"""

import hashlib
import threading

import httpx
import pytest

from lib.api import Api
from lib.killing import ROUNDS, Client, kill_again_and_again, sources
from lib.server import Server, wait_until
from media.maker import clip


class Book:
    """What the server has acknowledged, and what it may or may not have done."""

    def __init__(self):
        self.lock = threading.Lock()
        self.assets = {}      # id -> (sha256 of the file, metadata)
        self.indexes = {}     # id -> set of acceptable names
        self.gone = set()     # ids of deleted things
        self.unsure = set()   # ids that a write without an answer was about


class Writer(Client):
    def __init__(self, server, seed, book, contents):
        super().__init__(server, seed)
        self.book, self.contents = book, contents

    def step(self, api):
        self.chance.choice([self.upload, self.upload, self.patch, self.add_index, self.rename,
                            self.remove])(api)

    def upload(self, api):
        data = self.chance.choice(self.contents)
        number = self.chance.randrange(1 << 60)
        made = api.upload(data, user_metadata='{"n": %d}' % number)
        with self.book.lock:
            self.book.assets[made["_id"]] = (hashlib.sha256(data).hexdigest(), {number})

    def pick(self, kind):
        with self.book.lock:
            free = [one for one in kind if one not in self.book.unsure]
            if not free:
                return None
            one = self.chance.choice(free)
            self.book.unsure.add(one)  # until the answer; and no other writer touches it
            return one

    def settle(self, one):
        with self.book.lock:
            self.book.unsure.discard(one)

    def patch(self, api):
        one = self.pick(self.book.assets)
        if one is None:
            return
        number = self.chance.randrange(1 << 60)
        with self.book.lock:
            digest, numbers = self.book.assets[one]
            self.book.assets[one] = (digest, numbers | {number})
        response = api.patch(f"/assets/{one}/user-metadata", json={"user_metadata": {"n": number}})
        assert response.status_code == 204, response.text
        with self.book.lock:
            self.book.assets[one] = (digest, {number})
        self.settle(one)

    def add_index(self, api):
        name = f"index {self.chance.randrange(1 << 60)}"
        made = api.make_index(name)
        with self.book.lock:
            self.book.indexes[made] = {name}

    def rename(self, api):
        one = self.pick(self.book.indexes)
        if one is None:
            return
        name = f"renamed {self.chance.randrange(1 << 60)}"
        with self.book.lock:
            before = self.book.indexes[one]
            self.book.indexes[one] = before | {name}
        response = api.put(f"/indexes/{one}", json={"index_name": name})
        assert response.status_code == 204, response.text
        with self.book.lock:
            self.book.indexes[one] = {name}
        self.settle(one)

    def remove(self, api):
        if len(self.book.assets) < 20:
            return
        one = self.pick(self.book.assets)
        if one is None:
            return
        response = api.delete(f"/assets/{one}")
        assert response.status_code == 204, response.text
        with self.book.lock:
            del self.book.assets[one]
            self.book.gone.add(one)


def check(server, book):
    api = Api(server)
    stored = sources(server)
    listed = everything(api, "/assets")
    for one, (digest, numbers) in book.assets.items():
        if one in book.unsure and one not in listed:
            continue  # its deletion was under way
        assert one in listed, f"acknowledged asset {one} is lost"
        assert listed[one]["status"] == "ready"
        assert listed[one]["user_metadata"]["n"] in numbers, f"metadata of {one}"
        assert stored.get(one) == digest, f"bytes of {one} differ"
    assert not book.gone & set(listed), "a deleted asset came back"
    orphans = set(stored) - set(listed)
    assert not orphans, f"files without rows after the start-up sweep: {orphans}"
    assert set(listed) <= set(stored), "rows without files"
    indexes = everything(api, "/indexes")
    for one, names in book.indexes.items():
        assert one in indexes, f"acknowledged index {one} is lost"
        assert indexes[one]["index_name"] in names
    forget_unsure(book, listed, indexes)
    api.close()


def everything(api, path):
    rows, page = {}, 1
    while data := api.get(path, {"page": page, "page_limit": 50}).json()["data"]:
        rows.update({one["_id"]: one for one in data})
        page += 1
    return rows


def forget_unsure(book, assets, indexes):
    """What was under way is now known: the next round goes on from what is there."""
    for one in list(book.unsure):
        if one in book.assets:
            if one in assets:
                book.assets[one] = (book.assets[one][0], {assets[one]["user_metadata"]["n"]})
            else:
                del book.assets[one]
        if one in book.indexes:
            book.indexes[one] = {indexes[one]["index_name"]}
    book.unsure.clear()


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    contents = [clip(name).read_bytes() for name in ("png_128", "jpeg_640", "tone_mp3",
                                                     "exact_4s", "h264_aac")]
    book, server = Book(), Server(tmp_path / "data")
    work = kill_again_and_again(
        server, lambda number: [Writer(server, f"{number}-{n}", book, contents) for n in range(4)],
        lambda: check(server, book))
    print(f"{work} acknowledged writes, {len(book.assets)} assets, {len(book.indexes)} indexes")
    assert work > 8 * ROUNDS, "too little happened for this to prove anything"
    assert book.assets and book.indexes


def test_sweep_says_what_it_removed(tmp_path):
    server = Server(tmp_path / "data").start()
    thread = threading.Thread(target=endless_upload, args=(server,), daemon=True)
    thread.start()
    wait_until(lambda: any(p.is_file() and p.stat().st_size > 1 << 20
                           for p in server.data_dir.rglob("*")), 20, "a half-written draft")
    server.kill()
    thread.join(10)
    server.lines.clear()
    server.start()
    text = str(server.lines)
    assert "sweep" in text or "removed" in text, "start-up must say what it removed"
    assert not [p for p in server.data_dir.rglob("*") if p.is_file() and p.stat().st_size > 1 << 20]
    server.stop()


def endless_upload(server):
    def body():
        yield (b'--b\r\nContent-Disposition: form-data; name="method"\r\n\r\ndirect\r\n--b\r\n'
               b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n')
        for _ in range(150):
            yield b"\x5a" * (1 << 20)
            threading.Event().wait(0.05)

    try:
        httpx.post(server.origin + "/v1.3/assets", content=body(), timeout=30, trust_env=False,
                   headers={"x-api-key": server.key,
                            "content-type": "multipart/form-data; boundary=b"})
    except httpx.TransportError:
        pass  # killed, as planned


@pytest.mark.parametrize("wait_for", ["pending", "indexing"])
def test_killed_while_indexing_ends_ready(tmp_path, wait_for):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("interrupted")
    asset = api.upload(clip("index_60s"))["_id"]
    item = api.add(index, asset, enable_video_stream=True)
    path = f"/indexes/{index}/indexed-assets/{item}"
    order = ["pending", "queued", "indexing", "ready"]
    wait_until(lambda: order.index(api.get(path).json()["status"]) >= order.index(wait_for), 30,
               wait_for)
    api.close()
    server.kill()
    server.start()
    api = Api(server)
    body = wait_until(lambda: (b := api.get(path).json())["status"] in ("ready", "failed") and b,
                      50, "the job to be resumed")
    assert body["status"] == "ready"
    assert api.get("/indexes/" + index).json()["video_count"] == 1
    api.close()
    server.stop()


def test_killed_while_transcoding_ends_ready(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    made = api.upload(clip("prores_pcm"), enable_hls="true")["_id"]
    api.close()
    server.kill()
    server.start()
    api = Api(server)
    wait_until(lambda: api.get("/assets/" + made).json()["hls"]["status"] == "ready", 50, "HLS")
    api.close()
    server.stop()
