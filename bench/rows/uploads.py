"""Rows about uploads: 190 MB made durable, and a short clip until it is ready."""
import os
import shutil
import statistics
import time

from lib import load, process
from lib.servers import Nginx
from lib.table import at_least, at_most, ms

REPEATS = 5


def measure(bench, films):
    folder = bench.folder("uploads")
    file, clip = films.upload(), films.clip()
    with bench.kinodex("uploads/ours") as ours, Nginx(folder / "nginx") as nginx:
        rows = large_rows(ours, nginx, file, folder)
        rows.append(clip_row(ours, clip))
    shutil.rmtree(folder)
    return rows


def settled(action):
    """Writes of what came before are over when the action begins."""
    def measured():
        os.sync()
        return action()
    return measured


def large_rows(ours, nginx, file, folder):
    gigabytes = file.stat().st_size / 1e9
    client = ours.client()

    def mine():
        cpu = process.cpu_seconds(ours.pid)
        took, asset = load.upload_asset(ours.port, file)
        cpu = process.cpu_seconds(ours.pid) - cpu
        client.call("DELETE", f"/v1.3/assets/{asset['_id']}?force=true")
        return {"rate": gigabytes / took, "cpu": cpu / gigabytes}

    def peer():
        cpu = process.cpu_seconds(nginx.pid)
        took, status, _ = load.upload(nginx.port, "/upload", file)
        cpu = process.cpu_seconds(nginx.pid) - cpu
        kept = list(nginx.bodies.iterdir())
        if status != 204 or sum(one.stat().st_size for one in kept) < file.stat().st_size:
            raise RuntimeError(f"nginx kept {kept} and answered {status}")
        for one in kept:
            one.unlink()
        return {"rate": gigabytes / took, "cpu": cpu / gigabytes}

    def copy():
        to = folder / "copy.mp4"
        start = time.perf_counter()
        process.run(["sh", "-c", f"cp --reflink=never '{file}' '{to}' && sync '{to}'"])
        took = time.perf_counter() - start
        to.unlink()
        return {"rate": gigabytes / took}

    mine()  # the first upload of a process also warms it
    got = load.in_turns(REPEATS, ours=settled(mine), nginx=settled(peer), copy=settled(copy))
    ours_rate, nginx_rate, copy_rate = (load.median_of(got[name], "rate") * 1e3
                                        for name in ("ours", "nginx", "copy"))
    cpu, nginx_cpu = (load.median_of(got[name], "cpu") for name in ("ours", "nginx"))
    work = f"direct upload of {file.stat().st_size / 1e6:.0f} MB, durable, probed"
    text = f"{ours_rate:.0f} MB/s"
    return [
        at_least(work, text, f"nginx, body to a file, not synced: {nginx_rate:.0f} MB/s",
                 ours_rate / nginx_rate, 0.8),
        at_least(work, text, f"cp + fsync: {copy_rate:.0f} MB/s", ours_rate / copy_rate, 0.8),
        at_most("processor time of that, server and children", f"{cpu:.2f} s/GB",
                f"nginx: {nginx_cpu:.2f} s/GB", cpu, 1.0, " s/GB"),
    ]


def clip_row(ours, clip):
    def mine():
        took, asset = load.upload_asset(ours.port, clip)
        if asset["status"] != "ready":
            raise RuntimeError(f"the clip is {asset['status']}")
        return took * 1e3

    def peer():
        return process.wall_seconds(["ffprobe", "-v", "error", "-show_format", "-show_streams",
                                     "-of", "json", clip]) * 1e3

    mine()
    got = load.in_turns(11, ours=mine, ffprobe=peer)
    first, second = (statistics.median(got[name]) for name in ("ours", "ffprobe"))
    return at_most("upload to ready, 10 s clip, durable", ms(first), f"ffprobe: {ms(second)}",
                   first / second, 0.25)
