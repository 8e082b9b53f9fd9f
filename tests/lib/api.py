"""A checked HTTP client: every answer it sees must carry the headers that every answer carries,
and must fit the document that the server serves and, where it is at hand, the published one."""

import json
import re

import httpx

from lib import openapi
from lib.multipart import Part, encode

ROOTS = ("/v1.3", "/healthz", "/readyz", "/metrics", "/media", "/admin", "/openapi.json", "/docs", "/llms")
UNKNOWN_ID = "0123456789abcdef01234567"
MALFORMED_IDS = ("x", "6298d673f1090f1100476d4", "6298d673f1090f1100476d4cc",
                 "6298d673f1090f1100476d4z", "6298D673F1090F1100476D4C", "%00", "..%2f..")
ID = re.compile(r"^[0-9a-f]{24}$")
SECONDS_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
MILLIS_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")


class Api:
    def __init__(self, server, key=None, timeout=60):
        self.server = server
        self.key = key or server.key
        self.http = httpx.Client(base_url=server.origin, timeout=timeout, trust_env=False)

    def close(self):
        self.http.close()

    def request(self, method, path, *, key=True, query=None, headers=None, **body):
        """`path` is below /v1.3 unless it starts with a slash and a known root. `query` may be a
        literal string, which goes out byte for byte."""
        url = path if path.startswith(ROOTS) else "/v1.3" + path
        if isinstance(query, str):
            url, query = url + "?" + query, None
        sent = dict(headers or {})
        if key is not False:
            sent["x-api-key"] = self.key if key is True else key
        response = self.http.request(method, url, params=query, headers=sent, **body)
        check_answer(response)
        return response

    def get(self, path, query=None, **more):
        return self.request("GET", path, query=query, **more)

    def post(self, path, **more):
        return self.request("POST", path, **more)

    def put(self, path, **more):
        return self.request("PUT", path, **more)

    def patch(self, path, **more):
        return self.request("PATCH", path, **more)

    def delete(self, path, query=None, **more):
        return self.request("DELETE", path, query=query, **more)

    def upload(self, data, *, filename="clip.bin", part_type="application/octet-stream",
               fields_first=True, expect=201, **fields):
        """POST /assets with method=direct. `data`: bytes or a path. Returns the JSON body."""
        content = data if isinstance(data, bytes) else data.read_bytes()
        words = [Part("method", "direct")]
        words += [Part(name, value) for name, value in fields.items()]
        file_part = Part("file", content, filename=filename, content_type=part_type)
        parts = [*words, file_part] if fields_first else [words[0], file_part, *words[1:]]
        response = self.post_form(parts)
        if expect is not None:
            assert response.status_code == expect, response.text
        return response.json() if expect is not None else response

    def post_form(self, parts, **more):
        content, content_type = encode(parts)
        return self.post("/assets", content=content, headers={"content-type": content_type}, **more)

    def make_index(self, name, models=None, **more):
        models = models or [{"model_name": "marengo3.0", "model_options": ["visual", "audio"]}]
        response = self.post("/indexes", json={"index_name": name, "models": models, **more})
        assert response.status_code == 201, response.text
        return response.json()["_id"]

    def add(self, index, asset, **more):
        """Indexes an asset; returns the id of the indexed asset."""
        response = self.post(f"/indexes/{index}/indexed-assets", json={"asset_id": asset, **more})
        assert response.status_code == 202, response.text
        return response.json()["_id"]

    def asset_total(self):
        return self.get("/assets").json()["page_info"]["total_results"]


def check_answer(response):
    path = response.request.url.path
    what = f"{response.request.method} {path} -> {response.status_code}"
    assert response.status_code < 300 or response.status_code >= 400 or \
        response.status_code == 304, f"{what}: a redirect"
    assert response.headers.get("x-request-id"), f"{what}: no X-Request-Id"
    assert response.headers.get("x-api-version") == "v1.3", f"{what}: no X-Api-Version"
    url = response.request.url
    openapi.own_checker(f"{url.scheme}://{url.netloc.decode()}").check(response)
    if response.status_code == 204:
        assert response.content == b"", f"{what}: a body with 204"
        return
    if not path.startswith("/v1.3") or response.request.method == "HEAD":
        return
    kind = response.headers.get("content-type", "")
    assert kind.startswith("application/json"), f"{what}: content type {kind!r}"
    checker = openapi.checker()
    body = json.loads(response.content)
    if response.status_code >= 400:
        assert body["code"] and body["message"] and body["docs_url"], f"{what}: {body}"
    if checker is not None:
        checker.check(response.request.method, path, response.status_code, body)


def plain(message):
    """Back quotes are the documentation's markup around names and values, not part of the text."""
    return message.replace("`", "")


def refused(response, status, code, message=None, pattern=None):
    """Asserts a refusal with exactly this status and code, and this text (or regex)."""
    body = response.json()
    assert (response.status_code, body.get("code")) == (status, code), response.text
    if message is not None:
        assert plain(body["message"]) == plain(message), body["message"]
    if pattern is not None:
        assert re.search(pattern, plain(body["message"])), body["message"]
    return body


def missing(response, resource_id, collection):
    return refused(response, 404, "resource_not_exist",
                   f"Resource with id {resource_id} does not exist in {collection}.")


def invalid(response, parameter):
    """400 parameter_invalid that names the parameter."""
    return refused(response, 400, "parameter_invalid",
                   pattern=rf"^The {re.escape(parameter)} parameter is invalid\.")
