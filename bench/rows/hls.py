"""Rows about a 60 min film: until it plays, its thumbnail, and its segments."""
import re
import shutil
import statistics
import time

from lib import load, process
from lib.bench import LOAD_CORE, SERVER_CORE
from lib.servers import Client, Nginx, local_path
from lib.table import at_least, at_most, seconds

UPLOADS = 3
SEGMENTS = 16  # spread over the film; they fit the default cache
CONNECTIONS = 8
POLL_SEC = 0.001
POLL_LIMIT_SEC = 60
# A film of an hour is larger than what is accepted by default.
OPTIONS = ("--max-direct-bytes", str(8 << 30))


def measure(bench, films):
    folder = bench.folder("hls")
    hour = films.hour()
    with bench.kinodex("hls/ours", *OPTIONS) as ours:
        rows, asset = playable_rows(ours, hour, folder)
        parts = segment_paths(ours, asset)
    with Nginx(folder / "nginx", core=SERVER_CORE) as nginx:
        rows += segment_rows(bench, folder, nginx, parts)
    shutil.rmtree(folder)
    return rows


def wait_for(client, asset_id, holds):
    """Polls the asset until `holds(asset)`; returns the asset."""
    deadline = time.monotonic() + POLL_LIMIT_SEC
    while not holds(asset := client.json("GET", f"/v1.3/assets/{asset_id}")):
        if asset["status"] == "failed" or time.monotonic() > deadline:
            raise RuntimeError(f"the film did not get there: {asset}")
        time.sleep(POLL_SEC)
    return asset


def fetch_start(client, manifest_url):
    """What a player fetches before it shows something: master, then of each track the playlist,
    the initialisation and the first segment."""
    master = client.call("GET", local_path(manifest_url)).decode()
    names = [l for l in master.splitlines() if l and not l.startswith("#")]
    names += re.findall(r'URI="([^"]+)"', master)
    for name in dict.fromkeys(names):
        playlist_path = joined(local_path(manifest_url), name)
        playlist = client.call("GET", playlist_path).decode()
        first = next(l for l in playlist.splitlines() if l and not l.startswith("#"))
        for part in [*re.findall(r'#EXT-X-MAP:URI="([^"]+)"', playlist), first]:
            client.call("GET", joined(playlist_path, part))


def joined(base, name):
    if name.startswith("http"):
        return local_path(name)
    return name if name.startswith("/") else base.split("?")[0].rsplit("/", 1)[0] + "/" + name


def play_once(ours, client, hour):
    """From the end of the upload, for which the server has only stored the bytes, to the first
    segments; and from the asset's readiness to its thumbnail's."""
    _, asset = load.upload_asset(ours.port, hour, enable_hls="true", enable_thumbnail="true")
    if asset["status"] != "processing":
        raise RuntimeError(f"the film was examined before its upload was answered: {asset}")
    start = time.perf_counter()
    found = wait_for(client, asset["_id"], lambda a: a.get("hls", {}).get("status") == "ready")
    ready = time.perf_counter()
    fetch_start(client, found["hls"]["manifest_url"])
    playable = time.perf_counter() - start
    wait_for(client, asset["_id"], lambda a: a["thumbnail"]["status"] == "ready")
    return found, {"playable": playable, "thumbnail": time.perf_counter() - ready}


def playable_rows(ours, hour, folder):
    client, asset = ours.client(), None
    times, thumbnails, copies, frames = [], [], [], []
    for _ in range(UPLOADS):
        if asset:
            client.call("DELETE", f"/v1.3/assets/{asset['_id']}?force=true")
        asset, took = play_once(ours, client, hour)
        times.append(took["playable"])
        thumbnails.append(took["thumbnail"])
        copies.append(copy_to_hls(hour, folder))
        frames.append(process.wall_seconds(
            ["ffmpeg", "-v", "error", "-y", "-skip_frame", "nokey", "-ss", "360", "-i", hour,
             "-frames:v", "1", "-vf", "scale=640:-2", folder / "frame.jpg"]))
    mine, copy, thumbnail, frame = (statistics.median(x) for x in
                                    (times, copies, thumbnails, frames))
    size = hour.stat().st_size
    plan = sum(p.stat().st_size for p in (ours.data_dir / "media" / "assets").rglob("*")
               if p.is_file() and asset["_id"] in str(p)) - size
    work = f"HLS of a 60 min film ({size / 1e6:.0f} MB), end of upload to first segments"
    return [
        at_most("thumbnail of a 60 min film, asset ready to thumbnail ready", seconds(thumbnail),
                f"ffmpeg, one key frame: {seconds(frame)}", thumbnail / frame, 0.4),
        at_most(work, seconds(mine), f"ffmpeg -c copy -f hls: {seconds(copy)}", mine / copy, 0.05),
        at_most("bytes on disk for that beside the film", f"{plan / 1e3:.0f} kB",
                f"a copy: {size / 1e6:.0f} MB", plan / size, 0.01),
    ], asset


def copy_to_hls(hour, folder):
    out = folder / "copied"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    took = process.wall_seconds(
        ["ffmpeg", "-v", "error", "-i", hour, "-c", "copy", "-f", "hls", "-hls_time", "6",
         "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "index.m3u8"],
        cwd=out, limit=300)
    shutil.rmtree(out)
    return took


def segment_paths(ours, asset):
    """Paths of segments of the video, spread over the film."""
    client = ours.client()
    master_path = local_path(asset["hls"]["manifest_url"])
    master = client.call("GET", master_path).decode()
    playlist_path = joined(master_path,
                           next(l for l in master.splitlines() if l and not l.startswith("#")))
    playlist = client.call("GET", playlist_path).decode()
    names = [l for l in playlist.splitlines() if l and not l.startswith("#")]
    step = max(1, len(names) // SEGMENTS)
    return [joined(playlist_path, name) for name in names[::step][:SEGMENTS]]


def segment_rows(bench, folder, nginx, parts):
    requests = load.write_requests(folder / "parts.txt", [("GET", path) for path in parts])
    files, total = [], 0
    with bench.kinodex("hls/ours", *OPTIONS, core=SERVER_CORE) as cached, \
            bench_second(bench, folder) as packaged:
        client = Client(cached.port)
        for number, path in enumerate(parts):
            data = client.call("GET", path)
            (nginx.www / f"{number}.m4s").write_bytes(data)
            files.append(("GET", f"/{number}.m4s"))
            total += len(data)
        static = load.write_requests(folder / "static.txt", files)

        def run(port, list_):
            return lambda: load.wrk(port, list_, seconds=3, connections=CONNECTIONS,
                                    core=LOAD_CORE)
        run(cached.port, requests)()
        got = load.in_turns(3, cached=run(cached.port, requests), nginx=run(nginx.port, static),
                            packaged=run(packaged.port, requests))
    hot, file, cold = (load.median_of(got[n], "bytes_rate") / 1e6
                       for n in ("cached", "nginx", "packaged"))
    peer = f"nginx, the same bytes: {file:.0f} MB/s"
    size = f"{total / len(parts) / 1e6:.1f} MB each, server on one core"
    return [
        at_least(f"HLS segments from cache, {size}", f"{hot:.0f} MB/s", peer, hot / file, 0.7),
        at_least("HLS segments packaged on request (no cache)", f"{cold:.0f} MB/s", peer,
                 cold / file, 0.3),
    ]


def bench_second(bench, folder):
    """A server without a segment cache over the same data, which two may not share: the media is
    linked, the database and the keys are copied."""
    first, second = folder / "ours", folder / "second"
    second.mkdir()
    for path in first.rglob("*"):
        to = second / path.relative_to(first)
        if path.is_dir():
            to.mkdir(parents=True, exist_ok=True)
        elif path.is_file() and path.suffix not in (".lock", ".db-shm"):
            to.parent.mkdir(parents=True, exist_ok=True)
            if "media" in path.parts:
                to.hardlink_to(path)
            else:
                shutil.copyfile(path, to)
    return bench.kinodex("hls/second", *OPTIONS, "--hls-cache-bytes", "0", core=SERVER_CORE)
