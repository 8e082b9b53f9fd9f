"""Webhooks: signed, told once indexing ended, tried again, never in the way, guarded addresses."""

import re
import socket
import subprocess
import threading

import pytest
from lib.api import Api
from lib.receiver import Receiver
from lib.server import binary, make_key, wait_until
from media.maker import clip

SECRET = "a-secret-of-some-length"
ALLOW = ("--allow-webhook-hosts", "127.0.0.1")


@pytest.fixture
def receiver():
    made = []

    def make(*answers, gate=None):
        made.append(Receiver(SECRET, answers, gate))
        return made[-1]

    yield make
    for one in made:
        one.close()


def webhooks(*words, data_dir=None, env=None):
    more = [] if data_dir is None else ["--data-dir", str(data_dir)]
    return subprocess.run([str(binary()), "webhooks", *words, *more], capture_output=True,
                          text=True, timeout=60, env=env)


def listed(server, *words):
    done = webhooks("list", *words, data_dir=server.data_dir)
    assert done.returncode == 0, done.stderr
    return [re.split(r"\s{2,}", line.strip()) for line in done.stdout.splitlines()[1:]]


def index_clip(api, index, asset=None):
    return api.add(index, asset or api.upload(clip("exact_4s"))["_id"])


def status_of(api, index, item):
    return api.get(f"/indexes/{index}/indexed-assets/{item}").json()["status"]


def test_ready_is_told_with_all_that_the_reference_names(start_server, receiver):
    hook = receiver()
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index = api.make_index("films")
    item = index_clip(api, index)
    wait_until(lambda: hook.events, 30, "the event")
    event = hook.events[0]
    assert re.match(r"^whe_[0-9a-f]{32}$", event["id"])
    assert event["type"] == "index.task.ready"
    assert re.match(r"^20\d\d-\d\d-\d\dT.*Z$", event["created_at"])
    data = event["data"]
    assert data["id"] == item and data["status"] == "ready"
    assert data["metadata"]["duration"] == pytest.approx(4, abs=0.1)
    assert data["models"] == [{"name": "marengo3.0", "options": ["visual", "audio"]}]
    assert data["tags"] == []
    assert status_of(api, index, item) == "ready"
    wait_until(lambda: [row[4] for row in listed(server)] == ["delivered"], 10, "the record")
    assert len(hook.events) == 1


def test_endpoint_that_fails_is_tried_again_with_the_same_event(start_server, receiver):
    hook = receiver(500, 302)
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: len(hook.events) == 3, 30, "the third attempt")
    assert hook.events[0] == hook.events[1] == hook.events[2]
    row = wait_until(lambda: listed(server, "--state", "delivered"), 10, "the record")[0]
    assert row[5] == "3"


def test_deaf_endpoint_holds_up_nothing(start_server, receiver):
    gate = threading.Event()
    deaf, other = receiver(gate=gate), receiver()
    server = start_server("--webhook-urls", f"{deaf.url},{other.url}", "--webhook-secret", SECRET,
                          *ALLOW, "--worker-threads", 1)
    api = Api(server)
    index = api.make_index("films")
    asset = api.upload(clip("exact_4s"))["_id"]
    items = [index_clip(api, index, asset) for _ in range(3)]
    for item in items:
        wait_until(lambda item=item: status_of(api, index, item) == "ready", 30, "indexing")
    wait_until(lambda: len(other.events) == 3, 30, "the other endpoint's events")
    gate.set()
    wait_until(lambda: len(listed(server, "--state", "delivered")) == 6, 30, "all deliveries")


def test_endpoint_of_one_account_gets_only_its_events(start_server, receiver):
    everybody, films = receiver(), receiver()
    server = start_server("--webhook-urls", f"{everybody.url},films={films.url}",
                          "--webhook-secret", SECRET, *ALLOW)
    items = {}
    for name in ("music", "films"):
        api = Api(server, make_key(server.data_dir, name))
        wait_until(lambda api=api: api.get("/assets").status_code == 200, 10, "the key")
        items[name] = index_clip(api, api.make_index("all"))
    wait_until(lambda: len(everybody.events) == 2 and films.events, 30, "the events")
    assert [event["data"]["id"] for event in films.events] == [items["films"]]
    assert {event["data"]["id"] for event in everybody.events} == set(items.values())


def test_private_addresses_are_not_called_unless_allowed(start_server, receiver):
    hook = receiver()
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET)
    api = Api(server)
    index = api.make_index("films")
    item = index_clip(api, index)
    wait_until(lambda: listed(server) and listed(server)[0][5] != "0", 30, "an attempt")
    assert listed(server)[0][4] == "pending"
    assert not hook.events
    assert status_of(api, index, item) == "ready"


def test_delivery_can_be_made_anew(start_server, receiver):
    hook = receiver()
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    row = wait_until(lambda: listed(server, "--state", "delivered"), 30, "the delivery")[0]
    done = webhooks("redeliver", row[0], data_dir=server.data_dir)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: len(hook.events) == 2, 30, "the second delivery")
    assert hook.events[0] == hook.events[1]
    for wrong in ("x", "0123456789abcdef01234567"):
        done = webhooks("redeliver", wrong, data_dir=server.data_dir)
        assert done.returncode == 1 and wrong in done.stderr


def test_pending_delivery_survives_kill_and_restart(start_server, receiver):
    gate = threading.Event()
    hook = receiver(gate=gate)
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: hook.events, 30, "the first attempt")
    server.kill()
    gate.set()
    server.start()
    wait_until(lambda: listed(server, "--state", "delivered"), 30, "the delivery after the restart")
    assert hook.events[-1] == hook.events[0]


def test_test_event_tells_what_each_endpoint_answered(receiver):
    good, bad = receiver(), receiver(503)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        done = webhooks("test", "--webhook-urls", f"{good.url},{bad.url},{closed}",
                        "--webhook-secret", SECRET, *ALLOW)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == f"{good.url}: delivered"
    assert "503" in lines[1]
    assert lines[2].startswith(closed) and not lines[2].endswith("delivered")
    assert good.events[0]["type"] == "webhook.test"


def test_test_reads_the_servers_own_file(tmp_path, receiver):
    hook = receiver()
    config = tmp_path / "kinodex.toml"
    config.write_text(f'webhook-urls = "{hook.url}"\nwebhook-secret = "{SECRET}"\n'
                      'allow-webhook-hosts = "127.0.0.0/8"\nlisten = "127.0.0.1:0"\n')
    done = webhooks("test", "--config", str(config))
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(hook.events) == 1


@pytest.mark.parametrize("options, word", [
    (("--webhook-urls", "https://a.example/"), "webhook-secret"),
    (("--webhook-urls", "https://a.example/", "--webhook-secret", "short"), "webhook-secret"),
    (("--webhook-urls", "ftp://a.example/", "--webhook-secret", SECRET), "ftp://a.example/"),
    (("--allow-webhook-hosts", "10.0.0.0/99"), "10.0.0.0/99"),
])
def test_wrong_options_end_the_start(tmp_path, options, word):
    done = subprocess.run([str(binary()), "serve", "--data-dir", tmp_path, "--listen",
                           "127.0.0.1:0", *options], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert word in done.stderr
