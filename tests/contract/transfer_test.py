"""Export, import and backup: the real commands on the data of a real server, while it serves where
that is promised, and the copy held against the original by the API and by the byte."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lib import parts
from lib.api import Api
from lib.multipart import Part, encode
from lib.pictures import noise_png
from lib.server import binary, make_key, run_keys, wait_until
from lib.url_server import UrlServer
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


class Held:
    """A web server that answers only once it may: what fetches from it is under way meanwhile."""

    def __init__(self):
        self.web = UrlServer()
        self.go_on = threading.Event()
        self.web.file("/words.mp4", b"just words, and not few of them " * 100)

    def file(self, path, data):
        def serve(talk):
            self.go_on.wait(600)
            talk.answer(200, data)
        return self.web.on(path, serve)

    @property
    def options(self):
        return ["--ingest", "async", "--allow-url-hosts", self.web.host_port, "--url-timeout-sec",
                600]

    def close(self):
        self.go_on.set()
        self.web.close()


@pytest.fixture
def held():
    one = Held()
    yield one
    one.close()


def settled(api, path, words=("ready", "failed")):
    def look():
        body = api.get(path).json()
        return body["status"] in words and body

    return wait_until(look, 60, f"the end of {path}")


def make_task(api, index, **fields):
    content, kind = encode([Part("index_id", index), *[Part(k, v) for k, v in fields.items()]])
    if not fields:
        file = Part("video_file", clip("h264_silent").read_bytes(), filename="film.mp4")
        content, kind = encode([Part("index_id", index), file])
    response = api.post("/tasks", content=content, headers={"content-type": kind})
    assert response.status_code == 200, response.text
    return response.json()


def make_entity(api, collection, name, *images, **more):
    response = api.post(f"/entity-collections/{collection}/entities",
                        json={"name": name, "asset_ids": images, **more})
    assert response.status_code == 201, response.text
    return response.json()["_id"]


@pytest.fixture
def crowd(start_server, held):
    """An account with entities of two collections and tasks in every state of theirs; a video and
    a picture are still being fetched."""
    server = start_server(*held.options)
    films = account(server, "films")
    pictures = [films.upload(clip("png_128"), filename=f"{n}.png")["_id"] for n in range(3)]
    for picture in pictures:
        assert settled(films, f"/assets/{picture}")["status"] == "ready"
    people, things = [films.post("/entity-collections", json={"name": name}).json()["_id"]
                      for name in ("People", "Dinge")]
    face = films.post_form([Part("method", "url"),
                            Part("url", held.file("/face.png", clip("png_128").read_bytes()))])
    face = face.json()["_id"]
    entities = {
        "anna": (people, make_entity(films, people, "Anna", pictures[1], pictures[0],
                                     description="who else", metadata={"team": 7, "half": 0.5})),
        "turtle": (things, make_entity(films, things, "Żółw", pictures[0])),
        "bare": (things, make_entity(films, things, "bare", pictures[2])),
    }
    for collection, entity in entities.values():
        settled(films, f"/entity-collections/{collection}/entities/{entity}", ("ready",))
    entities["waiting"] = (people, make_entity(films, people, "Bob", face))
    assert films.delete(f"/assets/{pictures[2]}").status_code == 204

    first, second, third = [films.make_index(name) for name in ("first", "second", "third")]
    tasks = {"ready": make_task(films, first), "elsewhere": make_task(films, second),
             "without video": make_task(films, first), "without index": make_task(films, third),
             "failed": make_task(films, first, video_url=held.web.url("/words.mp4"))}
    for task in tasks.values():
        settled(films, f"/tasks/{task['_id']}")
    assert films.get(f"/tasks/{tasks['failed']['_id']}").json()["status"] == "failed"
    gone = tasks["without video"]["video_id"]
    assert films.delete(f"/indexes/{first}/videos/{gone}").status_code == 204
    assert films.delete(f"/indexes/{third}").status_code == 204
    film = held.file("/film.mp4", clip("h264_silent").read_bytes())
    tasks["uploading"] = make_task(films, first, video_url=film)
    return {"server": server, "films": films, "pictures": pictures, "people": people,
            "face": face, "entities": entities, "first": first, "second": second, "tasks": tasks}


def all_of(api):
    """What the API shows of an account; of URLs the path, since each server signs its own."""
    def plain(value):
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, str) and value.startswith(api.server.origin):
            return urlsplit(value).path
        return [plain(each) for each in value] if isinstance(value, list) else value

    def listed(path):
        body = api.get(path, {"page_limit": 50}).json()
        assert body["page_info"]["total_page"] <= 1
        return body["data"]

    indexes = api.get("/indexes").json()["data"]
    assets = listed("/assets")
    collections = listed("/entity-collections")
    entities = {each["_id"]: listed(f"/entity-collections/{each['_id']}/entities")
                for each in collections}
    tasks = listed("/tasks")
    return plain({
        "collections": [api.get(f"/entity-collections/{each['_id']}").json()
                        for each in collections],
        "entities": entities,
        "entity": [api.get(f"/entity-collections/{collection}/entities/{each['_id']}").json()
                   for collection, members in entities.items() for each in members],
        "entities of assets": {each["_id"]: listed(f"/assets/{each['_id']}/entities")
                               for each in assets},
        "tasks": tasks,
        "task": [api.get(f"/tasks/{each['_id']}").json() for each in tasks],
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


def lines_of(out, kind):
    return [json.loads(line) for line in (out / f"{kind}.jsonl").read_text().splitlines()]


def test_entities_and_tasks_come_back_and_what_was_under_way_goes_on(crowd, held, start_server,
                                                                     tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    films, tasks = crowd["films"], crowd["tasks"]
    printed = succeed("export", out, "--data-dir", crowd["server"].data_dir, "--account", "films")
    for words in ("2 entity_collections", "4 entities", "6 tasks"):
        assert words in printed
    anna = next(line for line in lines_of(out, "entities") if line["name"] == "Anna")
    assert anna["asset_ids"] == [crowd["pictures"][1], crowd["pictures"][0]]
    before = all_of(films)
    succeed("import", out, "--data-dir", data)
    again = succeed("import", out, "--data-dir", data)
    rows = sum(json.loads((out / "export.json").read_text())["rows"].values())
    assert f"{rows} rows ({rows} were there before)" in again
    api = account(start_server(*held.options, data_dir=data), "films")
    after = all_of(api)
    for part, value in before.items():
        assert after[part] == value, part
    states = {each["_id"]: each["status"] for each in after["task"]}
    assert {name: states[task["_id"]] for name, task in tasks.items()} == {
        "ready": "ready", "elsewhere": "ready", "without video": "ready",
        "without index": "ready", "failed": "failed", "uploading": "uploading"}
    assert {each["name"]: (each["status"], len(each["asset_ids"])) for each in after["entity"]} == {
        "Anna": ("ready", 2), "Żółw": ("ready", 1), "bare": ("ready", 0), "Bob": ("processing", 1)}
    found = api.get(f"/entity-collections/{crowd['people']}/entities", {"name": "ANN"}).json()
    assert [each["name"] for each in found["data"]] == ["Anna"]

    held.go_on.set()
    task = settled(api, f"/tasks/{tasks['uploading']['_id']}")
    assert task["status"] == "ready" and task["system_metadata"]["width"] == 640
    collection, entity = crowd["entities"]["waiting"]
    settled(api, f"/entity-collections/{collection}/entities/{entity}", ("ready",))
    assert api.get(f"/indexes/{crowd['first']}").json()["video_count"] == 2
    assert api.delete(f"/tasks/{tasks['without video']['_id']}").status_code == 204
    # An asset that goes leaves its entity, as everywhere.
    assert api.delete(f"/assets/{crowd['face']}").status_code == 204
    body = api.get(f"/entity-collections/{collection}/entities/{entity}").json()
    assert body["asset_ids"] == []


def test_export_of_an_index_has_its_tasks_and_no_entities(crowd, tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", crowd["server"].data_dir, "--account", "films",
            "--index", crowd["first"])
    wanted = {crowd["tasks"][name]["_id"] for name in
              ("ready", "without video", "failed", "uploading")}
    assert {line["id"] for line in lines_of(out, "tasks")} == wanted
    assert lines_of(out, "entities") == lines_of(out, "entity_collections") == []
    succeed("import", out, "--data-dir", data)


def test_backup_has_entities_and_tasks(crowd, held, start_server, tmp_path):
    out = tmp_path / "backup"
    succeed("backup", out, "--data-dir", crowd["server"].data_dir)
    restored = Api(start_server(*held.options, data_dir=out), crowd["films"].key)
    assert all_of(restored) == all_of(crowd["films"])


def test_an_upload_in_parts_that_is_not_joined_yet_is_exported_whole(start_server, tmp_path):
    server = start_server()
    api = Api(server)
    picture = clip("png_128").read_bytes()
    asset = parts.upload(api, picture, type="image")[0]["asset_id"]
    settled(api, f"/assets/{asset}")
    server.stop()
    # As a server leaves it that ended between the last report and the joining.
    source = next(server.data_dir.rglob("source"))
    source.rename(source.with_name(".source.parts"))
    with sqlite3.connect(server.data_dir / "kinodex.db") as database:
        database.execute("UPDATE assets SET status = 0")
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", server.data_dir, "--account", "default")
    assert (out / "media/assets" / asset / "source").read_bytes() == picture
    succeed("import", out, "--data-dir", data, "--account", "films")
    films = account(start_server(data_dir=data), "films")
    assert settled(films, f"/assets/{asset}")["status"] == "ready"


def test_import_that_finds_its_place_taken_changes_nothing(library, start_server, tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    target = start_server(data_dir=data)
    films = account(target, "films")
    films.make_index("second")
    target.stop()
    fail("import", out, "--data-dir", data, word="name is taken")
    assert [path for path in (data / "media").rglob("*") if path.is_file()] == []
    target.start()
    films = Api(target, films.key)
    assert films.asset_total() == 0
    assert [each["index_name"] for each in films.get("/indexes").json()["data"]] == ["second"]
    assert all_of(films)["items"][0]["data"] == []


def test_import_into_a_running_server_is_refused(library, tmp_path):
    out = tmp_path / "out"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    fail("import", out, "--data-dir", library["server"].data_dir, word="another server uses")


@pytest.mark.parametrize("spoil, word", [
    ("media", "SHA-256 differs"), ("row", "SHA-256 differs"), ("gone", "export.json"),
    ("format", "format"), ("outside", "line that is none"), ("newer", "newer kinodex"),
    ("kind", "newer kinodex"), ("short of rows", "3 were exported"),
    ("short of media", "not whole"),
])
def test_spoiled_export_is_refused_and_adds_no_row(library, tmp_path, spoil, word):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    sums, rows = out / "SHA256SUMS", out / "assets.jsonl"

    def rewrite(path, old, new):
        """And its sum, as one who knows what they do."""
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        path.write_text(path.read_text().replace(old, new))
        after = hashlib.sha256(path.read_bytes()).hexdigest()
        sums.write_text(sums.read_text().replace(before, after))

    def leave_out(word):
        kept = [line for line in sums.read_text().splitlines(True) if word not in line]
        sums.write_text("".join(kept))

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
        rewrite(rows, '{"id"', '{"color":"red","id"')
    elif spoil == "kind":
        rewrite(out / "export.json", '"tasks":0', '"tasks":0,"dreams":1')
    elif spoil == "short of rows":
        leave_out("indexed_assets.jsonl")
    elif spoil == "short of media":
        leave_out("shots.json")
    fail("import", out, "--data-dir", data, word=word)
    empty = tmp_path / "empty"
    if Path(data, "kinodex.db").exists():
        run_keys(data, "create", "--account", "films")
        printed = succeed("export", empty, "--data-dir", data, "--account", "films")
        assert " 0 assets" in printed or "assets" not in printed
    assert not (tmp_path / "elsewhere").exists()


@pytest.fixture
def far(tmp_path):
    """A folder on another file system than the data directories."""
    if os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield folder
    shutil.rmtree(folder)


def test_export_and_backup_reach_another_file_system(library, start_server, far):
    films, data = library["films"], library["server"].data_dir
    # Larger than what is copied in one piece.
    noise = noise_png(700)
    large = films.upload(noise, filename="noise.png")["_id"]
    succeed("export", far / "out", "--data-dir", data, "--account", "films")
    assert (far / "out/media/assets" / large / "source").read_bytes() == noise
    done = subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"],
                          cwd=far / "out", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    succeed("backup", far / "backup", "--data-dir", data)
    assert next((far / "backup/media/assets").rglob(f"{large}/source")).read_bytes() == noise
    assert all_of(Api(start_server(data_dir=far / "backup"), films.key)) == all_of(films)


def test_existing_folder_and_unknown_names_are_refused(library, tmp_path):
    data = library["server"].data_dir
    (tmp_path / "there").mkdir()
    fail("export", tmp_path / "there", "--data-dir", data, word="is there already")
    fail("backup", tmp_path / "there", "--data-dir", data, word="is there already")
    fail("export", tmp_path / "a", "--data-dir", data, "--account", "nobody", word="nobody")
    fail("export", tmp_path / "a", "--data-dir", data, "--account", "films", "--index",
         "0123456789abcdef01234567", word="0123456789abcdef01234567")
    assert {path.name for path in tmp_path.iterdir()} == {"there", Path(data).name}


@pytest.mark.parametrize("command", ["export", "backup"])
def test_two_runs_with_one_name_spoil_neither_each_other_nor_what_is_beside(library, tmp_path,
                                                                            command):
    strange = tmp_path / "out.partial"
    strange.mkdir()
    (strange / "notes").write_text("not ours")
    words = [command, tmp_path / "out", "--data-dir", library["server"].data_dir]
    words += ["--account", "films"] if command == "export" else []
    both = [subprocess.Popen([str(binary()), *map(str, words)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(each.communicate(timeout=120), each.returncode) for each in both]
    assert sorted(code for _, code in ends) == [0, 1], ends
    assert all("is there already" in texts[1] for texts, code in ends if code == 1)
    found = {path.read_bytes() for path in (tmp_path / "out/media").rglob("source")}
    assert clip("exact_4s").read_bytes() in found and clip("tall_25fps").read_bytes() in found
    assert (strange / "notes").read_text() == "not ours"
    assert {path.name for path in tmp_path.iterdir()} >= {"out", "out.partial"}
    assert [path for path in tmp_path.glob("out.partial-*")] == []


def test_folders_may_be_named_with_a_slash_at_the_end(library, tmp_path):
    data = library["server"].data_dir
    succeed("export", f"{tmp_path}/out/", "--data-dir", data, "--account", "films")
    succeed("backup", f"{tmp_path}/backup//", "--data-dir", f"{data}/")
    assert (tmp_path / "out/SHA256SUMS").is_file() and (tmp_path / "backup/kinodex.db").is_file()


def mode(path):
    return path.stat().st_mode & 0o777


def test_what_is_written_is_the_owners_alone_and_other_directories_keep_their_mode(
        library, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    succeed("export", tmp_path / "out", "--data-dir", library["server"].data_dir, "--account",
            "films")
    succeed("import", tmp_path / "out", "--data-dir", shared)
    succeed("backup", tmp_path / "backup", "--data-dir", shared)
    assert mode(shared) == 0o755
    written = [tmp_path / "out", tmp_path / "backup", *(tmp_path / "out").rglob("*"),
               *(tmp_path / "backup").rglob("*"), *shared.rglob("*")]
    assert {mode(path) for path in written if path.is_dir()} == {0o700}
    assert {mode(path) for path in written if path.is_file()} == {0o600}


@pytest.mark.parametrize("command", ["export", "backup"])
def test_data_directory_that_is_none_is_refused_and_not_made(tmp_path, command):
    mistyped = tmp_path / "mistyped"
    fail(command, tmp_path / "out", "--data-dir", mistyped, word=f"no Kinodex data in {mistyped}")
    mistyped.mkdir()
    fail(command, tmp_path / "out", "--data-dir", mistyped, word=f"no Kinodex data in {mistyped}")
    assert list(tmp_path.iterdir()) == [mistyped] and list(mistyped.iterdir()) == []


def test_data_directory_that_cannot_be_written_is_named(tmp_path):
    open_to_all = Path(tempfile.mkdtemp())  # also to whom this is run as
    open_to_all.chmod(0o555)
    try:
        (open_to_all / "kinodex.db").touch()
    except PermissionError:
        open_to_all.chmod(0o755)
        (open_to_all / "kinodex.db").touch()
        open_to_all.chmod(0o555)
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    try:
        done = subprocess.run([str(binary()), "export", str(tmp_path / "out"), "--data-dir",
                               str(open_to_all)], capture_output=True, text=True, **user)
    except PermissionError:
        pytest.skip("the binary is not everybody's to run")
    assert done.returncode == 1
    assert f"the data directory {open_to_all} cannot be written: " in done.stderr


def damage(library):
    """Takes one file away and half of another; returns what is then said of them."""
    media = library["server"].data_dir / "media"
    next(media.rglob(f"{library['image']}/source")).unlink()
    source = next(media.rglob(f"{library['video']}/source"))
    whole = source.stat().st_size
    os.truncate(source, whole // 2)
    return [f"damaged: assets/{library['image']}/source: there is none",
            f"damaged: assets/{library['video']}/source: {whole // 2} bytes instead of {whole}"]


def test_damaged_store_is_copied_as_far_as_it_goes_and_that_is_told(library, start_server,
                                                                    tmp_path):
    data, out = library["server"].data_dir, tmp_path / "out"
    lines = damage(library)
    for words in (["export", out, "--data-dir", data, "--account", "films"],
                  ["import", out, "--data-dir", tmp_path / "target"],
                  ["backup", tmp_path / "backup", "--data-dir", data]):
        done = fail(*words, word="the files of 2 ready assets")
        assert sorted(done.stderr.splitlines())[:2] == sorted(lines)
    tall = clip("tall_25fps").read_bytes()
    for copy in (out, tmp_path / "target", tmp_path / "backup"):
        assert next((copy / "media").rglob(f"{library['tall']}/source")).read_bytes() == tall
    restored = Api(start_server(data_dir=tmp_path / "backup"), library["films"].key)
    assert restored.asset_total() == 3


def test_media_missing_from_an_export_is_told_before_anything_is_imported(library, tmp_path):
    out, data = tmp_path / "out", tmp_path / "target"
    succeed("export", out, "--data-dir", library["server"].data_dir, "--account", "films")
    (out / "media/assets" / library["tall"] / "source").unlink()
    fail("import", out, "--data-dir", data, word=f"{library['tall']}/source is missing")
    assert [path for path in (data / "media").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", ["export", "backup"])
def test_interrupted_copy_leaves_neither_a_draft_nor_a_hold(library, tmp_path, command, number):
    data = library["server"].data_dir
    library["server"].stop()
    words = [command, tmp_path / "out", "--data-dir", data]
    words += ["--account", "films"] if command == "export" else []
    with sqlite3.connect(data / "kinodex.db", isolation_level=None) as database:
        database.execute("BEGIN IMMEDIATE")  # it cannot take its hold meanwhile
        process = subprocess.Popen([str(binary()), *map(str, words)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        wait_until(lambda: list(tmp_path.glob("out.partial-*")), 30, "the draft")
        process.send_signal(number)
        database.execute("COMMIT")
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 128 + number, out + errors
        assert "interrupted" in errors
        assert [path.name for path in tmp_path.iterdir()] == [data.name]
        assert database.execute("SELECT count(*) FROM object_holds").fetchone() == (0,)


def test_hold_of_a_killed_copy_ends_within_minutes(library, tmp_path):
    data = library["server"].data_dir
    with sqlite3.connect(data / "kinodex.db", isolation_level=None) as database:
        kept = "CREATE TRIGGER keep BEFORE DELETE ON object_holds BEGIN SELECT RAISE(IGNORE); END"
        database.execute(kept)  # as a killed run leaves it
        succeed("backup", tmp_path / "out", "--data-dir", data)
        database.execute("DROP TRIGGER keep")
        (until_ms,) = database.execute("SELECT until_ms FROM object_holds").fetchone()
    assert until_ms / 1000 < time.time() + 5 * 60


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
