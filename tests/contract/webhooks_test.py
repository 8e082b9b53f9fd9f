"""Webhooks: signed, told once indexing ended, tried again, never in the way, guarded addresses."""

import re
import socket
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest
from lib.api import Api
from lib.receiver import Receiver
from lib.server import binary, make_key, wait_until
from lib.url_server import make_certificate
from media.maker import clip

SECRET = "a-secret-of-some-length"
ALLOW = ("--allow-webhook-hosts", "127.0.0.1")


@pytest.fixture
def receiver():
    made = []

    def make(*answers, gate=None, certificate=None):
        made.append(Receiver(SECRET, answers, gate, certificate))
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
    assert data["id"] == data["video_id"] == item and data["status"] == "ready"
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
    items = [index_clip(api, index, asset) for _ in range(12)]
    for item in items:
        wait_until(lambda item=item: status_of(api, index, item) == "ready", 60, "indexing")
    wait_until(lambda: len(other.events) == 12, 30, "the other endpoint's events")
    assert len(listed(server, "--state", "delivered")) >= 11  # the last may be on its way back
    gate.set()
    wait_until(lambda: len(listed(server, "--state", "delivered")) == 24, 60, "all deliveries")


def test_endpoint_that_was_removed_is_not_called_again(start_server, receiver):
    hook = receiver(*[500] * 100)
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: hook.events, 30, "an attempt")
    server.stop()
    before = len(hook.events)
    server.options = list(ALLOW)
    server.start()
    row = wait_until(lambda: listed(server, "--state", "failed"), 30, "the end of the delivery")[0]
    assert row[7] == "the endpoint is no longer configured"
    done = webhooks("redeliver", row[0], data_dir=server.data_dir)
    assert done.returncode == 0, done.stderr
    server.stop()  # the next start ends it anew
    server.start()
    wait_until(lambda: listed(server, "--state", "failed"), 30, "the end of the redelivery")
    assert len(hook.events) == before


def test_endpoint_that_was_given_to_another_account_gets_nothing_of_the_first(start_server,
                                                                              receiver):
    hook = receiver(*[500] * 100)
    server = start_server("--webhook-urls", f"default={hook.url}", "--webhook-secret", SECRET,
                          *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: hook.events, 30, "an attempt")
    server.stop()
    before = len(hook.events)
    server.options = ["--webhook-urls", f"music={hook.url}", "--webhook-secret", SECRET, *ALLOW]
    server.start()
    row = wait_until(lambda: listed(server, "--state", "failed"), 30, "the end of the delivery")[0]
    assert row[7] == "the endpoint is no longer configured"
    assert len(hook.events) == before


def test_what_ended_a_week_ago_is_forgotten_also_without_an_endpoint(start_server, receiver):
    hook = receiver()
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: listed(server, "--state", "delivered"), 30, "the delivery")
    server.stop()
    week_ms = 7 * 24 * 3600 * 1000
    with closing(sqlite3.connect(server.data_dir / "kinodex.db")) as database, database:
        assert database.execute("UPDATE deliveries SET ended_ms = ended_ms - ?",
                                (week_ms,)).rowcount == 1
    server.options = []
    server.start()
    wait_until(lambda: not listed(server), 30, "forgetting")


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


def test_redeliveries_asked_for_during_an_attempt_become_one(start_server, receiver):
    gate = threading.Event()
    hook = receiver(gate=gate)
    server = start_server("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    api = Api(server)
    index_clip(api, api.make_index("films"))
    wait_until(lambda: hook.events, 30, "the first attempt")
    row = listed(server)[0]
    for _ in range(3):
        done = webhooks("redeliver", row[0], data_dir=server.data_dir)
        assert done.returncode == 0, done.stderr
    gate.set()
    # The attempt that was under way neither ends the new one nor counts for it.
    row = wait_until(lambda: listed(server, "--state", "delivered"), 30, "the redelivery")[0]
    assert len(hook.events) == 2 and row[5] == "1"
    assert hook.events[0] == hook.events[1]


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


def test_success_is_what_the_head_says_whatever_comes_of_the_body():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            with listener.accept()[0] as peer:
                asked = b""
                while not asked.endswith(b"{}}"):
                    asked += peer.recv(65536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")

        threading.Thread(target=answer, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        done = webhooks("test", "--webhook-urls", url, "--webhook-secret", SECRET, *ALLOW)
    assert (done.returncode, done.stdout) == (0, f"{url}: delivered\n")


def test_certificates_of_an_own_authority_are_believed(tmp_path, receiver):
    names = (tmp_path / "cert.pem", tmp_path / "key.pem")
    make_certificate(*names)
    hook = receiver(certificate=names)
    options = ("--webhook-urls", hook.url, "--webhook-secret", SECRET, *ALLOW)
    assert webhooks("test", *options, "--ca-file", str(names[0])).returncode == 0
    assert webhooks("test", *options).returncode == 1
    assert len(hook.events) == 1


def test_account_that_is_not_there_is_told_in_the_log(start_server):
    server = start_server("--webhook-urls", "https://a.example/, default=https://b.example/ ,"
                          "filmz=https://c.example/", "--webhook-secret", SECRET)
    told = [line["account"] for line in server.events("webhook_account_unknown")]
    assert told == ["filmz"]


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
    logged, said = done.stderr.strip().splitlines()[-2:]
    assert "start_failed" in logged and word in logged
    assert word in said
