"""Processes that a measurement starts, and what the kernel knows about them."""
import os
import pathlib
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
START_LIMIT_SEC = 60
STOP_LIMIT_SEC = 15


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core, command):
    return [*(["taskset", "-c", str(core)] if core is not None else []), *map(str, command)]


def run(command, *, limit=120, core=None, **more):
    """Runs to the end; returns the completed process, and raises with its words when it fails."""
    done = subprocess.run(pinned(core, command), capture_output=True, text=True, timeout=limit,
                          check=False, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-600:]}")
    return done


def wall_seconds(command, **more):
    """Wall time of a command that must succeed."""
    start = time.perf_counter()
    run(command, **more)
    return time.perf_counter() - start


class Daemon:
    """A server process in a session of its own; its children go with it."""

    def __init__(self, command, log, core=None):
        self.log = pathlib.Path(log)
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(pinned(core, command), stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, start_new_session=True)
        self.pid = self.process.pid

    def wait_until(self, holds):
        deadline = time.monotonic() + START_LIMIT_SEC
        while not holds():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.process.args[0]} ended: {self.log.read_text()[-600:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.process.args[0]} was not ready in {START_LIMIT_SEC} s")
            time.sleep(0.002)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT_SEC)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def stat_fields(pid):
    """Fields of /proc/PID/stat from the state on, or None when the process is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def family(pid):
    """A process and all that descend from it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := stat_fields(entry)):
            parents.setdefault(int(fields[1]), []).append(int(entry))
    found, at = [pid], 0
    while at < len(found):
        found += parents.get(found[at], [])
        at += 1
    return found


def cpu_seconds(pid):
    """User and system time of a process, its children, and those of them that ended."""
    total = 0
    for each in family(pid):
        if fields := stat_fields(each):
            total += sum(int(value) for value in fields[11:15])
    return total / TICKS


def pss_kb(pid):
    """Proportional share of memory in KB; shared libraries count in part."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss of process {pid}")


def family_pss_kb(pid):
    total = 0
    for each in family(pid):
        try:
            total += pss_kb(each)
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return total


def rss_kb(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE // 1024
