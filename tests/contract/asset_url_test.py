"""POST /assets with method=url, against web servers that behave and ones that do not.

What is fetched may be anything; where it is fetched from may be hostile. Each refusal has its code,
leaves nothing behind, and ends in bounded time.
"""

import gzip
import hashlib
import re
import socket
import sqlite3
import subprocess
import threading

import pytest

from lib.api import ID, Api, invalid, refused
from lib.multipart import Part, encode
from lib.server import Server, ServerFailed, make_key, memory_kb, reset_peak_memory, wait_until
from lib.url_server import UrlServer, left_behind, make_certificate, padded, stored_sha256
from media.maker import clip

MB = 1 << 20


@pytest.fixture(scope="module")
def web():
    with UrlServer() as one:
        yield one


@pytest.fixture(scope="module")
def site(web, tmp_path_factory):
    """A server that may fetch from `web`, and loses patience quickly."""
    one = Server(tmp_path_factory.mktemp("site"), "--allow-url-hosts", web.host_port,
                 "--url-timeout-sec", 1).start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def api(site):
    one = Api(site)
    yield one
    one.close()


@pytest.fixture
def nothing_left(site, api):
    """The refusal under test leaves no row and no file."""
    rows, files = api.asset_total(), set(left_behind(site))
    yield
    assert api.asset_total() == rows
    wait_until(lambda: set(left_behind(site)) <= files, 5, "drafts to go")


def create(api, url, **fields):
    parts = [Part("method", "url"), Part("url", url)]
    return api.post_form(parts + [Part(name, value) for name, value in fields.items()])


def made(api, url, **fields):
    response = create(api, url, **fields)
    assert response.status_code == 201, response.text
    return response.json()


def ready(api, asset_id, limit_sec=60):
    path = "/assets/" + asset_id
    wait_until(lambda: api.get(path).json()["status"] != "processing", limit_sec, "the asset")
    body = api.get(path).json()
    assert body["status"] == "ready", body
    return body


def not_accessible(response, url):
    return refused(response, 400, "media_url_not_accessible",
                   f"Cannot access the media URL {url}. The server responded with an error. Please "
                   "verify the URL is correct and publicly accessible.")


# --- what works -----------------------------------------------------------------------------------

def test_small_video_is_ready_at_once(api, site, web):
    data = clip("h264_aac").read_bytes()
    url = web.file("/films/My%20film.mp4", data)
    body = made(api, url, enable_hls="true", enable_thumbnail="true", user_metadata='{"a": 1}')
    assert ID.match(body["_id"])
    assert (body["method"], body["status"]) == ("url", "ready")
    assert (body["filename"], body["file_type"]) == ("My film.mp4", "video/mp4")
    assert body["user_metadata"] == {"a": 1}
    detail = api.get("/assets/" + body["_id"]).json()
    assert detail["size"] == len(data)
    assert detail["hls"]["status"] == "ready"
    assert stored_sha256(site, body["_id"]) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name, kind", [("tone_mp3", "audio/mpeg"), ("jpeg_640", "image/jpeg"),
                                        ("vp9_opus", "video/webm")])
def test_other_media(api, web, name, kind):
    # What the server says of them does not count.
    url = web.file("/" + name, clip(name).read_bytes(), content_type="application/octet-stream")
    body = made(api, url)
    assert (body["status"], body["file_type"]) == ("ready", kind)


@pytest.mark.parametrize("path, given, name", [
    ("/named?x=/y.mp4#z", None, "named"),
    ("/folder/", None, "upload"),
    ("/", None, "upload"),
    ("/%E2%82%AC.mp4", None, "€.mp4"),
    ("/a%0Ab", None, "upload"),
    ("/%FF", None, "upload"),
    ("/" + "n" * 256, None, "upload"),
    ("/given", "mine.mp4", "mine.mp4"),
])
def test_filename(api, web, path, given, name):
    web.file(path.partition("?")[0], clip("png_128").read_bytes())
    more = {} if given is None else {"filename": given}
    assert made(api, web.url(path), **more)["filename"] == name


def test_unannounced_and_chunked_bodies(api, site, web):
    data = clip("h264_aac").read_bytes()
    web.on("/until-closed", lambda talk: talk.answer(200, None) and talk.send(data))

    def chunks(talk):
        talk.answer(200, None, Transfer_Encoding="chunked")
        for at in range(0, len(data), 10_000):
            piece = data[at:at + 10_000]
            talk.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        talk.send(b"0\r\n\r\n")
    web.on("/chunked", chunks)
    for path in ("/until-closed", "/chunked"):
        body = made(api, web.url(path))
        assert api.get("/assets/" + body["_id"]).json()["size"] == len(data)


def test_redirects_are_followed(api, web):
    web.file("/end.png", clip("png_128").read_bytes())
    web.on("/start", lambda talk: talk.answer(302, Location="/middle/x"))
    web.on("/middle/x", lambda talk: talk.answer(307, Location="../end.png"))
    body = made(api, web.url("/start"))
    assert (body["status"], body["filename"]) == ("ready", "start")


def test_method_decides_when_both_are_given(api, web, nothing_left):
    url = web.file("/both.png", clip("png_128").read_bytes())
    parts = [Part("file", b"just words", filename="a.mp4"), Part("method", "url"), Part("url", url)]
    body = api.post_form(parts).json()
    assert (body["method"], body["filename"], body["status"]) == ("url", "both.png", "ready")
    assert api.delete("/assets/" + body["_id"]).status_code == 204


def test_https_with_a_certificate_of_an_own_authority(start_server, tmp_path):
    names = (tmp_path / "cert.pem", tmp_path / "key.pem")
    make_certificate(*names)
    with UrlServer(certificate=names) as secure:
        url = secure.file("/a.png", clip("png_128").read_bytes())
        assert url.startswith("https://")
        trusting = Api(start_server("--allow-url-hosts", secure.host_port, "--ca-file", names[0]))
        assert made(trusting, url)["status"] == "ready"
        wary = Api(start_server("--allow-url-hosts", secure.host_port))
        not_accessible(create(wary, url), url)


# --- the form -------------------------------------------------------------------------------------

@pytest.mark.parametrize("url", ["a.mp4", "/a.mp4", "file:///etc/passwd", "ftp://127.0.0.1/a",
                                 "data:video/mp4;base64,AAAA", "http://", "http:/127.0.0.1/a",
                                 "http://user:word@127.0.0.1/a", "http://127.0.0.1:0/a",
                                 "http://a b/", "gopher://127.0.0.1/", "javascript:1"])
def test_url_that_is_none(api, nothing_left, url):
    invalid(create(api, url), "url")


def test_url_length_has_a_bound(api, web, nothing_left):
    start = web.url("/")
    longest = start + "a" * (8192 - len(start))
    not_accessible(create(api, longest), longest)  # 404
    invalid(create(api, longest + "a"), "url")


# --- what is not media ----------------------------------------------------------------------------

MPD = b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"></MPD>'
LIVE = {
    "m3u8 by its bytes": ("video/mp4", b"#EXTM3U\n#EXT-X-VERSION:3\n"),
    "m3u8 by its type": ("application/vnd.apple.mpegurl", b""),
    "dash": ("application/octet-stream", MPD),
}
PAGES = {
    "text/html": ("text/html; charset=utf-8", b"<!DOCTYPE html>\n<title>Watch</title>"),
    "application/json": ("application/json", b'{"error": "sign in"}'),
    "application/zip": ("video/mp4", b"PK\x03\x04" + bytes(5000)),
    "text/plain": ("text/plain", b"just words, " * 500),
}


@pytest.mark.parametrize("name", LIVE)
def test_playlists_are_live_streams(api, web, nothing_left, name):
    kind, data = LIVE[name]
    refused(create(api, web.file("/live", data, kind)), 400, "video_file_live",
            "Live video streams are not supported. Please provide a URL that is not a live stream.")


def test_endless_streams_are_not_waited_for(api, web, nothing_left):
    gone = threading.Event()

    def radio(head):
        def serve(talk):
            talk.send(head)
            while talk.send(bytes(4096)):
                pass
            gone.set()
        return serve

    for head in (b"ICY 200 OK\r\nicy-name:x\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nicy-br: 128\r\n\r\n",
                 b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"):
        gone.clear()
        refused(create(api, web.on("/radio", radio(head))), 400, "video_file_live")
        assert gone.wait(10), "the connection stays open"


@pytest.mark.parametrize("detected", PAGES)
def test_what_is_not_media_is_named(api, web, nothing_left, detected):
    kind, data = PAGES[detected]
    refused(create(api, web.file("/page", data, kind)), 400, "media_url_unsupported_format",
            "The file at the provided URL is not a supported media format. Detected format: "
            f"{detected}. Please provide a valid asset file.")


def test_a_page_is_refused_without_fetching_all_of_it(api, web, nothing_left):
    gone = threading.Event()

    def page(talk):
        talk.answer(200, None, Content_Type="text/html", Content_Length=1 << 40)
        while talk.send(b"<html>" + bytes(10_000)):
            pass
        gone.set()
    url = web.on("/huge-page", page)
    refused(create(api, url), 400, "video_filesize_too_large", pattern="4 GB")
    assert gone.wait(10)
    gone.clear()

    def unannounced(talk):
        talk.answer(200, None, Content_Type="text/html")
        while talk.send(b"<html>" + bytes(10_000)):
            pass
        gone.set()
    url = web.on("/huge-page", unannounced)
    refused(create(api, url), 400, "media_url_unsupported_format")
    assert gone.wait(10)


def refused_as(response, *codes):
    assert response.status_code == 400 and response.json()["code"] in codes, response.text


def test_broken_media(api, web, nothing_left):
    data = clip("h264_moov_last").read_bytes()
    broken = web.file("/broken.mp4", data[:len(data) // 2])
    refused(create(api, broken), 400, "media_url_file_broken",
            "Cannot read the media file at the specified URL. Please verify the file is valid and "
            "try again.")
    picture = clip("jpeg_640").read_bytes()
    refused(create(api, web.file("/broken.jpg", picture[:200])), 400, "media_url_file_broken")
    refused_as(create(api, web.file("/empty", b"")), "media_url_file_broken",
               "media_url_unsupported_format")


def test_bounds_of_media_hold(api, web, nothing_left):
    refused(create(api, web.file("/s.mp4", clip("short_3900ms").read_bytes())), 400,
            "video_duration_too_short")
    refused(create(api, web.file("/p.png", clip("png_127").read_bytes())), 400,
            "parameter_invalid", pattern="below the minimum")


# --- servers that refuse or misbehave --------------------------------------------------------------

@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 429, 500, 503])
def test_statuses_that_are_not_200(api, web, nothing_left, status):
    url = web.on("/status", lambda talk: talk.answer(status, b"secret details"))
    body = not_accessible(create(api, url), url)
    assert "secret" not in str(body)


def test_nobody_there(api, nothing_left):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/a", "http://nobody.invalid/a.mp4"):
        not_accessible(create(api, url), url)


@pytest.mark.parametrize("answer", [b"", b"hello", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
                                    b"chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\nabc"],
                         ids=["nothing", "no HTTP", "a coding", "a huge head"])
def test_answers_that_are_none(api, web, nothing_left, answer):
    url = web.on("/odd", lambda talk: talk.send(answer))
    not_accessible(create(api, url), url)


def test_silence_ends(api, web, nothing_left):
    url = web.on("/silent", lambda talk: talk.until_gone())
    not_accessible(create(api, url), url)


def test_drip_ends(api, web, nothing_left):
    closed = threading.Event()

    def drip(talk):
        talk.answer(200, None, Content_Length=1000)
        while talk.send(b"x") and not closed.wait(0.1):
            pass
    url = web.on("/drip", drip)
    response = create(api, url)
    closed.set()
    not_accessible(response, url)


def test_length_that_promises_too_much(api, web, nothing_left):
    data = clip("h264_aac").read_bytes()
    url = web.on("/short", lambda talk: talk.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(data) + 1) + data))
    not_accessible(create(api, url), url)


def test_length_that_promises_too_little(api, web, nothing_left):
    data = clip("h264_moov_last").read_bytes()
    url = web.on("/long", lambda talk: talk.send(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + data))
    refused(create(api, url), 400, "media_url_file_broken")


def test_encoded_bodies_are_refused(api, web, nothing_left):
    bomb = gzip.compress(bytes(50 * MB))
    url = web.on("/bomb", lambda talk: talk.answer(200, bomb, Content_Encoding="gzip",
                                                   Content_Type="video/mp4"))
    refused(create(api, url), 400, "media_url_unsupported_format", pattern="format: gzip")
    assert web.asked("/bomb")[-1]["accept-encoding"] == "identity"


# --- broken connections ---------------------------------------------------------------------------

def test_goes_on_where_the_connection_broke(api, site, web):
    data, digest = padded(clip("h264_aac"), 6 * MB)

    def breaking(talk):
        start = talk.range_start()
        common = {"ETag": '"one"', "Content_Length": len(data) - start}
        if start and talk.headers["if-range"] == '"one"':
            talk.answer(206, None, **common,
                        Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            talk.answer(200, None, **common)
        talk.send(data[start:start + 2 * MB])
    body = made(api, web.on("/breaking", breaking))
    assert body["status"] == "ready"
    assert stored_sha256(site, body["_id"]) == digest
    assert len(web.asked("/breaking")) >= 3


def test_begins_anew_without_ranges(api, site, web):
    data, digest = padded(clip("h264_aac"), 3 * MB)

    def breaking(talk):
        talk.answer(200, None, Content_Length=len(data))
        talk.send(data[:2 * MB] if talk.number == 1 else data)
    body = made(api, web.on("/no-ranges", breaking))
    assert stored_sha256(site, body["_id"]) == digest
    assert "range" not in web.asked("/no-ranges")[1]


def test_begins_anew_when_it_changed_meanwhile(api, site, web):
    old, _ = padded(clip("h264_aac"), 3 * MB)
    new, digest = padded(clip("long_8s_10fps"), 2 * MB)

    def changing(talk):
        if talk.number == 1:
            talk.answer(200, None, Content_Length=len(old), ETag='"old"')
            talk.send(old[:1 * MB])
        else:
            talk.answer(200, new, ETag='"new"')
    body = made(api, web.on("/changing", changing))
    assert stored_sha256(site, body["_id"]) == digest
    assert web.asked("/changing")[1]["if-range"] == '"old"'


# --- the guard ------------------------------------------------------------------------------------

PRIVATE_HOSTS = ["127.0.0.1", "localhost", "LocalHost", "localhost.", "127.1", "2130706433",
                 "0x7f000001", "0177.0.0.1", "127.0.0.2", "0", "0.0.0.0", "[::1]", "[::]",
                 "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "１２７.0.0.1"]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_own_network_is_not_reached(api, nothing_left, host):
    with UrlServer() as inside:
        inside.file("/secret", clip("png_128").read_bytes())
        url = inside.url("/secret", host=host)
        response = create(api, url)
        assert response.status_code == 400
        assert response.json()["code"] in ("media_url_not_accessible", "parameter_invalid")
        assert inside.connections == 0


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.0.1", "172.16.0.1", "169.254.169.254",
                                     "100.64.0.1", "[fd00::1]", "[fe80::1]", "224.0.0.1",
                                     "255.255.255.255", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"])
def test_private_addresses_are_refused_like_any_other(api, site, nothing_left, address):
    url = f"http://{address}/latest/meta-data/"
    before = len(site.events("fetch_failed"))
    not_accessible(create(api, url), url)
    wait_until(lambda: len(site.events("fetch_failed")) > before, 5, "the log to say why")
    assert "not allowed" in site.events("fetch_failed")[-1]["detail"]


def test_redirects_do_not_lead_inside(api, web, nothing_left):
    with UrlServer() as inside:
        inside.file("/secret", clip("png_128").read_bytes())
        targets = [inside.url("/secret", host) for host in PRIVATE_HOSTS]
        targets += ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:80/_x",
                    f"http://user:word@{web.host_port}/both.png", "http://169.254.169.254/"]
        for target in targets:
            url = web.on("/away", lambda talk: talk.send(
                b"HTTP/1.1 302 X\r\nLocation: " + target.encode() + b"\r\n\r\n"))
            not_accessible(create(api, url), url)
        assert inside.connections == 0


def test_redirects_have_a_bound(api, web, nothing_left):
    url = web.on("/circle", lambda talk: talk.answer(302, Location="/circle"))
    not_accessible(create(api, url), url)
    assert len(web.asked("/circle")) == 6


def test_resumption_is_guarded_too(api, web, nothing_left):
    with UrlServer() as inside:
        inside.file("/secret", bytes(10_000))

        def turning(talk):
            if talk.number == 1:
                talk.answer(200, None, Content_Length=10_000, ETag='"a"')
                talk.send(bytes(5_000))
            else:
                talk.answer(302, Location=inside.url("/secret"))
        url = web.on("/turning", turning)
        not_accessible(create(api, url), url)
        assert inside.connections == 0


def test_proxies_of_the_environment_are_not_used(start_server, web):
    with UrlServer() as proxy:
        server = start_server("--allow-url-hosts", web.host_port,
                              env={"http_proxy": proxy.url(""), "ALL_PROXY": proxy.url("")})
        assert made(Api(server), web.file("/direct.png", clip("png_128").read_bytes()))
        assert proxy.connections == 0


@pytest.mark.parametrize("allowed", ["localhost", "127.0.0.0/8", "localhost:{port}",
                                     "10.0.0.0/8, 127.0.0.1"])
def test_operators_allow_more(start_server, web, allowed):
    server = start_server("--allow-url-hosts", allowed.format(port=web.port))
    web.file("/in.png", clip("png_128").read_bytes())
    assert made(Api(server), web.url("/in.png", host="localhost"))["status"] == "ready"


def test_a_wrong_list_ends_the_start(tmp_path):
    with pytest.raises(ServerFailed, match="--allow-url-hosts"):
        Server(tmp_path, "--allow-url-hosts", "http://media.lan").start()


# --- sizes ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def small(web, tmp_path_factory):
    one = Server(tmp_path_factory.mktemp("small"), "--allow-url-hosts", web.host_port,
                 "--max-url-bytes", 6 * MB).start()
    yield one
    one.stop()


@pytest.mark.parametrize("kind, code, limit", [
    ("video/mp4", "video_filesize_too_large", "6 MB"),
    ("audio/mpeg", "audio_filesize_too_large", "6 MB"),
    ("image/jpeg", "media_filesize_too_large", "5 MB"),
])
def test_announced_size_is_refused_before_it_comes(small, web, kind, code, limit):
    sent = []

    def endless(talk):
        talk.answer(200, None, Content_Type=kind, Content_Length=7 * MB)
        while talk.send(bytes(1024)):
            sent.append(1024)
    refused(create(Api(small), web.on("/big", endless)), 400, code,
            pattern=f"{limit}.*The current size is 7 MB")
    assert left_behind(small) == []


def test_size_is_bounded_while_it_comes(small, web):
    head = clip("h264_aac").read_bytes()

    def endless(talk):
        talk.answer(200, None, Content_Type="application/octet-stream")
        talk.send(head + (1 << 30).to_bytes(4, "big") + b"free")
        while talk.send(bytes(64 * 1024)):
            pass
    refused(create(Api(small), web.on("/endless", endless)), 400, "video_filesize_too_large",
            pattern="6 MB")

    picture = clip("png_128").read_bytes()

    def endless_picture(talk):
        talk.answer(200, None, Content_Type="application/octet-stream")
        talk.send(picture)
        while talk.send(bytes(64 * 1024)):
            pass
    refused(create(Api(small), web.on("/picture", endless_picture)), 400,
            "media_filesize_too_large", pattern="5 MB")
    wait_until(lambda: left_behind(small) == [], 5, "drafts to go")


def test_size_bound_is_inclusive(small, web):
    for size, status in ((6 * MB, 201), (6 * MB + 1, 400)):
        data, _ = padded(clip("h264_aac"), size)
        assert create(Api(small), web.file("/edge", data)).status_code == status


# --- large, slow, asynchronous ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def large():
    """Just above what is fetched while the client waits."""
    return padded(clip("h264_aac"), 200 * MB + 1)


def test_large_file_is_fetched_by_a_job(api, site, web, large):
    data, digest = large
    reset_peak_memory(site.pid)
    before = memory_kb(site.pid)
    body = made(api, web.file("/large.mp4", data), enable_hls="true", enable_thumbnail="true")
    assert (body["status"], body["method"]) == ("processing", "url")
    detail = ready(api, body["_id"])
    assert detail["size"] == len(data)
    assert detail["hls"]["status"] == "ready"
    assert stored_sha256(site, body["_id"]) == digest
    assert memory_kb(site.pid, "VmHWM") - before < 48 * 1024, "memory grows with the file"
    assert len(web.asked("/large.mp4")) == 1, "the job goes on with what the request began"
    assert api.delete("/assets/" + body["_id"]).status_code == 204


def test_large_file_of_unknown_length_is_handed_over(api, site, web, large):
    data, digest = large
    url = web.on("/unannounced", lambda talk: talk.answer(200, None) and talk.send(data))
    body = made(api, url)
    assert body["status"] == "processing"
    ready(api, body["_id"])
    assert stored_sha256(site, body["_id"]) == digest
    assert len(web.asked("/unannounced")) == 1
    assert api.delete("/assets/" + body["_id"]).status_code == 204


def test_quota_ends_a_file_of_unknown_length_while_it_comes(start_server, web):
    """A job looks after each 64 MiB, so that an endless file does not fill the disk first."""
    server = start_server("--allow-url-hosts", web.host_port, "--ingest", "async",
                          "--quota-bytes", 10 * MB)
    data, _ = padded(clip("h264_aac"), 2 * MB)
    sent = []

    def endless(talk):
        talk.answer(200, None)
        talk.send(data)
        while sum(sent) < 1000 * MB and talk.send(bytes(MB)):
            sent.append(MB)

    api = Api(server)
    asset = "/assets/" + made(api, web.on("/endless", endless))["_id"]
    wait_until(lambda: api.get(asset).json()["status"] == "failed", 60, "the quota to end it")
    assert "storage quota" in api.get(asset).json()["error"]["message"]
    assert sum(sent) < 500 * MB
    wait_until(lambda: not left_behind(server), 20, "the bytes to go")


def test_slow_file_is_handed_over(start_server, web):
    server = start_server("--allow-url-hosts", web.host_port, "--url-answer-sec", 1)
    data, digest = padded(clip("h264_aac"), 2 * MB)
    answered = threading.Event()

    def slow(talk):
        talk.answer(200, None, Content_Length=len(data))
        talk.send(data[:MB])
        answered.wait(30)
        talk.send(data[MB:])
    api = Api(server)
    body = made(api, web.on("/slow", slow))
    assert body["status"] == "processing"
    answered.set()
    ready(api, body["_id"])
    assert stored_sha256(server, body["_id"]) == digest


@pytest.fixture
def lazy(start_server, web):
    """Answers at once."""
    return start_server("--allow-url-hosts", web.host_port, "--url-timeout-sec", 1,
                        "--ingest", "async")


def test_async_answers_at_once(lazy, web):
    api, go_on = Api(lazy), threading.Event()
    data = clip("h264_aac").read_bytes()

    def late(talk):
        go_on.wait(20)
        talk.answer(200, data)
    body = made(api, web.on("/late", late), enable_hls="true")
    assert body["status"] == "processing"
    detail = api.get("/assets/" + body["_id"]).json()
    assert detail["hls"] == {"status": "pending"} and "size" not in detail
    go_on.set()
    assert ready(api, body["_id"])["hls"]["status"] == "ready"


@pytest.mark.parametrize("path, words", [
    ("/gone", "Cannot access the media URL"),
    ("/a-page", "Detected format: `?text/html"),
    ("/a-list", "Live video streams are not supported"),
    ("/a-wreck", "Cannot read the media file"),
])
def test_async_failures_are_told_by_the_asset(lazy, web, path, words):
    web.file("/a-page", b"<!doctype html>")
    web.file("/a-list", b"#EXTM3U\n")
    web.file("/a-wreck", clip("h264_moov_last").read_bytes()[:20_000])
    api = Api(lazy)
    body = made(api, web.url(path))
    asset = "/assets/" + body["_id"]
    wait_until(lambda: api.get(asset).json()["status"] == "failed", 20, "the failure")
    assert re.search(words, api.get(asset).json()["error"]["message"])


def test_a_job_tries_again_while_it_may_help(lazy, web):
    data = clip("png_128").read_bytes()
    url = web.on("/later", lambda talk: talk.answer(503, b"") if talk.number <= 2
                 else talk.answer(200, data))
    api = Api(lazy)
    ready(api, made(api, url)["_id"])
    assert len(web.asked("/later")) == 3


def test_a_job_gives_up_after_some_attempts(lazy, web):
    url = web.on("/never", lambda talk: talk.answer(503, b""))
    api = Api(lazy)
    asset = "/assets/" + made(api, url)["_id"]
    wait_until(lambda: lazy.events("job_returned"), 20, "a first attempt")
    lazy.stop()
    # The attempts in between, which would take two minutes.
    with sqlite3.connect(lazy.data_dir / "kinodex.db") as database:
        assert database.execute("UPDATE jobs SET attempts = 7, run_at_ms = 0, ready_ms = 0").rowcount == 1
    lazy.start()
    api = Api(lazy)
    wait_until(lambda: api.get(asset).json()["status"] == "failed", 20, "the end")
    assert "Cannot access the media URL" in api.get(asset).json()["error"]["message"]


def test_deleting_ends_the_fetch(lazy, web):
    gone = threading.Event()

    def endless(talk):
        talk.answer(200, None, Content_Length=1 << 30)
        while talk.send(bytes(16 * 1024)) and not gone.wait(0.01):
            pass
        gone.set()
    api = Api(lazy)
    asset = "/assets/" + made(api, web.on("/deleted", endless))["_id"]
    wait_until(lambda: left_behind(lazy), 20, "bytes to come")
    assert api.delete(asset).status_code == 204
    assert gone.wait(20), "the transfer goes on"
    wait_until(lambda: left_behind(lazy) == [], 10, "the files to go")
    assert api.get(asset).status_code == 404


def test_deleted_between_fetch_and_examination_leaves_nothing(lazy, web):
    data = clip("h264_aac").read_bytes()
    held, go_on = threading.Event(), threading.Event()

    def held_back(talk):
        talk.answer(200, None, Content_Length=len(data))
        talk.send(data[:-1])
        held.set()
        go_on.wait(20)
        talk.send(data[-1:])
    api = Api(lazy)
    asset = "/assets/" + made(api, web.on("/held", held_back))["_id"]
    assert held.wait(20)
    assert api.delete(asset).status_code == 204
    go_on.set()
    wait_until(lambda: left_behind(lazy) == [], 20, "the files to go")
    wait_until(lambda: not jobs_of(lazy), 20, "the jobs to end")
    assert left_behind(lazy) == []


def jobs_of(server):
    with sqlite3.connect(server.data_dir / "kinodex.db") as database:
        return database.execute("SELECT count(*) FROM jobs").fetchone()[0]


# --- clients, limits ------------------------------------------------------------------------------

def test_a_client_that_leaves_takes_its_fetch_along(api, site, web, nothing_left):
    begun, gone = threading.Event(), threading.Event()

    def slow(talk):
        talk.answer(200, None, Content_Length=100 * MB)
        while talk.send(bytes(64 * 1024)) and not gone.wait(0.02):
            begun.set()
        gone.set()
    url = web.on("/left", slow)
    body, kind = encode([Part("method", "url"), Part("url", url)])
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(b"POST /v1.3/assets HTTP/1.1\r\nHost: x\r\nx-api-key: " + site.key.encode()
                       + b"\r\nContent-Type: " + kind.encode() + b"\r\nContent-Length: "
                       + str(len(body)).encode() + b"\r\n\r\n" + body)
        assert begun.wait(10)
    assert gone.wait(10), "the fetch goes on for nobody"


def test_too_many_at_once_are_refused_to_one_account(start_server, web):
    server = start_server("--allow-url-hosts", web.host_port)
    other = Api(server, make_key(server.data_dir, "other"))
    wait_until(lambda: other.get("/assets").status_code == 200, 10, "the key to be known")
    go_on, answers = threading.Event(), []
    data = clip("png_128").read_bytes()
    reached = threading.Semaphore(0)

    def held(talk):
        talk.answer(200, None, Content_Length=len(data))
        talk.send(data[:100])
        reached.release()
        go_on.wait(25)
        talk.send(data[100:])
    url = web.on("/crowd", held)

    def ask():
        api = Api(server)
        answers.append(create(api, url).status_code)
        api.close()
    threads = [threading.Thread(target=ask, daemon=True) for _ in range(32)]
    for each in threads:
        each.start()
    for _ in threads:
        assert reached.acquire(timeout=20)
    response = create(Api(server), url)
    refused(response, 503, "server_overloaded")
    assert response.headers["retry-after"]
    assert create(other, web.on("/one", lambda talk: talk.answer(200, data))).status_code == 201
    go_on.set()
    for each in threads:
        each.join(20)
    assert answers == [201] * 32


def test_neither_urls_nor_their_secrets_are_logged(api, site, web):
    create(api, web.on("/private/path", lambda talk: talk.answer(500)) + "?signature=tell-nobody")
    create(api, web.url("/private/path") + "?signature=tell-nobody")
    assert "tell-nobody" not in str(site.lines)
