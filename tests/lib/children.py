"""The processes below a server: the zygote, and the children that touch media."""

import os
import signal
from pathlib import Path

from lib.server import wait_until
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
    """Children that work on one file, or rest after one: those below the zygote."""
    return [worker for zygote in children(server.pid) for worker in children(zygote)]


def upload_alone(api, name):
    """The asset of an upload, when the child that probed it rests no more."""
    asset = api.upload(clip(name))["_id"]
    wait_until(lambda: api.get(f"/assets/{asset}").json()["status"] == "ready", 30, "the film")
    wait_until(lambda: not workers(api.server), 20, "the child that probed to end")
    return asset


def hold_worker(api):
    """Holds up the only worker of a server (`--worker-threads 1`): what is uploaded from now on has
    to wait. Returns what lets it go on."""
    film = upload_alone(api, "index_60s")
    index = api.make_index("holding")
    item = f"/indexes/{index}/indexed-assets/{api.add(index, film)}"
    child = wait_until(lambda: workers(api.server), 20, "a child at work")[0]
    os.kill(child, signal.SIGSTOP)
    assert api.get(item).json()["status"] == "indexing", "it was stopped too late"
    return lambda: os.kill(child, signal.SIGCONT)
