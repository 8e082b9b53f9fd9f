"""Rows about indexing: five minutes of 720p through the server, and how right its shots are."""
import json
import shutil
import statistics
import sys
import time

from lib import load, process
from lib.servers import HERE
from lib.table import at_least, seconds

POLL_SEC = 0.005
LIMIT_SEC = 120
REPEATS = 3


def measure(bench, _films):
    folder = bench.folder("indexing")
    report = folder / "shots.json"
    shots = process.run([sys.executable, HERE / "shots" / "run.py", "--build", bench.build,
                         "--work", folder / "shots", "--json", report], limit=500)
    print(shots.stdout, file=sys.stderr)
    figures = json.loads(report.read_text())
    film = folder / "shots" / "speed.mp4"
    with bench.kinodex("indexing/ours") as ours:
        rows = [speed_row(ours, film, folder)]
    f1 = figures["f1"]
    worst = min((name for name in f1 if name != "all"), key=f1.get)
    rows.append(at_least("shot boundaries within two frames, generated set: F1",
                         f"{f1['all']:.3f}", f"worst kind: {worst} {f1[worst]:.3f}", f1["all"],
                         0.95, ""))
    rows.append(at_least("shot boundaries of the 5 min film: F1", f"{figures['speed']['f1']:.3f}",
                         "-", figures["speed"]["f1"], 0.95, ""))
    shutil.rmtree(folder)
    return rows


def speed_row(ours, film, folder):
    """Wall time from the request to `ready`, with key pictures, sound and loudness, all durable."""
    client = ours.client()
    index = client.json("POST", "/v1.3/indexes", {
        "index_name": "bench",
        "models": [{"model_name": "marengo3.0", "model_options": ["visual", "audio"]}]})["_id"]
    _, asset = load.upload_asset(ours.port, film)
    items = f"/v1.3/indexes/{index}/indexed-assets"

    def mine():
        start = time.perf_counter()
        item = client.json("POST", items, {"asset_id": asset["_id"]})["_id"]
        while (found := client.json("GET", f"{items}/{item}"))["status"] != "ready":
            if found["status"] == "failed" or time.perf_counter() - start > LIMIT_SEC:
                raise RuntimeError(f"the film was not indexed: {found}")
            time.sleep(POLL_SEC)
        took = time.perf_counter() - start
        client.call("DELETE", f"{items}/{item}")
        return took

    def peer():
        return process.wall_seconds(["ffmpeg", "-v", "error", "-threads", "1", "-i", film, "-map",
                                     "0:v", "-f", "null", "-"], limit=LIMIT_SEC, cwd=folder)

    got = load.in_turns(REPEATS, ours=mine, peer=peer)
    first, second = (statistics.median(got[name]) for name in ("ours", "peer"))
    return at_least("indexing 5 min of 720p, request to ready", seconds(first),
                    f"ffmpeg -threads 1, every frame: {seconds(second)}", second / first, 5)
