"""Rows about metadata: a million assets in one store, read, listed, filtered, changed, started."""
import contextlib
import json
import random
import shutil
import sqlite3
import statistics
import sys
import time

from lib import load, process
from lib.bench import LOAD_CORE, SERVER_CORE
from lib.servers import Fastify, Nginx
from lib.table import at_least, at_most, ms, rate

CONNECTIONS = 32
IDS = 20_000
# A quarter of the durations, and one category of ten.
RANGE = (1_000, 2_000)
FILTER = f"status=ready&duration[gte]={RANGE[0]}&duration[lte]={RANGE[1]}"
FILTER_ONE = FILTER + "&category=category-3"
READY = 3  # domain::IndexingStatus

PEER_INDEXES = """
CREATE INDEX peer_list ON indexed_assets (index_id, created_ms, id);
CREATE INDEX peer_filter ON indexed_assets (index_id, status, duration_sec);
ANALYZE;
"""


def measure(bench):
    """All rows of this file."""
    folder = bench.folder("metadata")
    database = folder / "ours" / "kinodex.db"
    database.parent.mkdir()
    start = time.monotonic()
    big = bench.seed(database, bench.rows_1m, "big", 1)
    small = bench.seed(database, 1_000, "small", 2)
    peer = folder / "peer.db"
    shutil.copyfile(database, peer)
    with contextlib.closing(sqlite3.connect(peer)) as connection:
        connection.executescript(PEER_INDEXES)
    print(f"  seeded {bench.rows_1m} rows twice in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    files = request_files(folder, database, big, small)
    rows = start_row(bench, folder)
    with bench.kinodex("metadata/ours", core=SERVER_CORE) as ours, \
            Nginx(folder / "nginx", core=SERVER_CORE) as nginx, \
            Fastify(folder / "fastify", peer, core=SERVER_CORE) as fastify:
        (nginx.www / "asset.json").write_text('{"padding":"' + "x" * (2048 - 14) + '"}')
        rows += retrieve_rows(ours, nginx, fastify, files)
        rows += list_rows(ours, fastify, files)
        rows += filter_rows(ours, fastify, files, peer, big["index_id"])
    rows.append(patch_row(bench, files, peer))
    shutil.rmtree(folder)
    return rows


def request_files(folder, database, big, small):
    """Files of requests for wrk, by name."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        step = max(1, connection.execute("SELECT max(number) FROM assets").fetchone()[0] // IDS)
        ids = {kind: [row[0].hex() for row in connection.execute(
            f"SELECT id FROM {kind} WHERE number % {step} = 0 AND number <= ?",
            (IDS * step,))] for kind in ("assets", "indexed_assets")}
    shuffle = random.Random(1).shuffle
    for each in ids.values():
        shuffle(each)
    lists = f"/v1.3/indexes/{big['index_id']}/indexed-assets"
    body = '{"user_metadata":{"category":"category-%d","batchNumber":%d,"rating":4.5}}'
    requests = {
        "retrieve": [("GET", f"/v1.3/assets/{one}") for one in ids["assets"]],
        "file": [("GET", "/asset.json")],
        "big": [("GET", lists)],
        "small": [("GET", f"/v1.3/indexes/{small['index_id']}/indexed-assets")],
        "filter": [("GET", f"{lists}?{FILTER_ONE}")],
        "filter_1000": [("GET", f"{lists}?{FILTER_ONE}&page=1000")],
        "patch": [("PATCH", f"{lists}/{one}", body % (i % 10, i))
                  for i, one in enumerate(ids["indexed_assets"])],
    }
    return {name: load.write_requests(folder / f"{name}.txt", list_)
            for name, list_ in requests.items()}


def start_row(bench, folder):
    """From the start of the process to the first 200 of /readyz."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        with bench.kinodex("metadata/ours"):
            took.append(time.perf_counter() - start)
    ours = statistics.median(took)
    return [at_most(f"start with {bench.rows_1m:,} assets and as many indexed assets", f"{ours:.2f} s", "-",
                    ours, 3, " s")]


def retrieve_rows(ours, nginx, fastify, files):
    def run(server, name, connections=CONNECTIONS):
        return lambda: load.wrk(server.port, files[name], seconds=3, connections=connections,
                                core=LOAD_CORE)
    run(ours, "retrieve")()
    got = load.in_turns(3, ours=run(ours, "retrieve"), nginx=run(nginx, "file"),
                        fastify=run(fastify, "retrieve"))
    mine, file, node = (load.median_of(got[name], "rate") for name in ("ours", "nginx", "fastify"))
    work = "retrieve an asset of 1 M, server on one core, 32 connections"
    return [at_least(work, rate(mine), f"nginx, 2 KB file: {rate(file)}", mine / file, 0.5),
            at_least(work, rate(mine), f"Fastify: {rate(node)}", mine / node, 2)]


def p50(server, file, seconds):
    return lambda: load.wrk(server.port, file, seconds=seconds, connections=1, core=LOAD_CORE)


def list_rows(ours, fastify, files):
    got = load.in_turns(3, big=p50(ours, files["big"], 2), small=p50(ours, files["small"], 2),
                        fastify=p50(fastify, files["big"], 3))
    big, small, node = (load.median_of(got[name], "p50_ms") for name in ("big", "small", "fastify"))
    work = "list newest first, exact total, 1 M in one index: p50"
    return [at_most(work, ms(big), f"same call on 1,000 rows: {ms(small)}", big / small, 2),
            at_least(work, ms(big), f"Fastify: {ms(node)}", node / big, 300)]


def bare_count_ms(peer, index_id):
    """The count of the same range from (index_id, status, duration_sec) alone."""
    with contextlib.closing(sqlite3.connect(peer)) as connection:
        connection.execute("PRAGMA mmap_size=4294967296")
        sql = ("SELECT count(*) FROM indexed_assets WHERE index_id = ? AND status = ? "
               "AND duration_sec BETWEEN ? AND ?")
        values = (bytes.fromhex(index_id), READY, *RANGE)
        plan = connection.execute("EXPLAIN QUERY PLAN " + sql, values).fetchone()[3]
        if "COVERING INDEX peer_filter" not in plan:
            raise RuntimeError(f"the peer does not use its covering index: {plan}")
        took = []
        for _ in range(15):
            start = time.perf_counter()
            connection.execute(sql, values).fetchone()
            took.append((time.perf_counter() - start) * 1e3)
    return statistics.median(took)


def filter_rows(ours, fastify, files, peer, index_id):
    got = load.in_turns(3, first=p50(ours, files["filter"], 2),
                        far=p50(ours, files["filter_1000"], 2),
                        bare=lambda: bare_count_ms(peer, index_id),
                        fastify=p50(fastify, files["filter"], 4))
    first, far, node = (load.median_of(got[n], "p50_ms") for n in ("first", "far", "fastify"))
    bare = statistics.median(got["bare"])
    work = "list by status, duration range and a metadata key, exact total, 1 M: p50"
    return [
        at_most(work, ms(first), f"SQLite, count of the range only: {ms(bare)}", first / bare, 0.25),
        at_least(work, ms(first), f"Fastify: {ms(node)}", node / first, 200),
        at_most("the same, page 1,000", ms(far), f"page 1: {ms(first)}", far / first, 3),
    ]


def patch_row(bench, files, peer):
    """Both use all cores: what bounds them is the disk's sync."""
    seconds = 4

    def bare():
        done = process.run([bench.tool("kn_bench_sqlite"), "--database", peer, "--writers",
                            CONNECTIONS, "--seconds", seconds])
        answer = json.loads(done.stdout)
        return {"rate": answer["updates"] / answer["seconds"]}

    with bench.kinodex("metadata/ours") as ours:
        got = load.in_turns(
            3, ours=lambda: load.wrk(ours.port, files["patch"], seconds=seconds,
                                     connections=CONNECTIONS), bare=bare)
    mine, alone = (load.median_of(got[name], "rate") for name in ("ours", "bare"))
    return at_least("PATCH metadata, durable, 32 clients", rate(mine),
                    f"SQLite, batched commits, 32 writers: {rate(alone)}", mine / alone, 0.5)
