"""A web server for tests of fetching: it serves files properly, or does exactly what a test says.

    with UrlServer() as web:
        web.file("/clip.mp4", data)                       # ranges, ETag, kept connections
        web.on("/odd", lambda talk: talk.send(b"HTTP/1.1 200 OK\r\n\r\nabc"))

`web.requests` holds what was asked, in order; `web.connections` counts what connected at all.
"""

import hashlib
import re
import socket
import ssl
import subprocess
import threading


class Talk:
    """One request and its connection. A handler sends raw bytes; the connection is closed after."""

    def __init__(self, server, sock, path, headers, number):
        self.server, self.sock, self.path, self.headers = server, sock, path, headers
        self.number = number  # of this request among those for the path, from 1
        self.keep = False

    def send(self, data):
        """False once the other side is gone."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def answer(self, status=200, body=b"", **headers):
        lines = [f"HTTP/1.1 {status} X"]
        if body is not None:
            headers.setdefault("Content_Length", len(body))
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    def range_start(self):
        found = re.match(r"bytes=(\d+)-$", self.headers.get("range", ""))
        return int(found.group(1)) if found else 0

    def until_gone(self, limit_sec=30):
        """Waits until the other side has closed; false when it has not."""
        self.sock.settimeout(limit_sec)
        try:
            while self.sock.recv(4096):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True


class UrlServer:
    def __init__(self, certificate=None):
        self.handlers = {}
        self.requests = []
        self.connections = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.scheme = "https" if certificate else "http"
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    def close(self):
        self.listener.close()

    @property
    def host_port(self):
        return f"127.0.0.1:{self.port}"

    def url(self, path, host="127.0.0.1"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def on(self, path, handler):
        self.handlers[path] = handler
        return self.url(path)

    def file(self, path, data, content_type="video/mp4", etag=None):
        """Serves bytes as any web server does."""
        tag = etag or '"%s"' % hashlib.sha256(data).hexdigest()[:16]

        def serve(talk):
            talk.keep = True
            start = talk.range_start()
            common = {"Content_Type": content_type, "ETag": tag, "Accept_Ranges": "bytes"}
            if start and talk.headers.get("if-range", tag) == tag:
                talk.answer(206, data[start:], **common,
                            Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                talk.answer(200, data, **common)
        return self.on(path, serve)

    def asked(self, path):
        with self.lock:
            return [headers for asked_path, headers in self.requests if asked_path == path]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            while self._serve_one(sock):
                pass
        except OSError:
            pass
        finally:
            sock.close()

    def _serve_one(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            data = sock.recv(65536)
            if not data:
                return False
            head += data
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {name.lower(): value.strip() for name, _, value in
                   (line.partition(":") for line in lines[1:] if line)}
        with self.lock:
            self.requests.append((path, headers))
            number = sum(1 for asked, _ in self.requests if asked == path)
        handler = self.handlers.get(path.partition("?")[0])
        talk = Talk(self, sock, path, headers, number)
        if handler is None:
            talk.answer(404, b"not here")
        else:
            handler(talk)
        return talk.keep


def make_certificate(certificate, key):
    """Writes both, for 127.0.0.1 and signed by itself."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout",
                    key], check=True, capture_output=True)


def padded(clip, size):
    """The clip followed by a `free` box, so that it has this size; and its sha256."""
    head = clip.read_bytes()
    room = size - len(head)
    data = bytearray(size)  # zeros
    data[:len(head)] = head
    data[len(head):len(head) + 8] = room.to_bytes(4, "big") + b"free"
    # Something else in each megabyte, so that a piece in the wrong place shows.
    for at in range(len(head) + 8, size - 8, 1 << 20):
        data[at:at + 8] = at.to_bytes(8, "big")
    return bytes(data), hashlib.sha256(data).hexdigest()


def stored_sha256(server, asset_id):
    """Of the bytes that the server keeps as the asset's source."""
    paths = [path for path in server.data_dir.rglob("source") if path.parent.name == asset_id]
    assert len(paths) == 1, f"{asset_id}: {paths}"
    digest = hashlib.sha256()
    with open(paths[0], "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def left_behind(server):
    """Media files under the data directory."""
    return [path for path in (server.data_dir / "media").rglob("*") if path.is_file()]
