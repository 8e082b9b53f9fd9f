"""Rows about assets from URLs: 1 GB fetched from a local nginx and made durable."""
import os
import shutil
import time

from lib import load, process
from lib.servers import Nginx
from lib.table import at_least

REPEATS = 5
POLL_SEC = 0.005


def measure(bench, films):
    folder = bench.folder("url")
    file = films.gigabyte()
    with Nginx(folder / "nginx") as nginx:
        os.link(file, nginx.www / "film.mp4")
        allowed = f"127.0.0.1:{nginx.port}"
        with bench.kinodex("url/ours", "--allow-url-hosts", allowed) as ours:
            rows = large_rows(ours, f"http://{allowed}/film.mp4", file, folder)
    shutil.rmtree(folder)
    return rows


def large_rows(ours, url, file, folder):
    megabytes = file.stat().st_size / 1e6
    client = ours.client()
    fields = [("method", "url"), ("url", url)]

    def mine():
        os.sync()
        start = time.perf_counter()
        asset = load.create_asset(ours.port, fields)
        path = f"/v1.3/assets/{asset['_id']}"
        # Until it is ready: fetched, synced, probed and in the database.
        while (now := client.json("GET", path))["status"] == "processing":
            time.sleep(POLL_SEC)
        took = time.perf_counter() - start
        if now["status"] != "ready" or now["size"] != file.stat().st_size:
            raise RuntimeError(f"the asset is {now}")
        client.call("DELETE", path)
        return {"rate": megabytes / took}

    def peer():
        to = folder / "copy.mp4"
        os.sync()
        took = process.wall_seconds(["sh", "-c", f"curl -s -o '{to}' '{url}' && sync '{to}'"])
        if to.stat().st_size != file.stat().st_size:
            raise RuntimeError("curl did not bring all of it")
        to.unlink()
        return {"rate": megabytes / took}

    mine()  # the first fetch of a process also warms it
    got = load.in_turns(REPEATS, ours=mine, curl=peer)
    ours_rate, curl_rate = (load.median_of(got[name], "rate") for name in ("ours", "curl"))
    return [
        at_least(f"URL asset of {megabytes / 1e3:.1f} GB from a local nginx, durable, ready",
                 f"{ours_rate:.0f} MB/s", f"curl -o + fsync: {curl_rate:.0f} MB/s",
                 ours_rate / curl_rate, 0.8),
    ]
