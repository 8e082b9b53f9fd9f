"""The children that touch media: confined while they work, and nothing is lost when they die."""

import os
import signal
from pathlib import Path

import pytest

from lib.api import Api
from lib.server import Server, wait_until
from media.maker import clip


def children(pid):
    """Direct children of every thread of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(word) for word in (task / "children").read_text().split()]
        except FileNotFoundError:
            pass  # the thread has ended meanwhile
    return found


def workers(server):
    """Children that work on one file: those below the zygote."""
    return [worker for zygote in children(server.pid) for worker in children(zygote)]


@pytest.fixture
def busy(tmp_path):
    """(client, path of an indexed asset that is being indexed)."""
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("busy")
    item = api.add(index, api.upload(clip("index_60s"))["_id"])
    path = f"/indexes/{index}/indexed-assets/{item}"
    wait_until(lambda: api.get(path).json()["status"] == "indexing" and workers(server), 20,
               "a child at work")
    yield api, path
    api.close()
    server.expected_errors += ["media", "child", "zygote", "job"]
    server.stop()


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


def test_children_die_with_the_server(tmp_path):
    server = Server(tmp_path / "data").start()
    api = Api(server)
    index = api.make_index("orphans")
    item = api.add(index, api.upload(clip("index_60s"))["_id"])
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
