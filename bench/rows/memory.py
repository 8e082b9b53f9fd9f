"""Rows about memory: idle, under four large uploads, and with 2,000 idle connections."""
import contextlib
import resource
import shutil
import socket
import threading
import time

from lib import load, process
from lib.servers import KEY
from lib.table import at_most, mb

UPLOADS = 4
CONNECTIONS = 2_000
SETTLE_SEC = 1.0
SAMPLE_SEC = 0.02


def measure(bench, films):
    file = films.upload()
    bench.folder("memory")
    with bench.kinodex("memory/ours", "--idle-timeout-sec", "600") as ours:
        time.sleep(SETTLE_SEC)
        rows = [idle_row(ours)]
        rows.append(connections_row(ours))
        rows.append(uploads_row(ours, file))
    shutil.rmtree(bench.work / "memory")
    return rows


def idle_row(ours):
    pids = process.family(ours.pid)
    server = process.pss_kb(ours.pid)
    total = process.family_pss_kb(ours.pid)
    ours_text = (f"{mb(total)} PSS: server {mb(server)}, {len(pids) - 1} warm "
                 f"children {mb(total - server)}; RSS of the server {mb(process.rss_kb(ours.pid))}")
    return at_most("memory, idle, server and children", ours_text, "-", total / 1024, 40, " MB")


def connections_row(ours):
    """Each has sent a request, read its answer, and waits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, CONNECTIONS + 200)), hard))
    request = (f"GET /v1.3/assets HTTP/1.1\r\nHost: 127.0.0.1\r\nx-api-key: {KEY}\r\n\r\n").encode()
    before = process.family_pss_kb(ours.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", ours.port), 10))
            one.sendall(request)
            if not one.recv(65536).startswith(b"HTTP/1.1 200"):
                raise RuntimeError("an idle connection was refused")
        time.sleep(SETTLE_SEC)
        each = (process.family_pss_kb(ours.pid) - before) / CONNECTIONS
    return at_most(f"memory, {CONNECTIONS:,} idle connections", f"{each:.1f} KB each", "-", each,
                   64, " KB")


def uploads_row(ours, file):
    """The most above idle that was seen while four clients uploaded at once."""
    time.sleep(SETTLE_SEC)
    before = process.family_pss_kb(ours.pid)
    problems, peak = [], before

    def upload():
        try:
            load.upload_asset(ours.port, file)
        except Exception as problem:  # raised again below, in the thread that measures
            problems.append(problem)

    threads = [threading.Thread(target=upload) for _ in range(UPLOADS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, process.family_pss_kb(ours.pid))
        time.sleep(SAMPLE_SEC)
    if problems:
        raise problems[0]
    return at_most(f"memory, {UPLOADS} uploads of {file.stat().st_size / 1e6:.0f} MB at once",
                   f"+{mb(peak - before)} at most", "-", (peak - before) / 1024, 64, " MB")
