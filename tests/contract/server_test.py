"""What holds for every route: health, keys, headers, unknown routes and methods, bad HTTP."""

import json
import socket
import subprocess

import pytest

from lib.api import Api, UNKNOWN_ID, refused
from lib.server import Server, ServerFailed, binary, run_keys, wait_until
from media.maker import clip

KEY_MESSAGE = ("API Key is either invalid or expired. Please check your API key or generate a new "
               "one from the dashboard and try again.")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_health_and_metrics_need_no_key(api, path):
    assert api.get(path, key=False).status_code == 200


def test_a_json_body_above_its_limit_is_refused_with_the_limit_in_bytes(api):
    response = api.post("/indexes", content=b'{"a":"' + b"x" * 1024 * 1024 + b'"}',
                        headers={"content-type": "application/json"})
    refused(response, 413, "body_too_large", pattern="at most 1048576 bytes")


def test_metrics_are_prometheus_text(api):
    response = api.get("/metrics", key=False)
    assert response.headers["content-type"].startswith("text/plain")
    samples = [line for line in response.text.splitlines() if line and not line.startswith("#")]
    assert samples
    for line in samples:
        name, value = line.rsplit(" ", 1)
        assert name[0].isalpha() or name[0] == "_", line
        float(value)


@pytest.mark.parametrize("key", [False, "", "wrong", "kx_0000", "x" * 4000])
@pytest.mark.parametrize("path", ["/assets", f"/assets/{UNKNOWN_ID}", "/indexes"])
def test_missing_or_unknown_key_is_401(api, key, path):
    refused(api.get(path, key=key), 401, "api_key_invalid", KEY_MESSAGE)


def test_upload_with_a_wrong_key_is_401_and_stores_nothing(api):
    before = api.asset_total()
    response = api.post("/assets", key="wrong", content=b"x" * 100_000,
                        headers={"content-type": "multipart/form-data; boundary=b"})
    refused(response, 401, "api_key_invalid", KEY_MESSAGE)
    assert api.asset_total() == before


def test_each_answer_has_its_own_request_id(api):
    ids = {api.get("/assets").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("path", ["/", "/v1.3", "/v1.2/assets", "/v1.3/summarize", "/v1.3/gist",
                                  "/v1.3/assets/" + UNKNOWN_ID + "/nothing",
                                  "/v1.3/assets/../../etc/passwd", "/v1.3//assets"])
def test_unknown_route_is_404_endpoint_not_exists(server, path):
    # A raw request: clients tidy paths before they send them.
    status, body = raw_request(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                       f"x-api-key: {server.key}\r\n\r\n")
    assert (status, body["code"]) == (404, "endpoint_not_exists")


@pytest.mark.parametrize("method,path", [("PUT", "/assets"), ("DELETE", "/assets"),
                                         ("POST", f"/assets/{UNKNOWN_ID}"),
                                         ("PATCH", f"/indexes/{UNKNOWN_ID}"),
                                         ("GET", f"/assets/{UNKNOWN_ID}/user-metadata")])
def test_known_route_with_another_method_is_405(api, method, path):
    response = api.request(method, path)
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    assert response.headers["allow"]


@pytest.mark.parametrize("method,path,allow", [
    ("DELETE", "/assets/multipart-uploads", "GET, HEAD, POST"),
    ("PATCH", "/assets/multipart-uploads/user-metadata", "GET, HEAD, POST"),
    ("DELETE", f"/entity-collections/{UNKNOWN_ID}/entities/bulk", "POST")])
def test_a_path_of_its_own_is_not_taken_for_an_id(api, method, path, allow):
    response = api.request(method, path)
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allow


def raw_request(server, text):
    """Sends bytes as they are; returns (status, JSON body) of an answer that ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
        peer.sendall(text if isinstance(text, bytes) else text.encode())
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body or b"{}")


@pytest.mark.parametrize("text,statuses", [
    ("NOT HTTP AT ALL\r\n\r\n", {400}),
    ("GET /v1.3/assets HTTP/9.9\r\nHost: x\r\n\r\n", {400, 505}),
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", {400}),
    ("POST /v1.3/indexes HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
    ("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + "a" * 200_000 + "\r\n\r\n", {400, 431}),
    ("GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n", {400, 414, 431}),
])
def test_malformed_http_is_answered_with_a_json_error(server, text, statuses):
    status, body = raw_request(server, text)
    assert status in statuses
    assert body["code"] and body["message"]


def test_body_with_both_length_and_chunked_is_refused(server):
    # Request smuggling: two framings of one body must never be guessed at.
    status, _ = raw_request(server, "POST /v1.3/indexes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
                                    "Transfer-Encoding: chunked\r\nConnection: close\r\n"
                                    f"x-api-key: {server.key}\r\n\r\n0\r\n\r\n")
    assert status == 400


def test_json_body_over_its_bound_is_refused(api):
    response = api.post("/indexes", content=b'{"index_name":"' + b"a" * (8 << 20) + b'"}',
                        headers={"content-type": "application/json"})
    assert response.status_code in (400, 413), response.status_code
    assert response.json()["code"]


def test_expect_continue_is_honoured(server):
    # curl waits a second for this before it sends a large body.
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
        peer.sendall(("POST /v1.3/indexes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                      "Content-Type: application/json\r\nExpect: 100-continue\r\n"
                      f"x-api-key: {server.key}\r\n\r\n").encode())
        assert peer.recv(100).startswith(b"HTTP/1.1 100")
        peer.sendall(b"{}")
        assert peer.recv(100).startswith(b"HTTP/1.1 400")


def test_pipelined_requests_are_answered_in_order(server):
    one = f"GET /v1.3/assets?page_limit={{}} HTTP/1.1\r\nHost: x\r\nx-api-key: {server.key}\r\n"
    text = one.format(3) + "\r\n" + one.format(4) + "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
        peer.sendall(text.encode())
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.index(b'"limit_per_page":3') < answer.index(b'"limit_per_page":4')


def test_revoked_key_stops_working_and_never_appears_in_the_log(server, new_api):
    api = new_api()
    listed = run_keys(server.data_dir, "list")
    assert api.key not in listed, "keys are stored hashed and cannot be listed whole"
    row = next(line for line in reversed(listed.splitlines()) if api.key[:6] in line)
    run_keys(server.data_dir, "revoke", row.split()[0])
    wait_until(lambda: api.get("/assets").status_code == 401, 10, "the revoked key to be refused")
    text = json.dumps(server.lines)
    assert api.key not in text and server.key not in text


def test_version_is_printed():
    done = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=10)
    assert done.returncode == 0 and done.stdout.strip()


def test_unknown_option_ends_the_start_with_a_message(tmp_path):
    done = subprocess.run([binary(), "serve", "--data-dir", tmp_path, "--no-such-option", "1"],
                          capture_output=True, text=True, timeout=10)
    assert done.returncode != 0
    assert "no-such-option" in done.stderr + done.stdout


def test_options_come_from_the_environment_and_the_command_line_wins(tmp_path):
    env = {"KINODEX_MAX_IMAGE_BYTES": "100"}
    assert image_status(tmp_path / "a", env=env) == 400
    assert image_status(tmp_path / "b", "--max-image-bytes", "2000000", env=env) == 201


def test_options_come_from_a_file_and_unknown_ones_are_refused(tmp_path):
    config = tmp_path / "kinodex.toml"
    config.write_text("max-image-bytes = 100\n")
    assert image_status(tmp_path / "a", "--config", config) == 400
    env = {"KINODEX_MAX_IMAGE_BYTES": "2000000"}
    assert image_status(tmp_path / "b", "--config", config, env=env) == 201
    config.write_text("max-image-byte = 100\n")
    with pytest.raises(ServerFailed, match="max-image-byte"):
        Server(tmp_path / "c", "--config", config).start()


def image_status(data_dir, *options, env=None):
    """What a server with these options answers to a small image."""
    one = Server(data_dir, *options, env=env).start()
    api = Api(one)
    status = api.upload(clip("png_128"), expect=None).status_code
    api.close()
    one.stop()
    return status


def test_second_server_on_the_same_data_directory_is_refused(server):
    second = Server(server.data_dir)
    with pytest.raises(AssertionError):
        second.start()
    second.kill()


@pytest.mark.parametrize("address", ["taken", "192.0.2.1:0"])
def test_start_that_cannot_listen_ends_and_says_so(server, tmp_path, address):
    address = server.origin.removeprefix("http://") if address == "taken" else address
    done = subprocess.run([binary(), "serve", "--data-dir", tmp_path / "d", "--listen", address],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "cannot start" in done.stderr and address.split(":")[0] in done.stderr
