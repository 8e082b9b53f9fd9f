"""The children that touch media: confined while they work, and nothing is lost when they die."""

import os
import signal
import struct
import threading
import time
from pathlib import Path

import pytest

from lib.api import Api, refused
from lib.children import children, upload_alone, workers
from lib.multipart import Part
from lib.server import Server, memory_kb, wait_until
from media.maker import clip


@pytest.fixture
def busy(tmp_path):
    """(client, path of an indexed asset that is being indexed)."""
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("busy")
    item = api.add(index, upload_alone(api, "index_60s"))
    path = f"/indexes/{index}/indexed-assets/{item}"
    wait_until(lambda: api.get(path).json()["status"] == "indexing" and workers(server), 20,
               "a child at work")
    yield api, path
    api.close()
    server.expected_errors += ["media", "child", "zygote", "job"]
    server.stop()


@pytest.fixture
def serving(tmp_path):
    """Starts a server with options; returns a client of it."""
    apis = []

    def start(*options):
        api = Api(Server(tmp_path / f"data{len(apis)}", *options).start())
        apis.append(api)
        return api

    yield start
    for api in apis:
        api.close()
        api.server.stop()


def greedy_mp4(samples):
    """A small file that says it has so many samples of one byte in one chunk. FFmpeg makes an entry
    for each: 24 MB and some 20 ms a million. In the end there is nothing to decode."""
    data = bytearray(clip("h264_silent").read_bytes())
    for box, offset, numbers in ((b"stsz", 8, (1, samples)), (b"stts", 12, (samples, 1)),
                                 (b"stsc", 16, (samples,))):
        at = data.index(box) + offset
        data[at:at + 4 * len(numbers)] = struct.pack(f">{len(numbers)}I", *numbers)
    return bytes(data)


def send(api, data):
    return api.post_form([Part("method", "direct"), Part("file", data, filename="a.mp4")])


class Sending(threading.Thread):
    """An upload that goes on while the test looks at the child that examines it."""

    def __init__(self, api, data):
        super().__init__(daemon=True)
        self.api, self.data, self.response, self.seconds = Api(api.server), data, None, None
        self.start()

    def run(self):
        began = time.monotonic()
        self.response = send(self.api, self.data)
        self.seconds = time.monotonic() - began

    def answer(self, limit_sec):
        self.join(limit_sec)
        assert not self.is_alive(), f"no answer within {limit_sec} s"
        self.api.close()
        return self.response


def stop_next_child(server):
    """SIGSTOP for the first child that appears: it hangs, whatever it was about to do."""
    zygote = wait_until(lambda: children(server.pid), 10, "the zygote")[0]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for child in children(zygote):
            os.kill(child, signal.SIGSTOP)
            return child
    raise AssertionError("no child was seen")


def told_of_failure(server, reason):
    return [line for line in server.events("media_child_failed") if reason in line["detail"]]


def finished(api, path):
    body = api.get(path).json()
    return body["status"] in ("ready", "failed") and body


def test_working_child_is_confined(busy):
    api, _ = busy
    worker = wait_until(lambda: workers(api.server), 10, "a child at work")[0]
    status = Path(f"/proc/{worker}/status").read_text()
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    assert fields["Seccomp"].strip() == "2", "a system call filter"
    assert fields["NoNewPrivs"].strip() == "1"
    assert int(fields["CapEff"], 16) == 0
    limits = Path(f"/proc/{worker}/limits").read_text()
    for name in ("Max cpu time", "Max address space", "Max file size"):
        soft = next(line for line in limits.splitlines() if line.startswith(name))
        assert "unlimited" not in soft.removeprefix(name).split()[0], soft
    assert os.readlink(f"/proc/{worker}/ns/net") != os.readlink("/proc/self/ns/net"), "no network"
    opened = [os.readlink(entry) for entry in Path(f"/proc/{worker}/fd").iterdir()]
    assert not [name for name in opened if ".db" in name or "sqlite" in name], opened


def test_killed_child_fails_at_most_its_own_work(busy):
    api, path = busy
    os.kill(wait_until(lambda: workers(api.server), 10, "a child")[0], signal.SIGKILL)
    assert api.upload(clip("h264_aac"))["status"] == "ready"
    body = wait_until(lambda: finished(api, path), 55, "the indexing that lost its child")
    if body["status"] == "failed":
        assert body["error"]["message"]
    assert api.server.is_running()


def test_killed_zygote_is_replaced(busy):
    api, path = busy
    for zygote in children(api.server.pid):
        os.kill(zygote, signal.SIGKILL)
    wait_until(lambda: api.upload(clip("h264_aac"), expect=None).status_code == 201, 20,
               "uploads to work again")
    assert wait_until(lambda: finished(api, path), 55, "the indexing that lost its child")
    assert api.server.is_running()


@pytest.mark.parametrize("ingest", ["sync", "async"])
def test_hung_child_costs_its_own_upload_only(serving, ingest):
    api = serving("--media-timeout-sec", "3", "--ingest", ingest)
    before = api.asset_total()
    sending = Sending(api, greedy_mp4(5_000_000))
    child = stop_next_child(api.server)
    assert api.get("/readyz", key=False).status_code == 200
    other = api.upload(clip("h264_aac"))["_id"]
    wait_until(lambda: api.get("/assets/" + other).json()["status"] == "ready", 10,
               "another upload while one hangs")
    assert alive(child), "it must still hang for this to mean anything"
    answer = sending.answer(15)
    if ingest == "sync":
        body = refused(answer, 400, "parameter_invalid")
        assert "Unable to process the uploaded file" in body["message"], "not what the file earns"
        assert 3 <= sending.seconds < 10
        assert api.asset_total() == before + 1, "the refused upload leaves nothing"
    else:
        path = "/assets/" + answer.json()["_id"]
        wait_until(lambda: api.get(path).json()["status"] == "failed", 15, "the asset to fail")
    assert not alive(child)
    wait_until(lambda: told_of_failure(api.server, "timed out after 3000 ms"), 10, "the reason in the log")
    again = api.upload(clip("h264_aac"))["_id"]
    wait_until(lambda: api.get("/assets/" + again).json()["status"] == "ready", 10, "the next one")


def test_hung_indexing_fails_when_nothing_moves_any_more(serving):
    api = serving("--media-stall-sec", "2")
    index = api.make_index("stalled")
    asset = upload_alone(api, "index_60s")
    item = api.add(index, asset)
    child = stop_next_child(api.server)
    path = f"/indexes/{index}/indexed-assets/{item}"
    body = wait_until(lambda: finished(api, path), 20, "the hung indexing to end")
    assert body["status"] == "failed" and body["error"]["message"]
    assert not alive(child)
    wait_until(lambda: told_of_failure(api.server, "no progress for 2000 ms"), 10, "the reason in the log")
    second = f"/indexes/{index}/indexed-assets/{api.add(index, asset)}"
    assert wait_until(lambda: finished(api, second), 55, "the next one")["status"] == "ready"


def peak_of_children(api, data):
    """Most memory (kB) that any child had during one upload, and the upload's answer."""
    zygote = wait_until(lambda: children(api.server.pid), 10, "the zygote")[0]
    sending, peak = Sending(api, data), 0
    while sending.is_alive():
        for child in children(zygote):
            try:
                peak = max(peak, memory_kb(child, "VmHWM"))
            except (LookupError, FileNotFoundError, ProcessLookupError):
                pass  # it has ended meanwhile
    return peak, sending.answer(1)


def test_child_that_eats_memory_is_bounded_and_refused(serving):
    greedy = greedy_mp4(20_000_000)
    free, limited = serving(), serving("--media-memory-bytes", str(128 << 20))
    eaten, _ = peak_of_children(free, greedy)
    assert eaten > 400_000, "the file is meant to eat memory"
    before = memory_kb(limited.server.pid)
    eaten, answer = peak_of_children(limited, greedy)
    refused(answer, 400, "video_file_broken")
    assert eaten < 200_000
    assert memory_kb(limited.server.pid) - before < 20_000, "the server does not pay for it"
    assert limited.upload(clip("h264_aac"))["status"] == "ready"
    assert limited.asset_total() == 1


def test_many_greedy_files_at_once_leave_others_alone(serving):
    api = serving("--media-memory-bytes", str(128 << 20))
    sendings = [Sending(api, greedy_mp4(20_000_000)) for _ in range(8)]
    assert api.upload(clip("h264_aac"))["status"] == "ready"
    for sending in sendings:
        refused(sending.answer(30), 400, "video_file_broken")
    assert api.upload(clip("h264_silent"))["status"] == "ready"


def test_children_die_with_the_server(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("orphans")
    item = api.add(index, upload_alone(api, "index_60s"))
    path = f"/indexes/{index}/indexed-assets/{item}"
    wait_until(lambda: api.get(path).json()["status"] == "indexing" and workers(server), 20,
               "a child at work")
    family = [*children(server.pid), *workers(server)]
    api.close()
    os.kill(server.pid, signal.SIGKILL)  # only the server itself
    server.process.wait()
    wait_until(lambda: not [pid for pid in family if alive(pid)], 15, "its children to end")
    server.kill()


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
