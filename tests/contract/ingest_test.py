"""kinodex ingest: a folder tree into a running server, with metadata, again and again, around
failures, and in parts where files are large."""

import os
import pty
import random
import shutil
import signal
import subprocess
import threading

import pytest
from lib.api import Api
from lib.parts import CHUNK
from lib.proxy import Proxy
from lib.server import binary, make_key, wait_until
from media.maker import clip


def account(server, name):
    api = Api(server, make_key(server.data_dir, name))
    wait_until(lambda: api.get("/assets").status_code == 200, 10, "a new key to be known")
    return api


def start(api, folder, *words, origin=None, stderr=subprocess.PIPE, **variables):
    command = [str(binary()), "ingest", str(folder), "--server",
               (origin or api.server.origin) + "/v1.3", "--api-key", api.key, *map(str, words)]
    state = {"XDG_STATE_HOME": str(folder.parent / "state")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True,
                            env={**os.environ, **state, **variables})


def ingest(api, folder, *words, code=0):
    process = start(api, folder, *words)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, out + errors
    return out.strip(), errors


def assets(api):
    found, page = {}, 1
    while data := api.get("/assets", {"page": page, "page_limit": 50}).json()["data"]:
        for asset in data:
            assert asset["filename"] not in found, "brought twice: " + asset["filename"]
            found[asset["filename"]] = asset
        page += 1
    return found


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "2024" / "März").mkdir(parents=True)
    shutil.copy(clip("png_128"), folder / "one.png")
    shutil.copy(clip("exact_4s"), folder / "2024" / "clip.mp4")
    shutil.copy(clip("jpeg_640"), folder / "2024" / "März" / "zwei.jpg")
    shutil.copy(clip("png_128"), folder / ".hidden.png")
    (folder / ".git").mkdir()
    shutil.copy(clip("png_128"), folder / ".git" / "inside.png")
    (folder / "one.png.json").write_text('{"rating": 9.0, "seen": true}')
    (folder / "2024" / "clip.json").write_text('{"year": 2024}')
    return folder


def test_tree_is_uploaded_with_the_metadata_beside_each_file(server, tree):
    api = account(server, "tree")
    out, errors = ingest(api, tree)
    assert out == "3 uploaded, 0 there already, 0 failed, 0 not tried"
    assert "3/3 files" in errors
    found = assets(api)
    assert set(found) == {"one.png", "2024/clip.mp4", "2024/März/zwei.jpg"}
    assert found["one.png"]["user_metadata"] == {"rating": 9.0, "seen": True}
    assert found["2024/clip.mp4"]["user_metadata"] == {"year": 2024}
    assert all(asset["status"] == "ready" for asset in found.values())


def test_second_run_brings_only_what_is_new_or_changed(server, tree):
    api = account(server, "again")
    ingest(api, tree)
    shutil.copy(clip("tone_wav"), tree / "new.wav")
    shutil.copy(clip("png_alpha"), tree / "one.png")
    out, _ = ingest(api, tree)
    assert out == "2 uploaded, 2 there already, 0 failed, 0 not tried"
    out, _ = ingest(api, tree)
    assert out == "0 uploaded, 4 there already, 0 failed, 0 not tried"


def test_table_gives_typed_metadata_and_must_fit_the_folder(server, tree, tmp_path):
    api = account(server, "table")
    table = tmp_path / "table.csv"
    table.write_text('path,title,year,score\none.png,"A, ""B""",1999,7.5\n'
                     '2024/März/zwei.jpg,Füße,,\n')
    ingest(api, tree, "--metadata", table)
    found = assets(api)
    assert found["one.png"]["user_metadata"] == {"title": 'A, "B"', "year": 1999, "score": 7.5}
    assert found["2024/März/zwei.jpg"]["user_metadata"] == {"title": "Füße"}
    assert found["2024/clip.mp4"]["user_metadata"] == {"year": 2024}
    for text, word in (("path,a\nnone.png,1\n", "none.png"), ("name\nx\n", "column `path`"),
                       ("path,a\none.png,1,2\n", "row 2")):
        table.write_text(text)
        _, errors = ingest(api, tree, "--metadata", table, code=1)
        assert word in errors


def test_refused_files_are_named_and_hold_up_nothing(server, tree):
    api = account(server, "refused")
    (tree / "notes.txt").write_text("no media")
    (tree / "bad.png").write_bytes(clip("png_128").read_bytes())
    (tree / "bad.png.json").write_text('{"nested": {"a": 1}}')
    out, errors = ingest(api, tree, code=1)
    assert out == "3 uploaded, 0 there already, 2 failed, 0 not tried"
    assert "failed: notes.txt: parameter_invalid" in errors
    assert "failed: bad.png: " in errors and "bad.png.json" in errors


def test_videos_are_indexed_once_and_pictures_are_just_brought(server, tree):
    api = account(server, "indexed")
    index = api.make_index("all")
    for words in ("3 uploaded, 0 there already", "0 uploaded, 3 there already"):
        out, _ = ingest(api, tree, "--index", index, "--enable-thumbnail")
        assert out == words + ", 0 failed, 0 not tried"
    items = api.get(f"/indexes/{index}/indexed-assets").json()["data"]
    assert [item["system_metadata"]["filename"] for item in items] == ["2024/clip.mp4"]
    assert "thumbnail" in assets(api)["2024/clip.mp4"]


@pytest.mark.parametrize("index", ["0123456789abcdef01234567", "none/../of those"])
def test_unknown_index_is_told_before_anything_is_sent(server, tree, index):
    api = account(server, "no such index")
    _, errors = ingest(api, tree, "--index", index, code=1)
    assert f"--index {index}" in errors and api.asset_total() == 0


def test_what_cannot_be_indexed_is_uploaded_all_the_same(start_server, tree):
    api = Api(start_server("--quota-hours", 0.001))
    index = api.make_index("small")
    out, errors = ingest(api, tree, "--index", index, code=1)
    assert out == "3 uploaded, 0 there already, 0 failed, 0 not tried, 1 not indexed"
    assert "not indexed: 2024/clip.mp4: usage_limit_exceeded" in errors
    assert set(assets(api)) == {"one.png", "2024/clip.mp4", "2024/März/zwei.jpg"}


@pytest.mark.parametrize("words", [["--ingest", "async"], []])
def test_files_found_unusable_later_are_failures_and_do_not_pile_up(start_server, tree, words):
    """The first server answers before it has looked at a file, the second one for parts."""
    api = Api(start_server(*words))
    (tree / "notes.mp4").write_text("no media, and not short: " + 20 * "word ")
    direct = ["--max-direct-bytes", 1 << 20 if words else 10]
    for brought, there in ((3, 0), (0, 3)):
        out, errors = ingest(api, tree, *direct, code=1)
        assert out == f"{brought} uploaded, {there} there already, 1 failed, 0 not tried"
        assert "failed: notes.mp4: the server could not use it: " in errors
        assert {each["status"] for each in assets(api).values()} == {"ready"}
        assert set(assets(api)) == {"one.png", "2024/clip.mp4", "2024/März/zwei.jpg"}


def test_entries_that_cannot_be_read_are_failures_of_their_own(server, tree):
    api = account(server, "unreadable")
    (tree / "loop.png").symlink_to("loop.png")
    (tree / "2024" / "nothing.png").symlink_to("nowhere")
    (tree / "again").symlink_to("2024")
    (tree / "link.png").symlink_to("one.png")
    closed = 0
    if os.geteuid() != 0:
        (tree / "closed").mkdir(mode=0)
        closed = 1
    out, errors = ingest(api, tree, code=1)
    assert out == f"4 uploaded, 0 there already, {2 + closed} failed, 0 not tried"
    assert "failed: loop.png: it cannot be read: " in errors
    assert "failed: 2024/nothing.png: it cannot be read: " in errors
    assert closed == 0 or "failed: closed: it cannot be read: " in errors
    assert set(assets(api)) == {"one.png", "link.png", "2024/clip.mp4", "2024/März/zwei.jpg"}


def test_names_are_printed_without_their_control_characters(server, tree):
    api = account(server, "terminal")
    (tree / "red\x1b[31m\x9b.txt").write_text("no media")
    _, errors = ingest(api, tree, code=1)
    assert "\x1b" not in errors and "\x9b" not in errors
    assert "failed: red\\x1b[31m\\xc2\\x9b.txt: " in errors


def test_table_that_is_no_regular_file_is_refused_as_such(server, tree):
    _, errors = ingest(account(server, "device"), tree, "--metadata", "/dev/null", code=1)
    assert "/dev/null is no regular file" in errors


class Stalled:
    """A server behind a proxy that holds the `at`-th PUT of a chunk up until it may go on, and a
    folder with one video of eight chunks."""

    def __init__(self, server, name, folder, at):
        self.api = account(server, name)
        self.reached, self.go_on = threading.Event(), threading.Event()

        def hold(number, sent):
            if number == at and sent > CHUNK / 2 and not self.go_on.is_set():
                self.reached.set()
                self.go_on.wait(600)
            return False

        self.proxy = Proxy(lambda: server.port, hold)
        self.folder = folder / "large"
        self.folder.mkdir()
        film = clip("exact_4s").read_bytes()
        noise = random.Random(at).randbytes(8 * CHUNK - 8 - len(film))
        box = (len(noise) + 8).to_bytes(4, "big") + b"free"
        self.file = self.folder / "film.mp4"
        self.file.write_bytes(film + box + noise)

    def start(self, **more):
        return start(self.api, self.folder, "--max-direct-bytes", 10, origin=self.proxy.origin,
                     **more)

    def start_and_stall(self, **more):
        process = self.start(**more)
        assert self.reached.wait(60)
        return process

    def close(self):
        self.go_on.set()
        self.proxy.close()


@pytest.fixture
def stalled(server, tmp_path, request):
    one = Stalled(server, request.node.name, tmp_path, request.param)
    yield one
    one.close()


@pytest.mark.parametrize("stalled", [6], indirect=True)
def test_upload_in_parts_goes_on_where_a_killed_run_was(stalled, server):
    process = stalled.start_and_stall()
    process.kill()
    process.communicate()
    stalled.go_on.set()
    before = stalled.proxy.puts
    out, errors = stalled.start().communicate(timeout=120)
    assert out.startswith("1 uploaded, 0 there already"), out + errors
    assert stalled.proxy.puts == before + 4  # four were reported
    asset = assets(stalled.api)["film.mp4"]
    source = next((server.data_dir / "media").rglob(f"{asset['_id']}/source"))
    assert source.read_bytes() == stalled.file.read_bytes()
    assert stalled.api.get("/assets/multipart-uploads").json()["data"] == []


@pytest.mark.parametrize("stalled", [6], indirect=True)
def test_changed_file_is_not_mixed_with_what_was_sent_of_it(stalled, server):
    process = stalled.start_and_stall()
    process.kill()
    process.communicate()
    stalled.go_on.set()
    data = stalled.file.read_bytes()
    stalled.file.write_bytes(data[:-1000] + bytes(1000))
    os.utime(stalled.file, (1, 1))
    before = stalled.proxy.puts
    out, errors = stalled.start().communicate(timeout=120)
    assert out.startswith("1 uploaded, 0 there already"), out + errors
    assert stalled.proxy.puts == before + 8
    asset = assets(stalled.api)["film.mp4"]
    source = next((server.data_dir / "media").rglob(f"{asset['_id']}/source"))
    assert source.read_bytes() == stalled.file.read_bytes()


@pytest.mark.parametrize("stalled", [0], indirect=True)
def test_without_a_place_for_notes_parts_are_sent_and_it_is_said(stalled):
    process = stalled.start(XDG_STATE_HOME="/proc/none")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert "cannot be remembered in /proc/none/kinodex/uploads" in errors


@pytest.mark.parametrize("stalled", [2], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_ends_an_upload_that_is_under_way(stalled, number):
    process = stalled.start_and_stall()
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1, out + errors
    assert out.strip() == "0 uploaded, 0 there already, 0 failed, 1 not tried"


@pytest.mark.parametrize("stalled", [2], indirect=True)
@pytest.mark.parametrize("end", ["shorter", "gone"])
def test_file_that_changes_while_it_is_sent_is_a_failure_at_once(stalled, end):
    process = stalled.start_and_stall()
    if end == "gone":
        stalled.file.unlink()
    else:
        os.truncate(stalled.file, CHUNK + CHUNK // 4)
    stalled.go_on.set()
    out, errors = process.communicate(timeout=25)  # the server itself would wait for 30 s
    assert out.strip() == "0 uploaded, 0 there already, 1 failed, 0 not tried"
    assert "failed: film.mp4: it " in errors


@pytest.mark.parametrize("stalled", [5], indirect=True)
def test_the_bar_moves_within_a_file(stalled):
    reader, terminal = pty.openpty()
    process = stalled.start(stderr=terminal)
    os.close(terminal)
    shown = ""
    while "#" * 15 not in shown:  # half of the file
        shown += os.read(reader, 4096).decode()
    assert "1/1 files" not in shown and "0/1 files" in shown
    stalled.go_on.set()
    process.communicate(timeout=60)
    os.close(reader)


def test_large_files_go_in_parts_and_arrive_whole(server, tree):
    api = account(server, "parts")
    size = (tree / "2024" / "clip.mp4").stat().st_size
    ingest(api, tree, "--max-direct-bytes", size - 1)
    found = wait_until(lambda: (a := assets(api)["2024/clip.mp4"])["status"] != "processing" and a,
                       30, "the asset")
    assert found["status"] == "ready" and found["size"] == size
    assert found["method"] == "multipart"
    assert found["user_metadata"] == {"year": 2024}
    out, _ = ingest(api, tree, "--max-direct-bytes", size - 1)
    assert out.startswith("0 uploaded, 3 there already")


def test_interrupted_run_goes_on_where_it_stopped(server, tmp_path):
    api = account(server, "interrupted")
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        shutil.copy(clip("png_128"), folder / f"{number:03}.png")
    process = start(api, folder, "--parallel", 2)
    wait_until(lambda: api.asset_total() > 20, 60, "some files")
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1, out + errors
    assert "not tried" in out and " 0 not tried" not in out
    before = api.asset_total()
    assert before < 300
    out, _ = ingest(api, folder)
    assert out == f"{300 - before} uploaded, {before} there already, 0 failed, 0 not tried"
    assert len(assets(api)) == 300


def test_server_that_dies_and_comes_back_is_waited_for(start_server, tmp_path):
    server = start_server()
    api = Api(server)
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(200):
        shutil.copy(clip("png_128"), folder / f"{number:03}.png")
    process = start(api, folder, "--parallel", 4)
    wait_until(lambda: api.asset_total() > 10, 60, "some files")
    server.wanted_port = server.port
    server.kill()
    server.start()
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, out + errors
    assert len(assets(Api(server))) == 200


def test_wrong_server_and_wrong_key_are_told(server, tree):
    api = account(server, "wrong")
    api.key = "kx_not_a_key_of_this_server"
    _, errors = ingest(api, tree, code=1)
    assert "api_key_invalid" in errors
    done = subprocess.run([str(binary()), "ingest", str(tree), "--server", "http://127.0.0.1:1/v1.3",
                           "--api-key", "kx_something"], capture_output=True, text=True,
                          timeout=30, env={**os.environ})
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr
