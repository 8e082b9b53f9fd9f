"""Checks answers against two OpenAPI documents: the server's own, and the published one where a
checkout has it beside it.

The own document is asked of the server under test and always there. It must know every operation,
status, content type, error code and key that is seen.

The published document lies outside the project and is not part of it. Without it nothing is
checked against it, and the test run says so. It marks almost nothing as required, so a plain
validation would pass nearly anything: here unknown keys fail too, save the few that this server
adds on purpose.
"""

import json
import re
from functools import lru_cache
from pathlib import Path

import httpx
import jsonschema

DOCUMENT = Path(__file__).resolve().parents[2].parent / "shared" / "api" / "openapi.json"

# What this server adds to, or knows better than, the document (see docs/api.md).
ADDED_KEYS = {
    "indexedAssetDetailed": {"progress": {"type": "number", "minimum": 0, "maximum": 1},
                             "error": {"type": "object", "required": ["message"]}},
    "indexedAsset": {"user_metadata": {"type": "object"}},
    "tasks_retrieve_Response_200": {"error": {"type": "object", "required": ["message"]}},
    "Entity": {"error": {"type": "object", "required": ["message"]}},
}
NULLABLE = {("Index", "expires_at"), ("ChunkInfo", "uploaded_at")}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["code", "message", "docs_url"],
    "additionalProperties": False,
    "properties": {key: {"type": "string", "minLength": 1} for key in ("code", "message",
                                                                      "docs_url")},
}
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def present():
    return DOCUMENT.is_file()


def _formats():
    checker = jsonschema.FormatChecker(formats=())

    @checker.checks("date-time")
    def is_utc_time(value):
        return not isinstance(value, str) or bool(RFC3339.match(value))

    return checker


def placeholders(path):
    """Which segments are placeholders; of the paths that fit, the least is what is meant."""
    return [segment.startswith("{") for segment in path.split("/")]


class Checker:
    def __init__(self, document):
        self.document = document
        self.checked = 0
        self.routes = []
        for path, operations in document["paths"].items():
            pattern = re.compile("^/v1.3" + re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$")
            self.routes.append((placeholders(path), pattern, operations))
        self.routes.sort(key=lambda route: route[0])
        self._close_objects()

    def _close_objects(self):
        for name, schema in self.document["components"]["schemas"].items():
            properties = schema.get("properties")
            if schema.get("type") != "object" or not properties:
                continue
            properties.update(ADDED_KEYS.get(name, {}))
            schema.setdefault("additionalProperties", False)
            for key in properties:
                if (name, key) in NULLABLE:
                    properties[key] = {"anyOf": [properties[key], {"type": "null"}]}

    def check(self, method, path, status, body):
        """Raises AssertionError when `body` is not what the document says for this answer."""
        if status >= 400:
            self._validate(ERROR_SCHEMA, body, f"{method} {path} -> {status}")
            return
        schema = self._schema_of(method, path, status)
        assert schema is not None, f"the document has no answer for {method} {path} {status}"
        self._validate(schema, body, f"{method} {path} -> {status}")

    def _schema_of(self, method, path, status):
        for _, pattern, operations in self.routes:
            if pattern.match(path):
                answers = operations.get(method.lower(), {}).get("responses", {})
                content = answers.get(str(status), {}).get("content", {})
                return content.get("application/json", {}).get("schema")
        return None

    def _validate(self, schema, body, what):
        whole = {**schema, "components": self.document["components"]}
        validator = jsonschema.Draft202012Validator(whole, format_checker=_formats())
        problems = [f"{'/'.join(map(str, p.absolute_path))}: {p.message}"
                    for p in validator.iter_errors(body)]
        assert not problems, f"{what} does not fit the published document:\n" + "\n".join(problems)
        self.checked += 1


class OwnChecker:
    """Checks answers against the document that the server serves."""

    def __init__(self, document):
        self.document = document
        self.checked = 0
        self.routes = []
        self.validators = {}
        for path, operations in document["paths"].items():
            pattern = re.compile("^" + re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$")
            self.routes.append((placeholders(path), pattern, operations))
        self.routes.sort(key=lambda route: route[0])
        for schema in self._objects(document["paths"]):
            schema.setdefault("additionalProperties", False)
        for schema in self._objects(document["components"]):
            schema.setdefault("additionalProperties", False)

    def _objects(self, node):
        """Every schema of an object whose keys are declared: in tests, others are mistakes."""
        if isinstance(node, dict):
            if node.get("type") == "object" and node.get("properties"):
                yield node
            for each in node.values():
                yield from self._objects(each)
        elif isinstance(node, list):
            for each in node:
                yield from self._objects(each)

    def operation(self, method, path):
        for _, pattern, operations in self.routes:
            if pattern.match(path):
                return operations.get(method.lower())
        return None

    def takes(self, method, path, body):
        """Whether the document says that such a JSON body may be sent."""
        content = self.operation(method, path)["requestBody"]["content"]
        whole = {**content["application/json"]["schema"],
                 "components": self.document["components"]}
        return jsonschema.Draft202012Validator(whole).is_valid(body)

    def check(self, response):
        """Raises AssertionError when the document does not know such an answer."""
        request = response.request
        path = request.url.raw_path.decode().partition("?")[0]
        what = f"{request.method} {path} -> {response.status_code}"
        operation = self.operation("GET" if request.method == "HEAD" else request.method, path)
        if operation is None:
            assert response.status_code >= 400 or request.method == "OPTIONS", \
                f"{what}: the own document has no such operation"
            return
        answer = operation["responses"].get(str(response.status_code))
        assert answer is not None, \
            f"{what}: the own document has no such answer, only {list(operation['responses'])}"
        self.checked += 1
        for name, header in answer.get("headers", {}).items():
            assert name in response.headers or not header.get("required"), f"{what}: no {name}"
        kind = response.headers.get("content-type", "")
        if request.method == "HEAD":
            return
        if "content" not in answer:
            assert response.content == b"", f"{what}: a body that the own document does not know"
            return
        assert kind in answer["content"], f"{what}: content type {kind}"
        if kind == "application/json":
            self._validate(response.json(), answer["content"][kind]["schema"], what)

    def _validate(self, body, schema, what):
        whole = {**schema, "components": self.document["components"]}
        validator = jsonschema.Draft202012Validator(whole, format_checker=_formats())
        problems = [f"{'/'.join(map(str, p.absolute_path))}: {p.message}"
                    for p in validator.iter_errors(body)]
        assert not problems, f"{what} does not fit the own document:\n" + "\n".join(problems)


_own = []


def own_checker(origin=None):
    """The one checker of this run against the served document, made when a server is known."""
    if not _own and origin is not None:
        answer = httpx.get(origin + "/openapi.json", trust_env=False)
        assert answer.status_code == 200, answer.text
        _own.append(OwnChecker(answer.json()))
    return _own[0] if _own else None


@lru_cache(maxsize=1)
def checker():
    """The one checker of this run against the published document; None where that is absent."""
    return Checker(json.loads(DOCUMENT.read_text())) if present() else None
