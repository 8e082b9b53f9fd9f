"""A webhook receiver on loopback that answers as a test wants and keeps what it got."""

import hashlib
import hmac
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """`answers`: statuses for the first requests, in order; then 204. `gate`: when set to a
    threading.Event, requests wait for it before they are answered. `certificate`: files of a
    certificate and its key, for https."""

    def __init__(self, secret, answers=(), gate=None, certificate=None):
        self.secret = secret
        self.answers = list(answers)
        self.gate = gate
        self.events = []  # bodies, as objects, of every attempt
        self.problems = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take(self.headers, body)
                if receiver.gate is not None:
                    receiver.gate.wait(60)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass  # the sender gave up or was killed

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.scheme = "https" if certificate else "http"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*certificate)
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True,
                                               do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.http.server_port}/hook?from=test"

    def take(self, headers, body):
        with self._lock:
            if not signed(self.secret, headers.get("TL-Signature", ""), body):
                self.problems.append(f"bad signature: {headers.get('TL-Signature')}")
            if headers.get("Content-Type") != "application/json":
                self.problems.append(f"content type {headers.get('Content-Type')}")
            self.events.append(json.loads(body))
            return self.answers.pop(0) if self.answers else 204

    def close(self):
        if self.gate is not None:
            self.gate.set()
        self.http.shutdown()
        self.http.server_close()
        assert not self.problems, self.problems


def signed(secret, header, body):
    """Checks as the reference tells receivers to: HMAC-SHA-256 over "<t>.<raw body>"."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    message = parts.get("t", "").encode() + b"." + body
    wanted = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, parts.get("v1", ""))
