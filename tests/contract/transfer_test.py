"""Export, import and backup: the real commands on the data of a real server, while it serves where
that is promised, and the copy held against the original by the API and by the byte."""

import hashlib
import json
import subprocess
import threading
from pathlib import Path

import pytest
from lib.api import Api
from lib.server import binary, make_key, run_keys, wait_until
from media.maker import clip


def kinodex(*words):
    return subprocess.run([str(binary()), *map(str, words)], capture_output=True, text=True,
                          timeout=120)


def succeed(*words):
    done = kinodex(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fail(*words, word):
    done = kinodex(*words)
    assert done.returncode == 1, done.stdout
    assert word in done.stderr, done.stderr
    return done


def account(server, name):
    api = Api(server, make_key(server.data_dir, name))
    wait_until(lambda: api.get("/assets").status_code == 200, 10, "a new key to be known")
    return api


def ready(api, index, item):
    path = f"/indexes/{index}/indexed-assets/{item}"
    return wait_until(lambda: api.get(path).json()["status"] == "ready" and api.get(path).json(),
                      30, "indexing")


@pytest.fixture
def library(start_server):
    """A server with two accounts; the first has two indexes over three assets."""
    server = start_server()
    films = account(server, "films")
    other = account(server, "other")
    video = films.upload(clip("exact_4s"), enable_hls="true", enable_thumbnail="true",
                         user_metadata='{"five": 5, "real": 9.0, "big": 9007199254740993, '
                                       '"Füße": "\\u00e4\\"\\\\"}')["_id"]
    image = films.upload(clip("png_128"))["_id"]
    tall = films.upload(clip("tall_25fps"))["_id"]
    first, second = films.make_index("first"), films.make_index("second")
    items = [films.add(first, video, user_metadata={"rating": 9.3, "new": True}),
             films.add(first, tall), films.add(second, video)]
    for index, item in zip((first, first, second), items, strict=True):
        ready(films, index, item)
    wait_until(lambda: films.get(f"/assets/{video}").json()["thumbnail"]["status"] == "ready", 30,
               "the thumbnail")
    other.upload(clip("png_128"))
    return {"server": server, "films": films, "other": other, "video": video, "image": image,
            "tall": tall, "first": first, "second": second, "items": items}


def all_of(api):
    """What the API shows of an account, without signed URLs."""
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items() if not key.endswith("_url")}
        return [plain(each) for each in value] if isinstance(value, list) else value

    indexes = api.get("/indexes").json()["data"]
    return plain({
        "assets": api.get("/assets").json(),
        "indexes": indexes,
        "items": [api.get(f"/indexes/{index['_id']}/indexed-assets").json() for index in indexes],
        "details": [api.get(f"/indexes/{index['_id']}/indexed-assets/{item['_id']}").json()
                    for index in indexes
                    for item in api.get(f"/indexes/{index['_id']}/indexed-assets").json()["data"]],
    })


def bytes_of(api, url):
    answer = api.http.get(url)
    assert answer.status_code == 200
    return answer.content


def test_export_of_an_account_says_what_it_is_and_proves_it(library, tmp_path):
    out = tmp_path / "out"
    server = library["server"]
    printed = succeed("export", out, "--data-dir", server.data_dir, "--account", "films")
    assert "3 assets" in printed and "2 indexes" in printed and "3 indexed_assets" in printed
    note = json.loads((out / "export.json").read_text())
    assert note["account"] == "films" and note["index"] is None and note["format"] == 1
    assert note["rows"]["assets"] == 3
    rows = [json.loads(line) for line in (out / "assets.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [library["video"], library["image"], library["tall"]]
    assert rows[0]["status"] == "ready" and rows[0]["filename"] == "clip.bin"
    assert "account_id" not in rows[0]
    done = subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=out,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    summed = {line[66:] for line in (out / "SHA256SUMS").read_text().splitlines()}
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert summed == files - {"SHA256SUMS"}
    source = out / "media/assets" / library["video"] / "source"
    assert source.read_bytes() == clip("exact_4s").read_bytes()
    assert (out / "media/indexed" / library["items"][0] / "shots.json").is_file()


def test_export_of_an_index_has_its_assets_only(library, tmp_path):
    out = tmp_path / "out"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films",
            "--index", library["second"])
    rows = [json.loads(line) for line in (out / "assets.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [library["video"]]
    rows = [json.loads(line) for line in (out / "indexed_assets.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [library["items"][2]]
    assert not (out / "media/assets" / library["tall"]).exists()


def test_import_gives_another_server_the_same_account(library, start_server, tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    printed = succeed("import", out, "--data-dir", data)
    assert "imported and equal: 8 rows (0 were there before)" in printed
    target = start_server(data_dir=data)
    api = account(target, "films")
    assert all_of(api) == all_of(library["films"])
    detail = api.get(f"/assets/{library['video']}").json()
    for url in (detail["hls"]["manifest_url"], detail["thumbnail"]["representative_url"]):
        bytes_of(api, url)
    before = library["films"].get(f"/assets/{library['video']}").json()
    assert bytes_of(api, detail["thumbnail"]["representative_url"]) == \
        bytes_of(library["films"], before["thumbnail"]["representative_url"])
    # Filters by metadata, and further work, go on as before.
    found = api.get(f"/indexes/{library['first']}/indexed-assets", {"rating": "9.3"}).json()
    assert [item["_id"] for item in found["data"]] == [library["items"][0]]
    ready(api, library["second"], api.add(library["second"], library["tall"]))
    assert api.get(f"/indexes/{library['second']}").json()["video_count"] == 2
    # And what came can go out again, equal line by line.
    again = tmp_path / "again"
    api.delete(f"/indexes/{library['second']}")
    for item in api.get(f"/indexes/{library['first']}/indexed-assets").json()["data"]:
        assert item["_id"] in library["items"]
    succeed("export", again, "--data-dir", data, "--account", "films")
    assert (again / "assets.jsonl").read_text() == (out / "assets.jsonl").read_text()


def test_import_can_be_run_again_and_under_another_name(library, tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    succeed("import", out, "--data-dir", data, "--account", "copies")
    printed = succeed("import", out, "--data-dir", data, "--account", "copies")
    assert "8 rows (8 were there before)" in printed
    # Ids are taken now: the same rows cannot belong to a second account.
    fail("import", out, "--data-dir", data, "--account", "films", word="is taken")
    assert "copies" in run_keys(data, "create", "--account", "copies")


def test_import_into_a_running_server_is_refused(library, tmp_path):
    out = tmp_path / "out"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    fail("import", out, "--data-dir", library["server"].data_dir, word="another server uses")


@pytest.mark.parametrize("spoil, word", [
    ("media", "SHA-256 differs"), ("row", "SHA-256 differs"), ("gone", "export.json"),
    ("format", "format"), ("outside", "line that is none"), ("newer", "newer kinodex"),
])
def test_spoiled_export_is_refused_and_adds_no_row(library, tmp_path, spoil, word):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    sums, rows = out / "SHA256SUMS", out / "assets.jsonl"
    if spoil == "media":
        source = out / "media/assets" / library["image"] / "source"
        source.write_bytes(source.read_bytes()[:-1] + b"x")
    elif spoil == "row":
        rows.write_text(rows.read_text().replace("clip.bin", "clap.bin"))
    elif spoil == "gone":
        (out / "export.json").unlink()
    elif spoil == "format":
        note = json.loads((out / "export.json").read_text())
        (out / "export.json").write_text(json.dumps({**note, "format": 99}))
    elif spoil == "outside":
        sums.write_text(sums.read_text() + "0" * 64 + "  media/../../elsewhere\n")
    elif spoil == "newer":
        old = hashlib.sha256(rows.read_bytes()).hexdigest()
        rows.write_text(rows.read_text().replace('{"id"', '{"color":"red","id"'))
        new = hashlib.sha256(rows.read_bytes()).hexdigest()
        sums.write_text(sums.read_text().replace(old, new))
    fail("import", out, "--data-dir", data, word=word)
    empty = tmp_path / "empty"
    if Path(data, "kinodex.db").exists():
        run_keys(data, "create", "--account", "films")
        printed = succeed("export", empty, "--data-dir", data, "--account", "films")
        assert " 0 assets" in printed or "assets" not in printed
    assert not (tmp_path / "elsewhere").exists()


def test_existing_folder_and_unknown_names_are_refused(library, tmp_path):
    data = library["server"].data_dir
    (tmp_path / "there").mkdir()
    fail("export", tmp_path / "there", "--data-dir", data, word="is there already")
    fail("backup", tmp_path / "there", "--data-dir", data, word="is there already")
    fail("export", tmp_path / "a", "--data-dir", data, "--account", "nobody", word="nobody")
    fail("export", tmp_path / "a", "--data-dir", data, "--account", "films", "--index",
         "0123456789abcdef01234567", word="0123456789abcdef01234567")
    assert not (tmp_path / "a").exists() and not (tmp_path / "a.partial").exists()


def test_backup_taken_under_load_is_whole(library, start_server, tmp_path):
    """Writers upload and delete all the time; whatever the backup names must be there."""
    server, out = library["server"], tmp_path / "backup"
    busy = account(server, "busy")
    picture = clip("png_128").read_bytes()
    stop, uploads = threading.Event(), []

    def churn():
        api = Api(server, busy.key)
        while not stop.is_set():
            uploads.append(api.upload(picture)["_id"])
            if len(uploads) % 3 == 0:
                assert api.delete(f"/assets/{uploads[-1]}").status_code == 204

    workers = [threading.Thread(target=churn) for _ in range(3)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(uploads) > 20, 30, "some load")
    printed = succeed("backup", out, "--data-dir", server.data_dir)
    stop.set()
    for worker in workers:
        worker.join()
    assert "backed up" in printed
    restored = start_server(data_dir=out)
    films = Api(restored, library["films"].key)
    assert all_of(films) == all_of(library["films"])
    # Signed URLs of the original work too: the signing key came along.
    detail = library["films"].get(f"/assets/{library['video']}").json()
    path = detail["thumbnail"]["representative_url"].split(str(server.port), 1)[1]
    assert films.http.get(path).status_code == 200
    again = tmp_path / "again"
    succeed("export", again, "--data-dir", out, "--account", "busy")
    for line in (again / "assets.jsonl").read_text().splitlines():
        source = again / "media/assets" / json.loads(line)["id"] / "source"
        assert source.read_bytes() == picture
    # The hold is gone: deleted media leaves the disk again.
    gone = busy.upload(picture)["_id"]
    folder = next(Path(server.data_dir, "media/assets").rglob(gone))
    assert busy.delete(f"/assets/{gone}").status_code == 204
    wait_until(lambda: not folder.exists(), 30, "the removal")
