"""API keys: scopes, ends, rotation and last uses, with the real command beside a running server."""

import re
import subprocess

import pytest
from lib.api import UNKNOWN_ID, Api, refused
from lib.server import ServerFailed, binary, run_keys, wait_until
from media.maker import clip

KEY = re.compile(r"^kx_\S{40}$")


def with_key(server, *words):
    key = run_keys(server.data_dir, "create", "--quiet", *words)
    assert KEY.match(key)
    api = Api(server, key)
    wait_until(lambda: api.get("/assets").status_code != 401, 10, "a new key to be known")
    return api


def command(*words):
    return subprocess.run([binary(), *words], capture_output=True, text=True, timeout=30)


def refused_by_command(data_dir, reason, *words):
    done = command("keys", *words, "--data-dir", data_dir)
    assert done.returncode == 1 and reason in done.stderr, done.stderr
    assert done.stdout == ""


def row_of(server, api):
    hint = api.key[:8]
    return next(line for line in run_keys(server.data_dir, "list").splitlines() if hint in line)


def test_read_key_may_look_and_nothing_else(server):
    api = with_key(server, "--account", "scopes", "--scopes", "read")
    assert api.get("/assets").status_code == 200
    assert api.get("/indexes").status_code == 200
    refused(api.post("/indexes", json={"index_name": "a", "models": []}), 403, "api_not_allowed")
    refused(api.upload(clip("png_128"), expect=None), 403, "api_not_allowed")
    refused(api.delete(f"/assets/{UNKNOWN_ID}"), 403, "api_not_allowed")
    refused(api.get("/admin/accounts"), 403, "api_not_allowed")


def test_write_key_may_change_and_not_look(server):
    api = with_key(server, "--account", "scopes", "--scopes", "write")
    asset = api.upload(clip("png_128"))["_id"]
    refused(api.get(f"/assets/{asset}"), 403, "api_not_allowed")
    assert api.delete(f"/assets/{asset}").status_code == 204


def test_admin_key_sees_what_every_account_uses(server):
    own = with_key(server, "--account", "usage")
    size = len(clip("png_128").read_bytes())
    own.upload(clip("png_128"))
    admin = with_key(server, "--account", "operators", "--scopes", "admin")
    accounts = {each["account_name"]: each for each in admin.get("/admin/accounts").json()["data"]}
    assert accounts["usage"]["assets"] == 1
    assert accounts["usage"]["storage_bytes"] == size
    assert accounts["usage"]["indexed_hours"] == 0
    assert accounts["operators"]["assets"] == 0
    refused(admin.get("/assets"), 403, "api_not_allowed")


def test_expired_key_is_like_an_unknown_one(server):
    # Long enough to be known before it ends, on a machine that is busy too.
    api = with_key(server, "--account", "ends", "--expires", "5s")
    wait_until(lambda: api.get("/assets").status_code == 401, 20, "the key to end")
    refused(api.get("/assets"), 401, "api_key_invalid")
    assert row_of(server, api).endswith("expired")


def test_rotated_key_works_beside_its_heir_until_its_grace_ends(server):
    old = with_key(server, "--account", "rotation", "--scopes", "read,write")
    asset = old.upload(clip("png_128"))["_id"]
    old_id = row_of(server, old).split()[0]
    heir = Api(server, run_keys(server.data_dir, "rotate", old_id, "--quiet"))
    wait_until(lambda: heir.get(f"/assets/{asset}").status_code == 200, 10, "the heir to be known")
    assert old.get(f"/assets/{asset}").status_code == 200
    refused(heir.get("/admin/accounts"), 403, "api_not_allowed")
    run_keys(server.data_dir, "rotate", old_id, "--grace", "0s", "--quiet")
    wait_until(lambda: old.get("/assets").status_code == 401, 10, "the old key to end")
    assert heir.get("/assets").status_code == 200


def test_last_use_is_recorded_before_a_stop(start_server):
    server = start_server()
    api = with_key(server, "--account", "uses")
    assert "never" in row_of(server, api).rsplit(None, 2)[1]
    assert api.get("/assets").status_code == 200
    server.stop()
    last_used = row_of(server, api).rsplit(None, 2)[1]
    assert re.match(r"^20\d\d-\d\d-\d\dT", last_used), last_used
    server.start()


def test_revoked_key_of_the_options_stays_revoked_at_the_next_start(start_server):
    server = start_server()
    own_id = row_of(server, Api(server)).split()[0]
    other = with_key(server, "--account", "others")
    run_keys(server.data_dir, "revoke", own_id)
    server.stop()
    server.start()
    refused(Api(server).get("/assets"), 401, "api_key_invalid")
    assert Api(server, other.key).get("/assets").status_code == 200
    warned = server.events("api_key_ended")
    assert [line["key_id"] for line in warned] == [own_id]
    assert warned[0]["reason"] == "was revoked"


def test_start_is_refused_when_the_only_key_was_revoked(start_server):
    server = start_server()
    own_id = row_of(server, Api(server)).split()[0]
    run_keys(server.data_dir, "revoke", own_id)
    server.stop()
    server.expected_errors.append("start_failed")
    with pytest.raises(ServerFailed, match="no other key works") as failure:
        server.start()
    assert own_id in str(failure.value)


def test_heir_lives_as_long_as_the_old_key_was_to_live(server):
    made = with_key(server, "--account", "lifetimes", "--expires", "90d")
    old_id = row_of(server, made).split()[0]
    assert "ends 20" in run_keys(server.data_dir, "rotate", old_id)
    assert "ends never" in run_keys(server.data_dir, "rotate", old_id, "--expires", "never")
    assert "ends 2099-01-01T00:00:00Z" in run_keys(
        server.data_dir, "rotate", old_id, "--expires", "2099-01-01T00:00:00Z")


def test_expired_key_is_not_rotated(server):
    old = with_key(server, "--account", "late", "--expires", "5s")
    old_id = row_of(server, old).split()[0]
    wait_until(lambda: row_of(server, old).endswith("expired"), 20, "the key to end")
    before = run_keys(server.data_dir, "list")
    refused_by_command(server.data_dir, "expired at 20", "rotate", old_id)
    assert run_keys(server.data_dir, "list") == before


@pytest.mark.parametrize("words,reason", [
    (["--account", b"\xff\xfe"], "UTF-8"), (["--account", ""], "1 to 255 characters"),
    (["--account", "ł" * 256], "1 to 255 characters"), (["--account", "a\nb"], "control"),
    (["--account", "a\x1b[31m"], "control"), (["--name", "a\nb"], "control"),
    (["--name", "\u009b31m"], "control"), (["--name", b"\xff"], "UTF-8"),
    (["--expires", "0d"], "not in the future"),
    (["--expires", "2020-01-01T00:00:00Z"], "not in the future"),
], ids=repr)
def test_names_and_ends_that_no_list_could_show_are_refused(server, words, reason):
    before = run_keys(server.data_dir, "list")
    refused_by_command(server.data_dir, reason, "create", *words)
    assert run_keys(server.data_dir, "list") == before


@pytest.mark.parametrize("words", [
    ["keys", "list"], ["keys", "rotate", UNKNOWN_ID], ["keys", "revoke", UNKNOWN_ID],
    ["webhooks", "list"], ["webhooks", "redeliver", UNKNOWN_ID], ["backup", "nowhere"],
    ["export", "nowhere"]], ids=" ".join)
def test_commands_make_no_data_directory_of_a_mistyped_one(tmp_path, words):
    mistyped = tmp_path / "dtaa"
    done = command(*words, "--data-dir", mistyped)
    assert done.returncode == 1 and f"no Kinodex data in {mistyped}" in done.stderr
    assert not mistyped.exists() and done.stdout == ""
    mistyped.mkdir()
    assert command(*words, "--data-dir", mistyped).returncode == 1
    assert list(mistyped.iterdir()) == []


def test_a_key_made_before_the_first_start_is_good_and_the_making_is_told(start_server, tmp_path):
    data = tmp_path / "new"
    done = command("keys", "create", "--quiet", "--data-dir", data)
    assert done.returncode == 0 and f"made a new database in {data}" in done.stderr
    assert KEY.match(done.stdout.strip())
    assert command("keys", "create", "--quiet", "--data-dir", data).stderr == ""
    server = start_server(data_dir=data)
    assert Api(server, done.stdout.strip()).get("/assets").status_code == 200


def test_unknown_words_and_times_are_refused_by_the_command(server):
    for words in (["--scopes", "read,everything"], ["--expires", "soon"], ["--expires", "9999d9"]):
        try:
            run_keys(server.data_dir, "create", "--account", "bad", *words)
        except AssertionError as problem:
            assert words[0].strip("-") in str(problem)
        else:
            raise AssertionError(f"{words} were taken")
