"""Our server and its peers, each started on a free port with its own files."""
import http.client
import json
import os
import pathlib
import subprocess

from lib import process

KEY = "benchkey123"
HERE = pathlib.Path(__file__).resolve().parents[1]


class Client:
    """One kept connection."""

    def __init__(self, port, key=KEY, timeout=120):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.key = key

    def call(self, method, path, body=None, expect=(200, 201, 202, 204)):
        headers = {"x-api-key": self.key}
        if body is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(body)
        self.http.request(method, path, body, headers)
        answer = self.http.getresponse()
        data = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def json(self, method, path, body=None):
        return json.loads(self.call(method, path, body) or b"null")

    def close(self):
        self.http.close()


def local_path(url):
    """Path and query of a URL of our own server."""
    return "/" + url.split("/", 3)[3]


class Kinodex(process.Daemon):
    def __init__(self, binary, data_dir, *options, core=None):
        self.port = process.free_port()
        self.data_dir = pathlib.Path(data_dir)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        super().__init__(
            [binary, "serve", "--data-dir", data_dir, "--listen", f"127.0.0.1:{self.port}",
             "--api-key", KEY, "--access-log", "errors", *options],
            self.data_dir.with_suffix(".log"), core)
        self.wait_until(self.is_ready)

    def is_ready(self):
        probe = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            probe.request("GET", "/readyz")
            return probe.getresponse().status == 200
        except OSError:
            return False
        finally:
            probe.close()

    def client(self):
        return Client(self.port)


NGINX_CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    types {{ application/json json; video/iso.segment m4s; }}
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
        location /upload {{
            client_body_in_file_only on;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_pass http://127.0.0.1:{port}/accepted;
        }}
        location /accepted {{ return 204; }}
    }}
}}
"""


class Nginx(process.Daemon):
    """Debian's settings, with one worker and without an access log. Uploads are written to files
    under `bodies` and stay there."""

    def __init__(self, folder, core=None):
        self.port = process.free_port()
        self.folder = pathlib.Path(folder).resolve()
        self.www, self.bodies = self.folder / "www", self.folder / "bodies"
        self.www.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(NGINX_CONFIG.format(folder=self.folder, port=self.port, user=user))
        super().__init__(["nginx", "-p", self.folder, "-c", config], self.folder / "out.log", core)
        self.wait_until(lambda: process.listens(self.port))


class Fastify(process.Daemon):
    def __init__(self, folder, database, core=None):
        self.port = process.free_port()
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        super().__init__(["node", HERE / "fastify" / "server.mjs", database, self.port, KEY],
                         pathlib.Path(folder) / "fastify.log", core)
        self.wait_until(lambda: process.listens(self.port))


def install_fastify():
    stamp = HERE / "fastify" / "node_modules" / ".done"
    lock = HERE / "fastify" / "package-lock.json"
    if stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime:
        return
    subprocess.run(["npm", "ci", "--prefix", str(HERE / "fastify"), "--no-fund", "--no-audit"],
                   check=True, timeout=600, stdout=subprocess.DEVNULL)
    stamp.touch()
