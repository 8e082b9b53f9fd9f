"""Rows about indexing: five minutes of 720p through the server, and how right its shots are."""
import importlib.util
import json
import resource
import shutil
import sys
import time

from lib import load, process
from lib.servers import HERE
from lib.table import at_least, seconds

POLL_SEC = 0.02  # asking oftener would count as work
LIMIT_SEC = 240
REPEATS = 2  # the peer decodes for half a minute
FILM_RATE = 25


def shot_tools():
    """bench/shots/run.py as a module: it makes the films and knows what is true of them."""
    spec = importlib.util.spec_from_file_location("shots_run", HERE / "shots" / "run.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


def measure(bench, _films):
    folder = bench.folder("indexing")
    work = folder / "shots"
    report = folder / "shots.json"
    shots = process.run([sys.executable, HERE / "shots" / "run.py", "--build", bench.build,
                         "--work", work, "--skip-speed", "--json", report], limit=400)
    print(shots.stdout, file=sys.stderr)
    f1 = json.loads(report.read_text())["f1"]
    tools = {name: str(bench.tool(f"bench/shots/shots_{name}")) for name in ("scenes", "analyze")}
    film, film_f1 = film_row(shot_tools(), tools, work)
    with bench.kinodex("indexing/ours") as ours:
        rows = speed_rows(ours, film, folder)
    worst = min((name for name in f1 if name != "all"), key=f1.get)
    rows.append(at_least("shot boundaries within two frames, generated set: F1",
                         f"{f1['all']:.3f}", f"worst kind: {worst} {f1[worst]:.3f}", f1["all"],
                         0.95, ""))
    rows.append(film_f1)
    shutil.rmtree(folder)
    return rows


def film_row(shots, tools, work):
    film, true = shots.make_speed_film(tools, work)
    found = shots.analyze(tools["analyze"], film, work)["shots"][1:]
    hits, misses, extras = shots.match([round(s["start"] * FILM_RATE) for s in found], true)
    f1 = shots.f1(hits, len(misses), len(extras))
    return film, at_least("shot boundaries of the 5 min film: F1", f"{f1:.3f}",
                          f"{len(true)} true boundaries", f1, 0.95, "")


def speed_rows(ours, film, folder):
    """Wall time from the request to `ready`, with key pictures, sound and loudness, all durable."""
    client = ours.client()
    index = client.json("POST", "/v1.3/indexes", {
        "index_name": "bench",
        "models": [{"model_name": "marengo3.0", "model_options": ["visual", "audio"]}]})["_id"]
    _, asset = load.upload_asset(ours.port, film)
    items = f"/v1.3/indexes/{index}/indexed-assets"

    def mine():
        cpu, start = process.cpu_seconds(ours.pid), time.perf_counter()
        item = client.json("POST", items, {"asset_id": asset["_id"]})["_id"]
        while (found := client.json("GET", f"{items}/{item}"))["status"] != "ready":
            if found["status"] == "failed" or time.perf_counter() - start > LIMIT_SEC:
                raise RuntimeError(f"the film was not indexed: {found}")
            time.sleep(POLL_SEC)
        result = {"wall": time.perf_counter() - start,
                  "cpu": process.cpu_seconds(ours.pid) - cpu}
        client.call("DELETE", f"{items}/{item}")
        return result

    def peer():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = process.wall_seconds(["ffmpeg", "-v", "error", "-threads", "1", "-i", film, "-map",
                                     "0:v", "-f", "null", "-"], limit=LIMIT_SEC, cwd=folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"wall": wall, "cpu": after.ru_utime + after.ru_stime
                - before.ru_utime - before.ru_stime}

    got = load.in_turns(REPEATS, ours=mine, peer=peer)
    first, second = (load.median_of(got[name], "wall") for name in ("ours", "peer"))
    first_cpu, second_cpu = (load.median_of(got[name], "cpu") for name in ("ours", "peer"))
    return [
        at_least("indexing 5 min of 720p, request to ready, wall time", seconds(first),
                 f"ffmpeg -threads 1, every frame: {seconds(second)}", second / first, 5),
        at_least("the same, processor time", seconds(first_cpu),
                 f"ffmpeg -threads 1, every frame: {seconds(second_cpu)}",
                 second_cpu / first_cpu, 5),
    ]
