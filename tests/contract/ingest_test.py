"""kinodex ingest: a folder tree into a running server, with metadata, again and again, around
failures, and in parts where files are large."""

import os
import shutil
import signal
import subprocess

import pytest
from lib.api import Api
from lib.server import binary, make_key, wait_until
from media.maker import clip


def account(server, name):
    api = Api(server, make_key(server.data_dir, name))
    wait_until(lambda: api.get("/assets").status_code == 200, 10, "a new key to be known")
    return api


def start(api, folder, *words):
    command = [str(binary()), "ingest", str(folder), "--server", api.server.origin + "/v1.3",
               "--api-key", api.key, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


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


def test_assets_are_indexed_once(server, tree):
    api = account(server, "indexed")
    index = api.make_index("all")
    (tree / "one.png").unlink()
    shutil.rmtree(tree / "2024" / "März")
    for _ in range(2):
        ingest(api, tree, "--index", index, "--enable-thumbnail")
    items = api.get(f"/indexes/{index}/indexed-assets").json()["data"]
    assert [item["system_metadata"]["filename"] for item in items] == ["2024/clip.mp4"]
    assert "thumbnail" in assets(api)["2024/clip.mp4"]


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
