"""Starts and stops the real `kinodex` binary and watches what it logs.

Each server has its own port (0: the kernel chooses) and its own data directory. The log is read
from standard error as JSON lines; a line of level "error" that a test did not announce fails it.
"""

import json
import os
import secrets
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_SEC = 20
STOP_LIMIT_SEC = 10


def binary() -> Path:
    return Path(os.environ.get("KINODEX_BIN", ROOT / "build" / "kinodex")).resolve()


class ServerFailed(AssertionError):
    pass


running = set()  # servers whose process has been started and not been seen to end


class Server:
    """One `kinodex serve`. `options`: further command-line words. `stop` checks exit and log."""

    def __init__(self, data_dir, *options, key=None, env=None):
        self.data_dir = Path(data_dir)
        self.options = [str(word) for word in options]
        self.key = key or "kx_" + secrets.token_hex(16)
        self.env = env or {}
        self.expected_errors = []  # words; an error line holding one of them is no failure
        self.lines = []
        self.process = None
        self.port = None
        self.wanted_port = 0  # 0: a free one; set it to come back under the same address
        self._listening = threading.Event()
        self._reader = None

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.process.pid

    def command(self):
        return [str(binary()), "serve", "--data-dir", str(self.data_dir),
                "--listen", f"127.0.0.1:{self.wanted_port}", "--api-key", self.key,
                "--log-format", "json", *self.options]

    def start(self):
        self._listening.clear()
        self.port = None
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KINODEX_")}
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env={**clean, **self.env}, start_new_session=True)
        running.add(self)
        self._reader = threading.Thread(target=self._read_log, args=(self.process,), daemon=True)
        self._reader.start()
        if not self._listening.wait(START_LIMIT_SEC) or self.port is None:
            self.kill()
            raise ServerFailed("the server did not say that it listens:\n" + self.tail())
        self._wait_until_ready()
        return self

    def _read_log(self, process):
        for raw in process.stderr:
            text = raw.decode("utf-8", "replace").rstrip("\n")
            try:
                line = json.loads(text)
            except ValueError:
                line = {"unparsed": text}
            self.lines.append(line)
            if line.get("event") == "listening":
                self.port = int(str(line["address"]).rsplit(":", 1)[1])
                self._listening.set()
        self._listening.set()  # the process ended; whoever waits must look

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_SEC
        while time.monotonic() < deadline:
            try:
                if httpx.get(self.origin + "/readyz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.kill()
        raise ServerFailed("the server did not become ready:\n" + self.tail())

    def tail(self, count=30):
        return "\n".join(json.dumps(line) for line in self.lines[-count:])

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        """Asks for a graceful stop; returns (exit code, seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_LIMIT_SEC)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed("SIGTERM did not end the server in "
                               f"{STOP_LIMIT_SEC} s:\n{self.tail()}") from None
        running.discard(self)
        self._reader.join(5)
        return code, time.monotonic() - began

    def kill(self):
        """kill -9 of the server and every child it has made."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        running.discard(self)
        if self._reader is not None:
            self._reader.join(5)

    def stop(self):
        """The end of a test: a clean exit, and no error in the log that nobody announced."""
        if self.process is None:
            return
        if not self.is_running():
            raise ServerFailed(f"the server had ended by itself, code {self.process.returncode}:\n"
                               + self.tail())
        code, _ = self.terminate()
        if code != 0:
            raise ServerFailed(f"the server ended with code {code}:\n{self.tail()}")
        self.check_log()

    def check_log(self):
        bad = [line for line in self.lines if is_error(line) and not self._expected(line)]
        if bad:
            raise ServerFailed("errors in the log:\n" + "\n".join(map(json.dumps, bad[:20])))

    def _expected(self, line):
        text = json.dumps(line)
        return any(word in text for word in self.expected_errors)

    def events(self, name):
        return [line for line in list(self.lines) if line.get("event") == name]


def is_error(line):
    return str(line.get("level", "")).lower() in ("error", "critical", "fatal")


def run_keys(data_dir, *words):
    """`kinodex keys …`; returns what it printed."""
    done = subprocess.run([str(binary()), "keys", *words, "--data-dir", str(data_dir)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"keys {words}: {done.stderr}"
    return done.stdout.strip()


def make_key(data_dir, account, name="test"):
    return run_keys(data_dir, "create", "--account", account, "--name", name, "--quiet")


def files_of(server, name):
    """What lies in the media store for an asset or an indexed asset."""
    return [path for path in (server.data_dir / "media").rglob(f"*/{name}/*") if path.is_file()]


def memory_kb(pid, field="VmRSS"):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise LookupError(field)


def reset_peak_memory(pid):
    """Makes VmHWM start anew from the present resident size."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def wait_until(condition, limit_sec, what):
    """Polls until `condition()` is true and returns its value; fails after `limit_sec`."""
    deadline = time.monotonic() + limit_sec
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit_sec} s in vain for {what}")
        time.sleep(0.05)
