"""Uploads in parts: sessions and their bounds, chunk URLs, reports, listings, and what comes of it."""

import hashlib
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from lib import parts
from lib.api import ID, MALFORMED_IDS, SECONDS_TIME, UNKNOWN_ID, Api, invalid, missing, refused
from lib.parts import CHUNK, MIB, PATH
from lib.server import binary, wait_until
from media.maker import clip


def padded(name, size):
    """A clip and bytes after its end, which players pass over."""
    data = clip(name).read_bytes()
    return data + bytes(range(256)) * ((size - len(data)) // 256 + 1)


@pytest.fixture(scope="module")
def film():
    """12 MiB and a bit: three chunks, the last one short."""
    return padded("h264_aac", 12 * MIB)[:12 * MIB + 17]


def ready(api, asset):
    def look():
        body = api.get("/assets/" + asset).json()
        assert body["status"] != "failed", body
        return body["status"] == "ready" and body

    return wait_until(look, 60, "the asset")


def fetch(url):
    return httpx.get(url, trust_env=False, timeout=60)


# --- the whole way

def test_upload_in_parts_becomes_an_asset_with_the_same_bytes(api, film):
    session = parts.create(api, film, filename="film.mp4", enable_hls=True, enable_thumbnail=True,
                           user_metadata={"n": 5, "f": 9.3, "b": True, "s": "x"})
    assert ID.match(session["upload_id"]) and ID.match(session["asset_id"])
    assert (session["chunk_size"], session["total_chunks"]) == (CHUNK, 3)
    assert [each["chunk_index"] for each in session["upload_urls"]] == [1, 2, 3]
    assert SECONDS_TIME.match(session["expires_at"])
    before = api.get("/assets/" + session["asset_id"]).json()
    assert before["status"] == "processing" and before["method"] == "multipart"
    assert before["filename"] == "film.mp4" and before["user_metadata"]["n"] == 5
    proofs = parts.put_all(api, session, film)
    first = parts.report(api, session, [proofs[2], proofs[0]]).json()
    assert first == {"asset_id": session["asset_id"], "processed_chunks": 2,
                     "duplicate_chunks": 0, "total_completed": 2}
    last = parts.report(api, session, [proofs[1]]).json()
    assert last["total_completed"] == 3 and last["processed_chunks"] == 1
    got = fetch(last["url"])
    assert got.status_code == 200 and got.content == film
    asset = ready(api, session["asset_id"])
    assert asset["size"] == len(film) and asset["user_metadata"] == {"n": 5, "f": 9.3, "b": True,
                                                                    "s": "x"}
    assert asset["hls"]["status"] == "ready" and asset["thumbnail"]["status"] in (
        "pending", "processing", "ready")
    assert api.delete("/assets/" + session["asset_id"]).status_code == 204
    missing(api.get("/assets/" + session["asset_id"]), session["asset_id"], "assets")


def test_reserved_asset_is_not_listed_before_its_last_report(new_api, film):
    api = new_api()
    session = parts.create(api, film)
    proofs = parts.put_all(api, session, film)
    assert api.asset_total() == 0
    assert parts.report(api, session, proofs[:2]).status_code == 200
    assert api.asset_total() == 0
    missing(api.delete("/assets/" + session["asset_id"]), session["asset_id"], "assets")
    assert parts.report(api, session, proofs[2:]).status_code == 200
    assert [one["_id"] for one in api.get("/assets").json()["data"]] == [session["asset_id"]]


def test_small_image_and_sound_are_one_chunk(api):
    for name, kind in (("png_128", "image"), ("tone_mp3", "audio")):
        session, last = parts.upload(api, clip(name).read_bytes(), type=kind, filename=name)
        assert session["total_chunks"] == 1 and last["url"]
        assert ready(api, session["asset_id"])["filename"] == name


def test_what_the_bytes_are_counts_not_the_declared_type(api):
    session, _ = parts.upload(api, clip("tone_mp3").read_bytes(), type="video")
    assert ready(api, session["asset_id"])["file_type"].startswith("audio/")


def test_file_that_is_no_media_fails_with_the_message_of_a_direct_upload(api):
    session, _ = parts.upload(api, b"just words " * 100)
    body = wait_until(lambda: (b := api.get("/assets/" + session["asset_id"]).json())["status"]
                      == "failed" and b, 30, "the failure")
    assert "Unsupported asset type" in body["error"]["message"]


def test_large_image_passes_for_a_film_only_until_it_is_looked_at(start_server):
    server = start_server("--max-image-bytes", 1000)
    api = Api(server)
    session, _ = parts.upload(api, clip("jpeg_640").read_bytes())
    body = wait_until(lambda: (b := api.get("/assets/" + session["asset_id"]).json())["status"]
                      == "failed" and b, 30, "the failure")
    assert "too large" in body["error"]["message"]
    api.close()


# --- creating

@pytest.mark.parametrize("field", ["filename", "type", "total_size"])
def test_field_of_a_new_session_that_is_missing(api, field):
    body = {"filename": "a.mp4", "type": "video", "total_size": 1}
    del body[field]
    refused(api.post(PATH, json=body), 400, "parameter_not_provided",
            f"The {field} parameter is required but was not provided.")


@pytest.mark.parametrize("field, value", [
    ("filename", ""), ("filename", "x" * 256), ("filename", 5), ("filename", "a\nb"),
    ("type", "document"), ("type", "unknown"), ("type", "Video"), ("type", 1),
    ("total_size", 0), ("total_size", -1), ("total_size", "5"), ("total_size", 1.5),
    ("total_size", 1 << 63), ("total_size", True), ("enable_hls", "true"), ("enable_thumbnail", 1),
    ("user_metadata", '{"a": 1}'), ("user_metadata", [1]), ("user_metadata", {"a": {"b": 1}}),
    ("user_metadata", {f"k{n}": n for n in range(101)})])
def test_field_of_a_new_session_that_is_wrong(api, field, value):
    body = {"filename": "a.mp4", "type": "video", "total_size": 1, field: value}
    invalid(api.post(PATH, json=body), field)


def test_unknown_field_and_broken_body_of_a_new_session(api):
    body = {"filename": "a.mp4", "type": "video", "total_size": 1}
    refused(api.post(PATH, json={**body, "size": 1}), 400, "parameter_unknown")
    refused(api.post(PATH, content=b"{", headers={"content-type": "application/json"}), 400,
            "parameter_invalid")
    refused(api.post(PATH, json=body, key="kx_wrong"), 401, "api_key_invalid")


def test_filename_of_255_characters_is_taken(api):
    session = parts.create(api, 1, filename="é" * 255)
    assert api.get("/assets/" + session["asset_id"]).json()["filename"] == "é" * 255


@pytest.mark.parametrize("kind, code, limit", [
    ("video", "video_filesize_too_large", 10 * 1024 * MIB),
    ("audio", "audio_filesize_too_large", 10 * 1024 * MIB),
    ("image", "media_filesize_too_large", 5 * MIB)])
def test_size_bound_of_each_type(new_api, kind, code, limit):
    api = new_api()
    assert parts.create(api, limit, type=kind)["total_chunks"] <= 2048
    refused(api.post(PATH, json={"filename": "a", "type": kind, "total_size": limit + 1}), 400,
            code, pattern="too large")


def test_bound_is_an_option_and_chunks_grow_beyond_2048_of_them(start_server):
    server = start_server("--max-multipart-bytes", 20 * 1024 * MIB)
    api = Api(server)
    session = parts.create(api, 20 * 1024 * MIB)
    assert (session["chunk_size"], session["total_chunks"]) == (10 * MIB, 2048)
    refused(api.post(PATH, json={"filename": "a", "type": "video",
                                 "total_size": 20 * 1024 * MIB + 1}), 400,
            "video_filesize_too_large", pattern="smaller than 20 GB|less than 20 GB")
    api.close()


def test_account_has_at_most_100_open_sessions_and_others_are_not_held_up(new_api):
    api = new_api()
    last = [parts.create(api, 3) for _ in range(100)][-1]
    refused(api.post(PATH, json={"filename": "a", "type": "video", "total_size": 1}), 403,
            "upload_sessions_limit_exceeded", pattern="100 open upload sessions")
    parts.create(new_api(), 1)
    etag = parts.put_etag(api, last, 1, b"abc")
    assert parts.report(api, last, [parts.proof(1, etag, 3)]).status_code == 200
    parts.create(api, 1)


def test_storage_quota_counts_what_sessions_have_announced(start_server):
    server = start_server("--quota-bytes", 1000)
    api = Api(server)
    session = parts.create(api, 600)
    refused(api.post(PATH, json={"filename": "a", "type": "video", "total_size": 401}), 400,
            "usage_limit_exceeded", pattern="storage quota")
    parts.create(api, 400)
    etag = parts.put_etag(api, session, 1, b"x" * 600)
    assert parts.report(api, session, [parts.proof(1, etag, 600)]).status_code == 200
    refused(api.post(PATH, json={"filename": "a", "type": "video", "total_size": 1}), 400,
            "usage_limit_exceeded")
    api.close()


def test_first_urls_are_enough_for_two_batches_and_bounded(api):
    assert len(parts.create(api, 20 * CHUNK)["upload_urls"]) == 20
    session = parts.create(api, 21 * CHUNK)
    assert len(session["upload_urls"]) == 20 and session["total_chunks"] == 21


# --- more URLs

def test_more_urls_are_made_for_the_span_asked_for_and_end_with_the_file(api):
    session = parts.create(api, 60 * CHUNK)
    more = parts.more_urls(api, session, 21, 10)
    assert (more["start_index"], more["count"]) == (21, 10)
    assert [each["chunk_index"] for each in more["upload_urls"]] == list(range(21, 31))
    assert SECONDS_TIME.match(more["generated_at"]) and SECONDS_TIME.match(more["expires_at"])
    assert len(parts.more_urls(api, session, 1, 50)["upload_urls"]) == 50
    tail = parts.more_urls(api, session, 58, 50)
    assert tail["count"] == 3 == len(tail["upload_urls"])


@pytest.mark.parametrize("field, value", [
    ("start", 0), ("start", -1), ("start", "1"), ("start", 4), ("count", 0), ("count", 51),
    ("count", 1.5), ("count", "1")])
def test_span_of_urls_that_is_wrong(api, field, value):
    session = parts.create(api, 3 * CHUNK)
    body = {"start": 1, "count": 1, field: value}
    invalid(api.post(f"{PATH}/{session['upload_id']}/presigned-urls", json=body), field)


def test_span_of_urls_that_is_missing(api):
    session = parts.create(api, 1)
    for field in ("start", "count"):
        body = {"start": 1, "count": 1}
        del body[field]
        refused(api.post(f"{PATH}/{session['upload_id']}/presigned-urls", json=body), 400,
                "parameter_not_provided")


# --- putting chunks

def test_chunk_comes_with_a_length_or_in_chunked_coding(api, film):
    session = parts.create(api, film)
    pieces = parts.chunks_of(film)
    known = parts.put_etag(api, session, 1, pieces[1])
    streamed = parts.put_etag(api, session, 1, (pieces[1][at:at + 70_000]
                                                for at in range(0, CHUNK, 70_000)))
    assert known == streamed
    assert parts.put_etag(api, session, 2, iter([pieces[2]])) != known


@pytest.mark.parametrize("index, size, told", [
    (1, CHUNK - 1, CHUNK - 1), (1, 0, 0), (1, CHUNK + 1, None), (1, 3 * CHUNK, None),
    (3, 18, None), (3, 16, 16)], ids=["short", "empty", "long", "very long", "last long",
                                      "last short"])
def test_chunk_of_the_wrong_size_is_refused_and_stays_pending(api, index, size, told):
    session = parts.create(api, 2 * CHUNK + 17)
    wanted = CHUNK if index < 3 else 17
    response = parts.put(api, session, index, b"\x01" * size)
    refused(response, 400, "chunk_size_invalid",
            pattern=f"Chunk {index} must have exactly {wanted} bytes, not "
                    + (str(told) if told is not None else "[0-9]+"))
    refused(parts.report(api, session, [parts.proof(index, "0" * 64, wanted)]), 400,
            "chunk_not_uploaded")
    parts.put_etag(api, session, index, b"\x01" * wanted)


@pytest.mark.parametrize("change", [
    lambda u: u.replace("signature=", "signature=A"),
    lambda u: u.replace("expires=", "expires=9"),
    lambda u: u.replace("/chunks/1?", "/chunks/2?"),
    lambda u: u.split("?")[0],
    lambda u: u.replace("/media/uploads/", "/media/uploads/0"),
    lambda u: u.replace("/chunks/1?", "/chunks/x?")],
    ids=["signature", "expiry", "another chunk", "no query", "another session", "no number"])
def test_changed_chunk_url_is_403(api, change):
    session = parts.create(api, 2 * CHUNK)
    url = change(parts.url_of(api, session, 1))
    for body in (b"", b"x" * CHUNK):
        refused(api.put(url, key=False, content=body), 403, "upload_url_invalid")


def test_chunk_url_ends_after_about_an_hour(server, api):
    session = parts.create(api, 3)
    url = parts.url_of(api, session, 1)
    expires = int(urlsplit(url).query.split("expires=")[1].split("&")[0])
    assert 3590 <= expires - parts.in_an_hour() + 3600 <= 3600 + 370
    path = url.split("?")[0]
    scope = path.removeprefix("/media/")
    assert url == f"{path}?{parts.sign(server, scope, expires)}"  # so the next one is signed right
    past = f"{path}?{parts.sign(server, scope, parts.in_an_hour() - 3601)}"
    refused(api.put(past, key=False, content=b"abc"), 403, "upload_url_invalid")


def test_chunk_url_takes_nothing_but_put_and_is_no_key_to_anything_else(server, api):
    session = parts.create(api, 3)
    url = parts.url_of(api, session, 1)
    assert api.get(url, key=False).status_code == 405
    query = url.split("?")[1]
    refused(api.get(f"/media/assets/{session['asset_id']}/source?{query}", key=False), 403,
            "media_signature_invalid")


def test_chunk_can_be_put_again_until_it_is_reported(api):
    session = parts.create(api, CHUNK + 5)
    one, two = b"\x01" * CHUNK, b"\x02" * CHUNK
    first = parts.put_etag(api, session, 1, one)
    assert parts.put_etag(api, session, 1, one) == first
    second = parts.put_etag(api, session, 1, two)
    assert second != first
    refused(parts.report(api, session, [parts.proof(1, first, CHUNK)]), 400,
            "chunk_proof_invalid", pattern="chunk 1")
    assert parts.report(api, session, [parts.proof(1, second, CHUNK)]).status_code == 200
    refused(parts.put(api, session, 1, one), 400, "chunk_already_reported")
    etag = parts.put_etag(api, session, 2, b"abcde")
    last = parts.report(api, session, [parts.proof(2, etag, 5)]).json()
    assert fetch(last["url"]).content == two + b"abcde"


def break_off(server, url, size, sent):
    """Begins a PUT of `size` bytes, sends some of them, and breaks the connection."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n"
                           .encode() + b"\xee" * sent)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(10)
        while connection.recv(65536):
            pass


def test_put_that_breaks_off_leaves_an_acknowledged_chunk_as_it_was(server, api):
    session = parts.create(api, CHUNK)
    etag = parts.put_etag(api, session, 1, b"\x01" * CHUNK)
    break_off(server, parts.url_of(api, session, 1), CHUNK, CHUNK - 1)
    last = parts.report(api, session, [parts.proof(1, etag, CHUNK)]).json()
    assert fetch(last["url"]).content == b"\x01" * CHUNK


def test_put_that_breaks_off_leaves_a_pending_chunk_pending(server, api):
    session = parts.create(api, CHUNK)
    break_off(server, parts.url_of(api, session, 1), CHUNK, CHUNK // 2)
    whole = hashlib.sha256(b"\xee" * CHUNK).hexdigest()
    refused(parts.report(api, session, [parts.proof(1, whole, CHUNK)]), 400, "chunk_not_uploaded")
    parts.put_etag(api, session, 1, b"\x01" * CHUNK)


def test_put_that_stalls_does_not_hold_up_the_next_one(server, api):
    session = parts.create(api, CHUNK)
    url = parts.url_of(api, session, 1)
    with socket.create_connection(("127.0.0.1", server.port), 10) as stalled:
        stalled.settimeout(20)
        stalled.sendall(f"PUT {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {CHUNK}\r\n"
                        "Expect: 100-continue\r\n\r\n".encode())
        # Asked for its bytes it has begun, so the next one is the later of the two.
        assert stalled.recv(65536).startswith(b"HTTP/1.1 100 ")
        stalled.sendall(b"\xee" * (2 * MIB))
        data = b"\x01" * CHUNK
        etag = parts.put_etag(api, session, 1, data)
        # The stalled one goes on, and must not reach the bytes that were acknowledged.
        stalled.sendall(b"\xee" * (CHUNK - 2 * MIB))
        answer = stalled.recv(65536).split(b"\r\n")[0]
        assert b" 409 " in answer, answer
    last = parts.report(api, session, [parts.proof(1, etag, CHUNK)]).json()
    assert fetch(last["url"]).content == data


def test_same_chunk_in_parallel_ends_as_one_of_those_that_were_acknowledged(new_api):
    """Eight writers of one chunk with bytes of their own: the one ETag that can be reported is
    that of the bytes that are there, and nobody's bytes are mixed in."""
    api = new_api()
    for _ in range(6):
        session = parts.create(api, CHUNK)
        contents = [bytes([n]) * CHUNK for n in range(8)]
        start = threading.Barrier(8)

        def put(content):
            start.wait()
            return parts.put(api, session, 1, content)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(put, contents))
        assert {each.status_code for each in answers} <= {200, 409}
        etags = {each.headers["etag"].strip('"'): content
                 for each, content in zip(answers, contents) if each.status_code == 200}
        assert etags
        taken = [etag for etag in etags
                 if parts.report(api, session, [parts.proof(1, etag, CHUNK)]).status_code == 200]
        # Once one is reported, the others' reports are duplicates.
        url = parts.report(api, session, [parts.proof(1, taken[0], CHUNK)]).json()["url"]
        assert fetch(url).content == etags[taken[0]]


def test_same_bytes_in_parallel_are_acknowledged_alike(api):
    session = parts.create(api, CHUNK)
    data = b"\x07" * CHUNK
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: parts.put(api, session, 1, data), range(4)))
    assert {each.status_code for each in answers} <= {200, 409}
    assert {each.headers["etag"] for each in answers if each.status_code == 200} == {
        '"' + hashlib.sha256(data).hexdigest() + '"'}
    etag = parts.put_etag(api, session, 1, data)
    last = parts.report(api, session, [parts.proof(1, etag, CHUNK)]).json()
    assert fetch(last["url"]).content == data


# --- reporting

def test_repeats_are_counted_and_otherwise_ignored(api, film):
    session = parts.create(api, film)
    proofs = parts.put_all(api, session, film)
    both = parts.report(api, session, [proofs[0], proofs[0], proofs[1]]).json()
    assert (both["processed_chunks"], both["duplicate_chunks"], both["total_completed"]) == (2, 1, 2)
    again = parts.report(api, session, [{**proofs[0], "proof": "x", "chunk_size": 9}]).json()
    assert (again["processed_chunks"], again["duplicate_chunks"]) == (0, 1) and "url" not in again
    last = parts.report(api, session, proofs).json()
    assert (last["processed_chunks"], last["duplicate_chunks"], last["total_completed"]) == (1, 2, 3)
    after = parts.report(api, session, proofs).json()  # as after an answer that was lost
    assert after["duplicate_chunks"] == 3 and after["url"] and after["total_completed"] == 3


def test_proof_may_have_the_quotes_of_its_header(api):
    session = parts.create(api, 3)
    etag = parts.put_etag(api, session, 1, b"abc")
    assert parts.report(api, session, [parts.proof(1, f'"{etag}"', 3)]).status_code == 200


def test_report_with_one_bad_chunk_changes_nothing(api, film):
    session = parts.create(api, film)
    proofs = parts.put_all(api, session, film)
    bad = {**proofs[1], "proof": "0" * 64}
    refused(parts.report(api, session, [proofs[0], bad]), 400, "chunk_proof_invalid")
    refused(parts.report(api, session, [proofs[0], {**proofs[2], "chunk_size": CHUNK}]), 400,
            "chunk_size_invalid", pattern=f"exactly {len(film) - 2 * CHUNK} bytes, not {CHUNK}")
    invalid(parts.report(api, session, [proofs[0], parts.proof(4, "0" * 64, 1)]), "chunk_index")
    assert parts.status(api, session)["chunks_completed"] == 0


@pytest.mark.parametrize("chunks", [
    None, [], "x", {}, [1], [None], [[]], [{}],
    [{"chunk_index": 1, "proof": "x", "proof_type": "etag"}],
    [{"chunk_index": 0, "proof": "x", "proof_type": "etag", "chunk_size": 1}],
    [{"chunk_index": "1", "proof": "x", "proof_type": "etag", "chunk_size": 1}],
    [{"chunk_index": 1, "proof": "", "proof_type": "etag", "chunk_size": 1}],
    [{"chunk_index": 1, "proof": "x" * 257, "proof_type": "etag", "chunk_size": 1}],
    [{"chunk_index": 1, "proof": "x", "proof_type": "md5", "chunk_size": 1}],
    [{"chunk_index": 1, "proof": "x", "proof_type": "etag", "chunk_size": 0}],
    [{"chunk_index": 1, "proof": "x", "proof_type": "etag", "chunk_size": 1, "more": 1}],
    [{"chunk_index": 1, "proof": "x", "proof_type": "etag", "chunk_size": 1}] * 51])
def test_malformed_report(api, chunks):
    session = parts.create(api, 3)
    response = parts.report(api, session, chunks)
    if chunks is None:
        refused(response, 400, "parameter_not_provided")
    else:
        invalid(response, "completed_chunks")


def test_fifty_chunks_in_one_report(api):
    session = parts.create(api, 50 * CHUNK)
    etag = parts.put_etag(api, session, 1, b"\x00" * CHUNK)
    answer = parts.report(api, session, [parts.proof(1, etag, CHUNK)] * 50).json()
    assert (answer["processed_chunks"], answer["duplicate_chunks"]) == (1, 49)


# --- looking

def test_status_lists_every_chunk_from_the_start_in_pages(api):
    session = parts.create(api, 36 * CHUNK + 1)
    etag = parts.put_etag(api, session, 2, b"\x00" * CHUNK)
    seen = []
    for page in range(1, 6):
        body = parts.status(api, session, page=page)
        assert body["page_info"] == {"limit_per_page": 10, "page": page, "total_page": 4,
                                     "total_results": 37}
        seen += body["uploaded_chunks"]
    assert [each["index"] for each in seen] == list(range(1, 38))
    assert {each["status"] for each in seen} == {"pending"}
    assert all(each["uploaded_at"] is None for each in seen)
    parts.report(api, session, [parts.proof(2, etag, CHUNK)])
    body = parts.status(api, session, page_limit=50)
    assert [each["index"] for each in body["uploaded_chunks"] if each["status"] == "completed"] == [2]
    assert SECONDS_TIME.match(body["uploaded_chunks"][1]["uploaded_at"])
    assert (body["chunks_completed"], body["chunks_failed"], body["chunks_pending"]) == (1, 0, 36)
    assert (body["status"], body["total_size"], body["uploaded_size"]) == (
        "active", 36 * CHUNK + 1, CHUNK)


def test_completed_session_can_be_looked_at_and_takes_nothing_more(api):
    session, _ = parts.upload(api, b"abc")
    body = parts.status(api, session)
    assert (body["status"], body["chunks_completed"], body["uploaded_size"]) == ("completed", 1, 3)
    refused(parts.put(api, session, 1, b"abc"), 400, "upload_session_completed")
    refused(api.post(f"{PATH}/{session['upload_id']}/presigned-urls",
                     json={"start": 1, "count": 1}), 400, "upload_session_completed")


def test_list_has_incomplete_sessions_newest_first_in_pages(new_api):
    api = new_api()
    made = [parts.create(api, n + 1)["upload_id"] for n in range(17)]
    done, _ = parts.upload(api, b"abc")
    seen, page = [], 1
    while data := (body := api.get(PATH, {"page": page, "page_limit": 5}).json())["data"]:
        assert body["page_info"]["total_results"] == 17 and body["page_info"]["total_page"] == 4
        seen += data
        page += 1
    assert page == 5
    assert [each["upload_id"] for each in seen] == made[::-1]
    assert done["upload_id"] not in made
    assert seen[0]["status"] == "active" and seen[0]["total_size"] == 17
    assert set(seen[0]) == {"upload_id", "status", "total_size", "chunk_size", "total_chunks",
                            "created_at", "expires_at"}


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_limit=0", "page_limit=51"])
def test_bad_page(api, query):
    session = parts.create(api, 1)
    for path in (PATH, f"{PATH}/{session['upload_id']}"):
        invalid(api.get(path, query), query.split("=")[0])


@pytest.mark.parametrize("malformed", MALFORMED_IDS[:4])
def test_malformed_and_unknown_sessions(api, malformed):
    for path, call in session_calls(api):
        invalid(call(path(malformed)), "upload_id")
        missing(call(path(UNKNOWN_ID)), UNKNOWN_ID, "multipart-uploads")


def session_calls(api):
    chunk = parts.proof(1, "x", 1)
    return [(lambda one: f"{PATH}/{one}", api.get),
            (lambda one: f"{PATH}/{one}",
             lambda path: api.post(path, json={"completed_chunks": [chunk]})),
            (lambda one: f"{PATH}/{one}/presigned-urls",
             lambda path: api.post(path, json={"start": 1, "count": 1}))]


def test_session_of_another_account_does_not_exist(api, stranger):
    session = parts.create(api, 3)
    for path, call in session_calls(stranger):
        missing(call(path(session["upload_id"])), session["upload_id"], "multipart-uploads")
    missing(stranger.get("/assets/" + session["asset_id"]), session["asset_id"], "assets")
    listed = stranger.get(PATH, {"page_limit": 50}).json()["data"]
    assert session["upload_id"] not in [each["upload_id"] for each in listed]


# --- the end of a session

def test_expired_session_is_shown_refuses_every_write_and_frees_its_bytes(start_server):
    server = start_server("--multipart-ttl-sec", 2)
    api = Api(server)
    session = parts.create(api, 2 * CHUNK)
    etag = parts.put_etag(api, session, 1, b"\x01" * CHUNK)
    kept = parts.upload(api, b"abc")[0]

    def files():
        return [path for path in server.data_dir.rglob("*.parts") if path.is_file()]

    assert len(files()) == 1
    wait_until(lambda: parts.status(api, session)["status"] == "expired", 10, "the expiry")
    refused(parts.report(api, session, [parts.proof(1, etag, CHUNK)]), 400,
            "upload_session_expired")
    refused(api.post(f"{PATH}/{session['upload_id']}/presigned-urls",
                     json={"start": 1, "count": 1}), 400, "upload_session_expired")
    url = next(each["url"] for each in session["upload_urls"])
    refused(api.put(parts.local(url), key=False, content=b"\x01" * CHUNK), 400,
            "upload_session_expired")
    missing(api.get("/assets/" + session["asset_id"]), session["asset_id"], "assets")
    wait_until(lambda: not files(), 10, "its bytes to be freed")
    ended = parts.status(api, session)
    assert (ended["status"], ended["chunks_failed"], ended["chunks_pending"]) == ("expired", 2, 0)
    assert [each["status"] for each in ended["uploaded_chunks"]] == ["failed", "failed"]
    assert "expired" in ended["uploaded_chunks"][0]["error"], "what waits for it can end"
    assert [each["status"] for each in api.get(PATH).json()["data"]] == ["expired"]
    assert parts.status(api, kept)["status"] == "completed"
    api.close()


def test_sessions_outlive_a_restart_and_the_sweep(start_server, tmp_path):
    server = start_server(data_dir=tmp_path / "kept")
    api = Api(server)
    session = parts.create(api, CHUNK + 1)
    etag = parts.put_etag(api, session, 1, b"\x01" * CHUNK)
    api.close()
    server.kill()
    server.start()
    api = Api(server)
    wait_until(lambda: server.events("swept_orphans"), 20, "the sweep")
    assert parts.report(api, session, [parts.proof(1, etag, CHUNK)]).status_code == 200
    etag = parts.put_etag(api, session, 2, b"\x02")
    last = parts.report(api, session, [parts.proof(2, etag, 1)]).json()
    assert fetch(last["url"]).content == b"\x01" * CHUNK + b"\x02"
    api.close()


def test_backup_has_finished_uploads_and_ends_open_sessions(start_server, tmp_path):
    server = start_server()
    api = Api(server)
    done = parts.upload(api, clip("png_128").read_bytes(), type="image")[0]
    open_one = parts.create(api, 3)
    etag = parts.put_etag(api, open_one, 1, b"abc")
    # One of two chunks is reported: for the copy, whose file has none of its bytes, it may not count.
    begun = parts.create(api, CHUNK + 1)
    first = parts.proof(1, parts.put_etag(api, begun, 1, b"\x01" * CHUNK), CHUNK)
    assert parts.report(api, begun, [first]).status_code == 200
    run_backup = subprocess.run([str(binary()), "backup", str(tmp_path / "backup"), "--data-dir",
                                 str(server.data_dir)], capture_output=True, text=True, timeout=60)
    assert run_backup.returncode == 0, run_backup.stderr
    assert parts.report(api, open_one, [parts.proof(1, etag, 3)]).status_code == 200
    api.close()
    copy = Api(start_server(data_dir=tmp_path / "backup", key=server.key))
    assert ready(copy, done["asset_id"])["size"] == clip("png_128").stat().st_size
    for session, proof in ((open_one, parts.proof(1, etag, 3)), (begun, first)):
        assert parts.status(copy, session)["status"] == "expired"
        refused(parts.report(copy, session, [proof]), 400, "upload_session_expired")
        missing(copy.get("/assets/" + session["asset_id"]), session["asset_id"], "assets")
    assert [path.name for path in (tmp_path / "backup").rglob("*.parts")] == []
    again = parts.upload(copy, clip("png_128").read_bytes(), type="image")[0]
    assert ready(copy, again["asset_id"])
    copy.close()


# --- the source URL

def test_source_url_serves_ranges_and_ends_with_the_asset(api):
    session, last = parts.upload(api, clip("png_128").read_bytes(), type="image")
    ready(api, session["asset_id"])
    url = parts.local(last["url"])
    whole = api.get(url, key=False)
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == "attachment"
    part = api.get(url, key=False, headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    assert api.get(url, key=False, headers={"range": "bytes=99999999-"}).status_code == 416
    same = {"if-none-match": whole.headers["etag"]}
    assert api.get(url, key=False, headers=same).status_code == 304
    refused(api.get(url.replace("signature=", "signature=A"), key=False), 403,
            "media_signature_invalid")
    api.delete("/assets/" + session["asset_id"])
    missing(api.get(url, key=False), session["asset_id"], "assets")
