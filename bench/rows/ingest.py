"""Rows about whole libraries: small pictures through `kinodex ingest`, and an export."""
import json
import os
import shutil
import time

from lib import load, process
from lib.servers import KEY
from lib.table import at_least, rate

PICTURES = 10_000
PARALLEL = 8  # what `kinodex ingest` does unless told otherwise
REPEATS = 3


def measure(bench, films):
    folder = bench.folder("ingest")
    pictures = make_pictures(folder / "pictures")
    rows = [*ingest_rows(bench, folder, pictures), *export_rows(bench, films, folder, pictures)]
    shutil.rmtree(folder)
    return rows


def make_pictures(folder):
    """JPEGs of 320 x 240, about 9 KB each, no two alike."""
    folder.mkdir()
    process.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25",
                 "-frames:v", str(PICTURES), "-q:v", "6", folder / "%05d.jpg"])
    return folder


def ingest(bench, server, folder):
    """Wall seconds of the whole command."""
    return process.wall_seconds(
        [bench.binary, "ingest", folder, "--server", f"http://127.0.0.1:{server.port}/v1.3",
         "--api-key", KEY, "--parallel", PARALLEL], limit=300)


def ingest_rows(bench, folder, pictures):
    turns = iter(range(100))  # every turn has new folders: deleting the old would be measured too

    def mine():
        os.sync()
        with bench.kinodex(f"ingest/ours{next(turns)}") as ours:
            took = ingest(bench, ours, pictures)
            made = ours.client().json("GET", "/v1.3/assets?page_limit=50")
            if (made["page_info"]["total_results"] != PICTURES
                    or any(each["status"] != "ready" for each in made["data"])):
                raise RuntimeError(f"not all are there and ready: {made}")
        return {"rate": PICTURES / took}

    def peer():
        os.sync()
        done = process.run([bench.tool("kn_bench_files"), "--source", pictures, "--target",
                            folder / f"peer{next(turns)}", "--batch", PARALLEL])
        return {"rate": PICTURES / json.loads(done.stdout)["seconds"]}

    got = load.in_turns(REPEATS, ours=mine, peer=peer)
    ours_rate, peer_rate = (load.median_of(got[name], "rate") for name in ("ours", "peer"))
    return [
        at_least(f"{PICTURES:,} pictures of 9 KB through `kinodex ingest`, durable, ready",
                 rate(ours_rate),
                 f"loop of write + fsync, one SQLite commit for {PARALLEL}: {rate(peer_rate)}",
                 ours_rate / peer_rate, 0.5),
    ]


def export_rows(bench, films, folder, pictures):
    """A library of one film of 1 GB and some of the pictures."""
    library = folder / "library"
    library.mkdir()
    os.link(films.gigabyte(), library / "film.mp4")
    for each in sorted(pictures.iterdir())[:PICTURES // 5]:
        os.link(each, library / each.name)
    turns = iter(range(100))
    with bench.kinodex("ingest/exported") as ours:
        ingest(bench, ours, library)
        client = ours.client()
        films_path = "/v1.3/assets?asset_types=video"
        while client.json("GET", films_path)["data"][0]["status"] == "processing":
            time.sleep(0.05)
        data_dir = ours.data_dir
    megabytes = sum(each.stat().st_size for each in (data_dir / "media").rglob("*")
                    if each.is_file()) / 1e6

    def mine():
        os.sync()
        took = process.wall_seconds([bench.binary, "export", folder / f"export{next(turns)}",
                                     "--data-dir", data_dir], limit=300)
        return {"rate": megabytes / took}

    def peer():
        os.sync()
        took = process.wall_seconds(["cp", "-r", data_dir / "media",
                                     folder / f"copy{next(turns)}"], limit=300)
        return {"rate": megabytes / took}

    got = load.in_turns(REPEATS, ours=mine, cp=peer)
    ours_rate, cp_rate = (load.median_of(got[name], "rate") for name in ("ours", "cp"))
    return [
        at_least(f"export of a library of {megabytes:.0f} MB in {PICTURES // 5 + 1:,} assets, with "
                 "checksums", f"{ours_rate:.0f} MB/s", f"cp -r of its files: {cp_rate:.0f} MB/s",
                 ours_rate / cp_rate, 0.7),
    ]
